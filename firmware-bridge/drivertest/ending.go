package drivertest

import (
	"context"
	"errors"
	"net"
	"testing"
	"time"

	"doorsync/firmware-bridge/driver"
	"doorsync/firmware-bridge/transport/faulty"
)

// prompt is how soon a canceled operation must return.
const prompt = time.Second

// ending examines how sessions end: closed, canceled, or with a dead reader.
func ending(t *testing.T, c Case) {
	t.Run("closed", func(t *testing.T) { closed(t, c) })
	t.Run("canceled_before", func(t *testing.T) {
		_, s := fresh(t, c)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := s.List(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("list with a canceled context: %v; want context canceled", err)
		}
		if _, err := s.Put(ctx, project(t, s, c.Users[0])); !errors.Is(err, context.Canceled) {
			t.Errorf("put with a canceled context: %v; want context canceled", err)
		}
	})
	t.Run("canceled_while_waiting", func(t *testing.T) { canceledWaiting(t, c) })
	t.Run("close_on_a_dead_line", func(t *testing.T) {
		p, s := behind(t, c, faulty.Plan{})
		p.Mute(true)
		within(t, "close", 5*time.Second, func() { _ = s.Close() })
	})
	t.Run("nobody_there", func(t *testing.T) { nobodyThere(t, c) })
}

func closed(t *testing.T, c Case) {
	_, s := fresh(t, c)
	rows := project(t, s, c.Users[0])
	for i := range 2 {
		if err := s.Close(); err != nil {
			t.Errorf("close no. %d: %v", i+1, err)
		}
	}
	_, errList := s.List(soon(t))
	_, errPut := s.Put(soon(t), rows)
	_, errDelete := s.Delete(soon(t), keys(rows))
	for what, err := range map[string]error{"list": errList, "put": errPut, "delete": errDelete} {
		if !errors.Is(err, driver.ErrClosed) {
			t.Errorf("%s after close: %v; want driver.ErrClosed", what, err)
		}
	}
}

func canceledWaiting(t *testing.T, c Case) {
	p, s := behind(t, c, faulty.Plan{})
	rows := project(t, s, c.Users[0])
	p.Mute(true)
	for what, f := range map[string]func(context.Context) error{
		"list": func(ctx context.Context) error { _, err := s.List(ctx); return err },
		"put":  func(ctx context.Context) error { _, err := s.Put(ctx, rows); return err },
	} {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(20*time.Millisecond, cancel)
		within(t, "canceled "+what, prompt, func() {
			if f(ctx) == nil {
				t.Errorf("%s on a silent line came back without error", what)
			}
		})
	}
}

func nobodyThere(t *testing.T, c Case) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	free := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	within(t, "open where nobody listens", patience, func() {
		if s, err := c.New(t, free).Open(soon(t)); err == nil {
			_ = s.Close()
			t.Error("open where nobody listens: no error")
		}
	})
	b := c.Start(t)
	p := line(t, c, b, faulty.Plan{})
	p.Mute(true)
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(20*time.Millisecond, cancel)
	within(t, "canceled open", prompt, func() {
		if s, err := c.New(t, p.Address()).Open(ctx); err == nil {
			_ = s.Close()
			t.Error("open of a silent reader: no error")
		}
	})
}

// line puts a bad line before a reader.
func line(t *testing.T, c Case, b Bench, plan faulty.Plan) *faulty.Proxy {
	t.Helper()
	p, err := faulty.Listen(c.Network, b.Address, plan)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	return p
}

// behind opens a session with a fresh reader behind a line.
func behind(t *testing.T, c Case, plan faulty.Plan) (*faulty.Proxy, driver.Session) {
	t.Helper()
	p := line(t, c, c.Start(t), plan)
	return p, open(t, c.New(t, p.Address()))
}

func within(t *testing.T, what string, limit time.Duration, f func()) {
	t.Helper()
	start := time.Now()
	f()
	if took := time.Since(start); took > limit {
		t.Errorf("%s took %v; the limit is %v", what, took.Round(time.Millisecond), limit)
	}
}
