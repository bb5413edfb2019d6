package uhpposim

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"golang.org/x/sync/errgroup"

	"doorsync/firmware-bridge/uhppote/packet"
)

// patience is how long a TCP client may take for its request and our answer.
const patience = 5 * time.Second

// Listen binds UDP and TCP to one address; with port 0 it finds a port that is
// free for both.
func (c *Controller) Listen(addr string) error {
	var err error
	for range 16 {
		if err = c.bind(addr); err == nil {
			return nil
		}
		if _, port, e := net.SplitHostPort(addr); e != nil || port != "0" {
			break
		}
	}
	return fmt.Errorf("listen on %s: %w", addr, err)
}

func (c *Controller) bind(addr string) error {
	tcp, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp4", addr)
	if err != nil {
		return err
	}
	at, err := net.ResolveUDPAddr("udp4", tcp.Addr().String())
	if err != nil {
		return errors.Join(err, tcp.Close())
	}
	udp, err := net.ListenUDP("udp4", at)
	if err != nil {
		return errors.Join(err, tcp.Close())
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tcp, c.udp = tcp, udp
	return nil
}

// Addr is where the controller listens, for UDP and TCP alike.
func (c *Controller) Addr() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.tcp == nil {
		return ""
	}
	return c.tcp.Addr().String()
}

// Run answers requests until ctx ends. Listen comes first.
func (c *Controller) Run(ctx context.Context) error {
	c.mu.Lock()
	tcp, udp := c.tcp, c.udp
	c.mu.Unlock()
	if tcp == nil {
		return fmt.Errorf("run the controller: %w", ErrNotBound)
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		<-ctx.Done()
		return errors.Join(notClosed(tcp.Close()), notClosed(udp.Close()))
	})
	g.Go(func() error { return c.datagrams(ctx, udp) })
	g.Go(func() error { return c.accept(ctx, g, tcp) })
	return g.Wait()
}

// datagrams answers one request after the other, as a controller does.
func (c *Controller) datagrams(ctx context.Context, udp *net.UDPConn) error {
	b := make([]byte, 2048)
	for {
		n, from, err := udp.ReadFromUDPAddrPort(b)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			continue // Windows tells of a client that is gone here
		}
		reply, ok := c.answer(b[:n])
		if !ok {
			continue
		}
		c.pause(ctx.Done())
		if _, err := udp.WriteToUDPAddrPort(reply[:], from); err != nil && ctx.Err() == nil {
			c.opt.Logger.Debug("answer not sent", "client", from, "error", err)
		}
	}
}

func (c *Controller) accept(ctx context.Context, g *errgroup.Group, tcp net.Listener) error {
	for {
		conn, err := tcp.Accept()
		if ctx.Err() != nil || errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("accept client: %w", err)
		}
		g.Go(func() error {
			c.stream(ctx, conn)
			return nil
		})
	}
}

// stream answers the one request of a connection.
func (c *Controller) stream(ctx context.Context, conn net.Conn) {
	defer func() { _ = conn.Close() }()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return
	}
	var b [packet.Size]byte
	if _, err := io.ReadFull(conn, b[:]); err != nil {
		return
	}
	reply, ok := c.answer(b[:])
	if !ok {
		_, _ = io.Copy(io.Discard, conn) // until the client gives up
		return
	}
	c.pause(ctx.Done())
	_, _ = conn.Write(reply[:]) // a client that is gone asks again
}

func notClosed(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}
