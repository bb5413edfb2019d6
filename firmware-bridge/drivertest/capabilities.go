package drivertest

import (
	"context"
	"errors"
	"testing"
	"time"

	"doorsync/firmware-bridge/driver"
)

// capabilities examines what only some readers can do, as far as it can be told
// without knowing the reader.
func capabilities(t *testing.T, c Case) {
	t.Run("info", func(t *testing.T) { info(t, c) })
	t.Run("get", func(t *testing.T) { get(t, c) })
	t.Run("clock_and_ping", func(t *testing.T) { clockAndPing(t, c) })
	t.Run("log", func(t *testing.T) { readLog(t, c) })
	t.Run("watch", func(t *testing.T) { watch(t, c) })
}

func info(t *testing.T, c Case) {
	b, s := fresh(t, c)
	i := s.Info()
	if i.Serial == "" || i.Model == "" {
		t.Errorf("info %+v; want a model and a serial number", i)
	}
	if i.Users > 0 {
		t.Errorf("info tells of %d users in an empty reader", i.Users)
	}
	rows := project(t, s, c.Users...)
	put(t, s, rows...)
	if err := s.Close(); err != nil {
		t.Fatalf("close: %v", err)
	}
	s = open(t, c.New(t, b.Address))
	if n := s.Info().Users; n >= 0 && n != len(rows) {
		t.Errorf("info tells of %d users; the reader holds %d rows", n, len(rows))
	}
}

func get(t *testing.T, c Case) {
	_, s := fresh(t, c)
	g, ok := s.(driver.Getter)
	if !ok {
		return
	}
	first, rest := project(t, s, c.Users[0]), project(t, s, c.Users[1:]...)
	put(t, s, rest...)
	ask := func(keys ...string) []driver.Row {
		rows, err := g.Get(soon(t), keys)
		if err != nil {
			t.Fatalf("get: %v", err)
		}
		return rows
	}
	same(t, "get of what is not there", ask(keys(first)...), nil)
	same(t, "get of some that are there", ask(append(keys(first), keys(rest)...)...), rest)
	put(t, s, first...)
	same(t, "get of what was put", ask(keys(first)...), first)
	if err := s.Close(); err != nil {
		t.Fatalf("close: %v", err)
	}
	if _, err := g.Get(soon(t), keys(first)); !errors.Is(err, driver.ErrClosed) {
		t.Errorf("get after close: %v; want driver.ErrClosed", err)
	}
}

func clockAndPing(t *testing.T, c Case) {
	_, s := fresh(t, c)
	if k, ok := s.(driver.Clock); ok {
		if err := k.SetTime(soon(t), time.Date(2026, 2, 28, 23, 59, 58, 0, time.Local)); err != nil {
			t.Errorf("set time: %v", err)
		}
	}
	p, ok := s.(driver.Pinger)
	if !ok {
		return
	}
	if err := p.Ping(soon(t)); err != nil {
		t.Errorf("ping: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatalf("close: %v", err)
	}
	if err := p.Ping(soon(t)); err == nil {
		t.Error("ping after close: no error")
	}
}

func readLog(t *testing.T, c Case) {
	_, s := fresh(t, c)
	l, ok := s.(driver.Logger)
	if !ok {
		return
	}
	log, err := l.ReadLog(soon(t), nil)
	if err != nil {
		t.Fatalf("read log from now on: %v", err)
	}
	if len(log.Notices) != 0 || log.Gap != "" || len(log.Cursor) == 0 {
		t.Fatalf("log from now on: %d notices, gap %q, cursor of %d bytes; want a cursor alone",
			len(log.Notices), log.Gap, len(log.Cursor))
	}
	again, err := l.ReadLog(soon(t), log.Cursor)
	if err != nil {
		t.Fatalf("read log again: %v", err)
	}
	if len(again.Notices) != 0 || again.Gap != "" {
		t.Errorf("nothing happened, yet the log has %d notices and gap %q", len(again.Notices), again.Gap)
	}
	if _, err := l.ReadLog(soon(t), []byte("no cursor of ours")); err == nil {
		return // taken as a gap is as good as an error
	}
	if _, err := l.ReadLog(soon(t), log.Cursor); err != nil {
		t.Errorf("read log after a bad cursor: %v", err)
	}
}

// watch examines that Watch runs beside other requests and ends with its
// context.
func watch(t *testing.T, c Case) {
	_, s := fresh(t, c)
	w, ok := s.(driver.Watcher)
	if !ok {
		return
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- w.Watch(ctx, func(driver.Notice) {}) }()
	rows := project(t, s, c.Users...)
	put(t, s, rows...)
	same(t, "the table while watching", list(t, s), rows)
	cancel()
	select {
	case err := <-ended:
		if err != nil && !errors.Is(err, context.Canceled) {
			t.Errorf("watch: %v", err)
		}
	case <-time.After(patience):
		t.Fatal("watch did not end with its context")
	}
	same(t, "the table after watching", list(t, s), rows)
}
