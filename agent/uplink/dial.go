package uplink

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"time"
)

// How a broker is called. A call into a dead line is not answered at all, and
// one that is dropped there does not know when the line is back; so while one
// call waits, the next is begun, and the first to be answered is kept.
const (
	callEvery   = 500 * time.Millisecond
	callPending = 5 * time.Second
)

// dialer opens one connection.
type dialer func(ctx context.Context, address string) (net.Conn, error)

// plainDialer notices a dead line in seconds, where the system can.
func plainDialer() dialer {
	d := net.Dialer{
		Timeout:         callPending,
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 5 * time.Second, Interval: 2 * time.Second, Count: 3},
		Control:         noticeDeadLine,
	}
	return func(ctx context.Context, address string) (net.Conn, error) {
		return d.DialContext(ctx, "tcp", address)
	}
}

type dialed struct {
	conn net.Conn
	err  error
}

// call dials until one call is answered, one fails outright, or all have waited
// too long.
func (d dialer) call(ctx context.Context, address string) (net.Conn, error) {
	ctx, cancel := context.WithCancel(ctx)
	answers := make(chan dialed)
	calls := 0
	begin := func() {
		calls++
		go func() {
			conn, err := d(ctx, address)
			answers <- dialed{conn, err}
		}()
	}
	defer func() {
		cancel()
		for ; calls > 0; calls-- { // those not kept
			if a := <-answers; a.conn != nil {
				_ = a.conn.Close()
			}
		}
	}()
	begin()
	next := time.NewTimer(jitter(callEvery))
	defer next.Stop()
	given := time.NewTimer(callPending)
	defer given.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case a := <-answers:
			calls--
			return a.conn, a.err
		case <-next.C:
			begin()
			next.Reset(jitter(callEvery))
		case <-given.C:
			return nil, fmt.Errorf("%s: %w", address, errNoAnswer)
		}
	}
}

var errNoAnswer = errors.New("no answer")

func jitter(d time.Duration) time.Duration { return d/2 + rand.N(d) }
