package zksim

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"doorsync/firmware-bridge/zk/frame"
)

// writeLimit ends an answer that a client does not take.
const writeLimit = 5 * time.Second

// Listen binds TCP and UDP to one address; with port 0 it finds a port that is
// free for both.
func (t *Terminal) Listen(addr string) error {
	var err error
	for range 16 {
		if err = t.bind(addr); err == nil {
			return nil
		}
		if _, port, e := net.SplitHostPort(addr); e != nil || port != "0" {
			break
		}
	}
	return fmt.Errorf("listen on %s: %w", addr, err)
}

func (t *Terminal) bind(addr string) error {
	tcp, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", addr)
	if err != nil {
		return err
	}
	at, err := net.ResolveUDPAddr("udp", tcp.Addr().String())
	if err == nil {
		t.udp, err = net.ListenUDP("udp", at)
	}
	if err != nil {
		return errors.Join(err, tcp.Close())
	}
	t.tcp = tcp
	return nil
}

// Addr is where the terminal listens, for TCP and UDP alike.
func (t *Terminal) Addr() string {
	if t.tcp == nil {
		return ""
	}
	return t.tcp.Addr().String()
}

// Run serves clients until ctx ends. Listen comes first.
func (t *Terminal) Run(ctx context.Context) error {
	if t.tcp == nil {
		return fmt.Errorf("run the terminal: %w", ErrNotBound)
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		<-ctx.Done()
		return errors.Join(ignoreClosed(t.tcp.Close()), ignoreClosed(t.udp.Close()))
	})
	g.Go(func() error { return t.accept(ctx, g) })
	g.Go(func() error { return t.datagrams() })
	return g.Wait()
}

func (t *Terminal) accept(ctx context.Context, g *errgroup.Group) error {
	for {
		conn, err := t.tcp.Accept()
		if err != nil {
			return ignoreClosed(err)
		}
		g.Go(func() error {
			t.stream(ctx, conn)
			return nil
		})
	}
}

// stream serves one TCP client until either side ends it.
func (t *Terminal) stream(ctx context.Context, conn net.Conn) {
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	defer func() { _ = conn.Close() }()
	s := &session{write: func(f frame.Frame) []byte { return f.AppendTCP(nil) }, out: func(b []byte) error {
		if err := conn.SetWriteDeadline(time.Now().Add(writeLimit)); err != nil {
			return err
		}
		_, err := conn.Write(b)
		return err
	}}
	defer t.leave(s)
	for {
		b, err := frame.ReadTCP(conn)
		if err != nil {
			return
		}
		f, err := frame.Parse(b)
		if err != nil && !errors.Is(err, frame.ErrChecksum) {
			return
		}
		s.send(t.answer(s, f), t.opt.PacketGap)
		if f.Cmd == frame.CmdExit {
			return
		}
	}
}

// datagrams serves UDP clients. A new client takes the place of the last one,
// for nobody can tell whether that one is still there.
func (t *Terminal) datagrams() error {
	clients := map[string]*session{}
	buf := make([]byte, 64<<10)
	for {
		n, from, err := t.udp.ReadFromUDPAddrPort(buf)
		if err != nil {
			return ignoreClosed(err)
		}
		f, err := frame.Parse(append([]byte(nil), buf[:n]...))
		if err != nil && !errors.Is(err, frame.ErrChecksum) {
			continue
		}
		s := clients[from.String()]
		if s == nil || (f.Cmd == frame.CmdConnect && t.used(s)) {
			s = &session{udp: true, write: func(f frame.Frame) []byte { return f.Append(nil) }, out: func(b []byte) error {
				_, err := t.udp.WriteToUDPAddrPort(b, from)
				return err
			}}
			clients = map[string]*session{from.String(): s}
		}
		s.send(t.answer(s, f), t.opt.PacketGap)
	}
}

func (t *Terminal) used(s *session) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return s.used
}

// leave frees the terminal's one session.
func (t *Terminal) leave(s *session) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.active == s {
		t.active = nil
		t.enable() // a terminal whose client is gone goes back to work
	}
}

func ignoreClosed(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// session is one client's.
type session struct {
	id         uint16
	udp        bool
	authorized bool
	used       bool   // anything but connecting was asked
	mask       uint32 // events asked for
	read       []byte // opened by a buffered read
	upload     []byte // what the client is sending
	announced  int    // how much it said that would be
	write      func(frame.Frame) []byte
	out        func([]byte) error

	mu sync.Mutex // one answer at a time, events between them
}

// send writes frames. A gap, if asked for, separates the announcement of data
// from the data, and these from the next answer; data and what ends it stay
// together.
func (s *session) send(fs []frame.Frame, gap time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var pending []byte
	for i, f := range fs {
		pending = append(pending, s.write(f)...)
		more := i+1 < len(fs)
		if more && !s.udp && (gap == 0 || f.Cmd != frame.CmdPrepareData) {
			continue
		}
		if err := s.out(pending); err != nil {
			return // the reading side notices
		}
		pending = pending[:0]
		if len(fs) > 1 && gap > 0 {
			<-time.After(gap)
		}
	}
}
