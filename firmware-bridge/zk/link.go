package zk

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"doorsync/firmware-bridge/driver"
	"doorsync/firmware-bridge/transport"
	"doorsync/firmware-bridge/zk/frame"
)

// udpTries is how often a datagram is sent before the terminal counts as gone.
const udpTries = 4

// link is one connection. Its one goroutine reads all frames and sorts live
// events from answers, since terminals mix them on one connection.
type link struct {
	conn    net.Conn
	udp     bool
	lenient bool
	timeout time.Duration
	trace   func(dir string, b []byte)
	onEvent func(frame.Frame)
	session atomic.Uint32
	done    chan struct{} // closed when the reading goroutine has ended

	writing sync.Mutex // whole frames go out

	mu      sync.Mutex // guards what is below
	waiting *waiter
	reply   uint16
	err     error // why the link ended
}

// waiter is a request under way.
type waiter struct {
	reply  uint16
	frames chan frame.Frame
	gone   chan struct{} // closed when nobody waits any more
}

func dial(ctx context.Context, d *Driver) (*link, error) {
	conn, err := transport.Dialer{Timeout: d.cfg.Timeout}.Dial(ctx, d.cfg.Network, d.cfg.Address)
	if err != nil {
		return nil, err
	}
	return &link{
		conn: conn, udp: d.cfg.Network == "udp", lenient: d.lenient, timeout: d.cfg.Timeout, trace: d.cfg.Trace,
		done: make(chan struct{}),
	}, nil
}

// run reads frames until the connection ends.
func (l *link) run() {
	defer close(l.done)
	buf := make([]byte, 64<<10)
	for {
		b, err := l.next(buf)
		if err != nil {
			l.fail(err)
			return
		}
		f, err := frame.Parse(b)
		l.show(transport.Received, b)
		switch {
		case errors.Is(err, frame.ErrChecksum) && l.lenient:
		case err != nil && l.udp:
			continue // a damaged datagram is a lost one
		case err != nil:
			l.fail(err)
			return
		}
		if f.Cmd == frame.CmdRegEvent {
			l.acknowledge()
			l.onEvent(f)
			continue
		}
		l.deliver(f)
	}
}

func (l *link) next(buf []byte) ([]byte, error) {
	if !l.udp {
		return frame.ReadTCP(l.conn)
	}
	n, err := l.conn.Read(buf)
	if err != nil {
		return nil, err
	}
	return append([]byte(nil), buf[:n]...), nil
}

// deliver hands an answer to the request it belongs to. What comes late, or
// twice, belongs to none.
func (l *link) deliver(f frame.Frame) {
	l.mu.Lock()
	w := l.waiting
	l.mu.Unlock()
	if w == nil || w.reply != f.Reply {
		return
	}
	select {
	case w.frames <- f:
	case <-w.gone:
	}
}

// fail ends the link for the reason given first.
func (l *link) fail(err error) {
	l.mu.Lock()
	if l.err == nil {
		l.err = err
	}
	l.mu.Unlock()
	_ = l.conn.Close() // whatever ended it, nothing more can be said
}

func (l *link) failure() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if errors.Is(l.err, driver.ErrClosed) {
		return l.err
	}
	return fmt.Errorf("connection lost: %w", l.err)
}

// expect registers the next request; connecting is number 0.
func (l *link) expect(cmd frame.Cmd) *waiter {
	l.mu.Lock()
	defer l.mu.Unlock()
	if cmd == frame.CmdConnect {
		l.reply = 0
	} else if l.reply++; l.reply == 0xFFFF {
		l.reply = 1 // 0 is what live events carry
	}
	l.waiting = &waiter{reply: l.reply, frames: make(chan frame.Frame, 64), gone: make(chan struct{})}
	return l.waiting
}

func (l *link) forget(w *waiter) {
	l.mu.Lock()
	defer l.mu.Unlock()
	close(w.gone)
	if l.waiting == w {
		l.waiting = nil
	}
}

// exchange sends a request and gives every frame of its answer to take, until
// take says that it has all. A datagram without an answer is sent again: every
// request is one that does no harm when it arrives twice.
func (l *link) exchange(ctx context.Context, cmd frame.Cmd, data []byte, take func(frame.Frame) (bool, error)) error {
	w := l.expect(cmd)
	defer l.forget(w)
	f := frame.Frame{Cmd: cmd, Session: uint16(l.session.Load()), Reply: w.reply, Data: data}
	tries := 1
	if l.udp {
		tries = udpTries
	}
	for range tries {
		if err := l.send(f); err != nil {
			return fmt.Errorf("%s: %w", cmd, err)
		}
		if done, err := l.await(ctx, w, l.timeout/time.Duration(tries), take); done || err != nil {
			if err != nil {
				return fmt.Errorf("%s: %w", cmd, err)
			}
			return nil
		}
	}
	return fmt.Errorf("%s: %w", cmd, errNoAnswer{l.timeout})
}

func (l *link) await(ctx context.Context, w *waiter, limit time.Duration, take func(frame.Frame) (bool, error)) (bool, error) {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	for {
		select {
		case f := <-w.frames:
			if done, err := take(f); done || err != nil {
				return done, err
			}
			timer.Reset(limit)
		case <-timer.C:
			return false, nil
		case <-ctx.Done():
			return false, context.Cause(ctx)
		case <-l.done:
			select {
			case f := <-w.frames: // it came before the end did
				if done, err := take(f); done || err != nil {
					return done, err
				}
			default:
				return false, l.failure()
			}
		}
	}
}

// call sends a request that one frame answers.
func (l *link) call(ctx context.Context, cmd frame.Cmd, data []byte) (frame.Frame, error) {
	var answer frame.Frame
	err := l.exchange(ctx, cmd, data, func(f frame.Frame) (bool, error) {
		answer = f
		return true, nil
	})
	return answer, err
}

// send writes one frame.
func (l *link) send(f frame.Frame) error {
	var b []byte
	if l.udp {
		b = f.Append(nil)
	} else {
		b = f.AppendTCP(nil)
	}
	l.show(transport.Sent, b[len(b)-8-len(f.Data):])
	l.writing.Lock()
	defer l.writing.Unlock()
	if err := l.conn.SetWriteDeadline(time.Now().Add(l.timeout)); err != nil {
		return l.broken(err)
	}
	if _, err := l.conn.Write(b); err != nil {
		return l.broken(err)
	}
	return nil
}

func (l *link) broken(err error) error {
	l.fail(err)
	return l.failure()
}

// acknowledge tells the terminal that its event came; a terminal that hears
// nothing sends it again.
func (l *link) acknowledge() {
	// An error ends the link, which whoever waits for an answer is told.
	_ = l.send(frame.Frame{Cmd: frame.AckOK, Session: uint16(l.session.Load())})
}

// close ends the link for good and waits for its goroutine.
func (l *link) close() {
	l.fail(driver.ErrClosed)
	l.mu.Lock()
	l.err = driver.ErrClosed // also when it was lost before
	l.mu.Unlock()
	<-l.done
}

// errNoAnswer is a terminal that stays silent.
type errNoAnswer struct{ after time.Duration }

func (e errNoAnswer) Error() string { return fmt.Sprintf("no answer within %s", e.after) }

// Timeout marks the error as a time-out, as net.Error does.
func (e errNoAnswer) Timeout() bool { return true }
