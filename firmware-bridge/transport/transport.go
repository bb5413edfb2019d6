// Package transport connects drivers to readers: TCP and UDP with a context,
// a time limit for each exchange and a trace of the bytes for the technician.
package transport

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"
)

// Directions as a trace names them.
const (
	Sent     = ">" // from us to the reader
	Received = "<" // from the reader to us
)

// DefaultDialTimeout is how long connecting may take if nothing else is said.
const DefaultDialTimeout = 5 * time.Second

// Dialer connects to readers. The zero Dialer works.
type Dialer struct {
	// Timeout is how long connecting may take, 0: DefaultDialTimeout.
	Timeout time.Duration
	// Trace, if set, is called with a copy of all bytes sent and received.
	Trace func(dir string, b []byte)
	// Mask, if set, hides secrets in the copy that Trace is given. It may
	// change its argument.
	Mask func(dir string, b []byte) []byte
}

// Dial connects to address over network ("tcp" or "udp").
func (d Dialer) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	if network != "tcp" && network != "udp" {
		return nil, fmt.Errorf("connect to %s: unknown network %q; use tcp or udp", address, network)
	}
	timeout := d.Timeout
	if timeout <= 0 {
		timeout = DefaultDialTimeout
	}
	nd := net.Dialer{Timeout: timeout}
	conn, err := nd.DialContext(ctx, network, address)
	if err != nil {
		return nil, fmt.Errorf("connect to %s: %w", address, err)
	}
	if d.Trace == nil {
		return conn, nil
	}
	return &traced{Conn: conn, trace: d.Trace, mask: d.Mask}, nil
}

// WithPort returns address with the port added if it has none.
func WithPort(address string, port int) (string, error) {
	a := strings.TrimSpace(address)
	if a == "" {
		return "", errors.New("no address; write host or host:port")
	}
	if strings.Contains(a, "://") {
		return "", fmt.Errorf("address %q: write host or host:port, without a scheme", address)
	}
	host, p, err := net.SplitHostPort(a)
	if err != nil {
		return net.JoinHostPort(strings.Trim(a, "[]"), fmt.Sprint(port)), nil
	}
	if host == "" {
		return "", fmt.Errorf("address %q has no host; write host:port", address)
	}
	if _, err := net.LookupPort("tcp", p); err != nil || p == "" {
		return "", fmt.Errorf("address %q: %q is no port", address, p)
	}
	return a, nil
}

// Limit bounds what is read and written on conn until release is called: by
// timeout (0: none), by the deadline of ctx, and by its cancellation, which
// ends a blocked Read or Write at once. release clears the deadline.
func Limit(ctx context.Context, conn net.Conn, timeout time.Duration) (release func(), err error) {
	var at time.Time
	if timeout > 0 {
		at = time.Now().Add(timeout)
	}
	if dl, ok := ctx.Deadline(); ok && (at.IsZero() || dl.Before(at)) {
		at = dl
	}
	if err := conn.SetDeadline(at); err != nil {
		return nil, fmt.Errorf("set deadline: %w", err)
	}
	done := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(done)
		// A deadline in the past ends what blocks; an error means that the
		// connection is closed, which ends it as well.
		_ = conn.SetDeadline(time.Unix(1, 0))
	})
	return func() {
		if !stop() {
			<-done // or it would strike the next exchange
		}
		_ = conn.SetDeadline(time.Time{})
	}, nil
}

// Cause returns why an exchange ended: the context's error if it is done,
// since the time-out on the wire is then only its shadow, and err otherwise.
func Cause(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}
