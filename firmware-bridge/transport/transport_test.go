package transport_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"doorsync/firmware-bridge/transport"
)

func TestWithPort(t *testing.T) {
	for in, want := range map[string]string{
		"192.168.1.5": "192.168.1.5:4370", "192.168.1.5:99": "192.168.1.5:99", "door.example": "door.example:4370",
		" door.example:7 ": "door.example:7", "::1": "[::1]:4370", "[::1]": "[::1]:4370", "[::1]:5": "[::1]:5",
		"": "", "tcp://door": "", ":4370": "", "door:": "", "door:no": "", "door:70000": "",
	} {
		got, err := transport.WithPort(in, 4370)
		if got != want || (err != nil) != (want == "") {
			t.Errorf("%q: %q, %v; want %q", in, got, err, want)
		}
	}
}

// echo answers everything with itself.
func echo(t *testing.T) string {
	t.Helper()
	l, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		b := make([]byte, 64)
		for {
			n, from, err := l.ReadFrom(b)
			if err != nil {
				return
			}
			if string(b[:n]) != "quiet" {
				_, _ = l.WriteTo(b[:n], from)
			}
		}
	}()
	t.Cleanup(func() {
		_ = l.Close()
		<-ended
	})
	return l.LocalAddr().String()
}

func TestTraceIsMaskedAndTheWireIsNot(t *testing.T) {
	var seen strings.Builder
	d := transport.Dialer{
		Trace: func(dir string, b []byte) { fmt.Fprintf(&seen, "%s%s ", dir, b) },
		Mask:  func(_ string, b []byte) []byte { b[0] = '*'; return b },
	}
	conn, err := d.Dial(t.Context(), "udp", echo(t))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	release, err := transport.Limit(t.Context(), conn, 5*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	b := make([]byte, 16)
	if _, err := conn.Write([]byte("secret")); err != nil {
		t.Fatal(err)
	}
	if n, err := conn.Read(b); err != nil || string(b[:n]) != "secret" {
		t.Errorf("read %q, %v", b[:n], err)
	}
	if seen.String() != ">*ecret <*ecret " {
		t.Errorf("trace %q", seen.String())
	}
}

func TestDialRefusesOtherNetworks(t *testing.T) {
	if _, err := (transport.Dialer{}).Dial(t.Context(), "unix", "x"); err == nil {
		t.Error("no error")
	}
}

func TestLimit(t *testing.T) {
	conn, err := transport.Dialer{}.Dial(t.Context(), "udp", echo(t))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	read := func(ctx context.Context, timeout time.Duration) error {
		release, err := transport.Limit(ctx, conn, timeout)
		if err != nil {
			t.Fatal(err)
		}
		defer release()
		_, err = conn.Read(make([]byte, 16))
		return transport.Cause(ctx, err)
	}
	if err := read(t.Context(), time.Millisecond); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a time-out: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if err := read(ctx, 0); !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the context's deadline: %v", err)
	}
	gone := errors.New("gone")
	ctx2, cancel2 := context.WithCancelCause(t.Context())
	time.AfterFunc(5*time.Millisecond, func() { cancel2(gone) })
	if err := read(ctx2, 0); !errors.Is(err, gone) {
		t.Errorf("canceled: %v", err)
	}
	// None of it strikes what comes after.
	if _, err := conn.Write([]byte("hello")); err != nil {
		t.Fatal(err)
	}
	if err := read(t.Context(), 5*time.Second); err != nil {
		t.Errorf("after all that: %v", err)
	}
}
