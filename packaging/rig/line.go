package rig

import (
	"context"
	"fmt"
	"io"
	"net"
	"sync"

	"golang.org/x/sync/errgroup"
)

// Line is a wide-area line to one address: a TCP proxy that can be cut. Cut, it
// is silent, as a dead line is: what is sent into it goes nowhere, and nobody
// is told. Healed, connections that both ends still hold go on.
type Line struct {
	listener net.Listener
	target   string

	mu   sync.Mutex
	open chan struct{} // closed while the line is up
	up   bool
}

// NewLine makes a line to target; it carries nothing until Run.
func NewLine(target string) (*Line, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("open line: %w", err)
	}
	open := make(chan struct{})
	close(open)
	return &Line{listener: l, target: target, open: open, up: true}, nil
}

// Addr is where the near end connects to.
func (l *Line) Addr() string { return l.listener.Addr().String() }

// Cut makes the line silent.
func (l *Line) Cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.up {
		l.up, l.open = false, make(chan struct{})
	}
}

// Heal brings the line back.
func (l *Line) Heal() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.up {
		l.up = true
		close(l.open)
	}
}

// Run carries connections until ctx ends.
func (l *Line) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		<-ctx.Done()
		return l.listener.Close()
	})
	g.Go(func() error {
		for {
			near, err := l.listener.Accept()
			if err != nil {
				if ctx.Err() != nil {
					return nil
				}
				return fmt.Errorf("line: %w", err)
			}
			g.Go(func() error {
				l.carry(ctx, near)
				return nil
			})
		}
	})
	return g.Wait()
}

// carry joins one connection with a new one to the target, until either ends.
func (l *Line) carry(ctx context.Context, near net.Conn) {
	defer near.Close()
	if l.wait(ctx) != nil {
		return
	}
	far, err := (&net.Dialer{}).DialContext(ctx, "tcp", l.target)
	if err != nil {
		return // the near end sees its connection closed
	}
	defer far.Close()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { near.Close(); far.Close() })
	defer stop()
	var g sync.WaitGroup
	g.Go(func() { l.copy(ctx, far, near); cancel() })
	g.Go(func() { l.copy(ctx, near, far); cancel() })
	g.Wait()
}

// copy passes bytes on while the line is up, and the end as well: a cut line
// does not tell that the other side has hung up.
func (l *Line) copy(ctx context.Context, to io.Writer, from io.Reader) {
	buffer := make([]byte, 64<<10)
	for {
		n, err := from.Read(buffer)
		if l.wait(ctx) != nil {
			return
		}
		if n > 0 {
			if _, err := to.Write(buffer[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

func (l *Line) wait(ctx context.Context) error {
	l.mu.Lock()
	open := l.open
	l.mu.Unlock()
	select {
	case <-open:
		return ctx.Err()
	case <-ctx.Done():
		return ctx.Err()
	}
}
