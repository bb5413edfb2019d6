package uhppote_test

import (
	"context"
	"errors"
	"net"
	"testing"
	"time"

	"doorsync/firmware-bridge/driver"
	uhpposim "doorsync/firmware-bridge/sim/uhppote"
	"doorsync/firmware-bridge/uhppote/packet"
	"doorsync/protocol"
)

// opened is a session with all that a controller can do.
type opened interface {
	driver.Session
	driver.Projector
	driver.Logger
	driver.Getter
	driver.Clock
}

func session(t testing.TB, c driver.Config) opened {
	t.Helper()
	s, err := newDriver(t, c).Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s.(opened)
}

func row(t testing.TB, p driver.Projector, u protocol.User) driver.Row {
	t.Helper()
	rows, left := p.Project(u)
	if len(rows) != 1 {
		t.Fatalf("user %s: %d rows, left out %v", u.ID, len(rows), left)
	}
	return rows[0]
}

func readLog(t *testing.T, s driver.Logger, cursor []byte) driver.Log {
	t.Helper()
	log, err := s.ReadLog(t.Context(), cursor)
	if err != nil {
		t.Fatal(err)
	}
	return log
}

// watch returns what Watch tells, once the controller sends its events.
func watch(t *testing.T, s driver.Session, address string) <-chan driver.Notice {
	t.Helper()
	w, ok := s.(driver.Watcher)
	if !ok {
		t.Fatal("no Watcher although the configuration says where to listen")
	}
	ctx, cancel := context.WithCancel(context.Background())
	notices, ended := make(chan driver.Notice, 16), make(chan error, 1)
	go func() { ended <- w.Watch(ctx, func(n driver.Notice) { notices <- n }) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("watch: %v", err)
		}
	})
	awaitListener(t, address, ended)
	return notices
}

// awaitListener returns when the controller knows where to send events.
func awaitListener(t *testing.T, address string, ended chan error) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); <-time.After(5 * time.Millisecond) {
		select {
		case err := <-ended:
			t.Fatalf("watch: %v", err)
		default:
		}
		if hasListener(t, address) {
			return
		}
	}
	t.Fatal("the controller was not told where to send events")
}

// hasListener asks the controller whether it sends its events anywhere.
func hasListener(t *testing.T, address string) bool {
	t.Helper()
	conn, err := net.Dial("udp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(time.Second))
	req, b := packet.New(packet.OpGetListener, 405419896), make([]byte, packet.Size)
	if _, err := conn.Write(req[:]); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Read(b); err != nil {
		t.Fatal(err)
	}
	reply, err := packet.Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	return reply.Listener().Port() != 0
}

func TestWatchAndLog(t *testing.T) {
	sim := start(t, uhpposim.Options{})
	c := config("udp", sim.Addr())
	c.Options["listen"] = "0.0.0.0:0"
	s := session(t, c)
	notices := watch(t, s, sim.Addr())
	before := readLog(t, s, nil)
	if _, err := sim.Swipe(77, 2, 0); err != nil {
		t.Fatal(err)
	}
	sim.PowerOn()
	first, second := <-notices, <-notices
	if first.Kind != driver.NoticeUnknown || first.Key != "card:77" {
		t.Errorf("an unknown card: %+v", first)
	}
	if second.Kind != driver.NoticeChanged {
		t.Errorf("a controller switched on: %+v", second)
	}
	if log := readLog(t, s, before.Cursor); len(log.Notices) != 2 || log.Notices[0] != first || log.Notices[1] != second {
		t.Errorf("the log says %+v; live events said %+v and %+v", log.Notices, first, second)
	}
}

func TestNoListenerNoWatcher(t *testing.T) {
	s := session(t, config("udp", start(t, uhpposim.Options{}).Addr()))
	if _, ok := s.(driver.Watcher); ok {
		t.Error("a Watcher with nowhere to listen")
	}
}

func TestLogLosses(t *testing.T) {
	swipes := func(t *testing.T, sim *uhpposim.Controller, n int) {
		for range n {
			if _, err := sim.Swipe(77, 1, 0); err != nil {
				t.Fatal(err)
			}
		}
	}
	for name, c := range map[string]struct {
		before, after int
		clear         bool
		events        int
		gap           bool
	}{
		"nothing_happened":      {before: 3},
		"from_an_empty_log":     {after: 4, events: 4},
		"just_not_overwritten":  {before: 1, after: 10, events: 10},
		"overwritten":           {before: 5, after: 25, events: 10, gap: true},
		"empty_and_overwritten": {after: 12, events: 10, gap: true},
		"cleared":               {before: 5, clear: true, gap: true},
		"cleared_and_refilled":  {before: 5, clear: true, after: 7, events: 7, gap: true},
		"cleared_and_fewer":     {before: 5, clear: true, after: 2, events: 2, gap: true},
	} {
		t.Run(name, func(t *testing.T) {
			now := time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)
			sim := start(t, uhpposim.Options{EventCapacity: 10, Now: func() time.Time { now = now.Add(time.Second); return now }})
			s := session(t, config("udp", sim.Addr()))
			swipes(t, sim, c.before)
			cursor := readLog(t, s, nil).Cursor
			if c.clear {
				sim.ClearEvents()
			}
			swipes(t, sim, c.after)
			log := readLog(t, s, cursor)
			if len(log.Notices) != c.events || (log.Gap != "") != c.gap {
				t.Errorf("%d events, gap %q; want %d, gap %v", len(log.Notices), log.Gap, c.events, c.gap)
			}
			if again := readLog(t, s, log.Cursor); len(again.Notices) != 0 || again.Gap != "" {
				t.Errorf("read on: %d events, gap %q; want none", len(again.Notices), again.Gap)
			}
		})
	}
}

func TestLongLogComesInParts(t *testing.T) {
	sim := start(t, uhpposim.Options{EventCapacity: 3000})
	s := session(t, config("udp", sim.Addr()))
	cursor := readLog(t, s, nil).Cursor
	for range 2500 {
		if _, err := sim.Swipe(77, 1, 0); err != nil {
			t.Fatal(err)
		}
	}
	total := 0
	for range 4 {
		log := readLog(t, s, cursor)
		if log.Gap != "" {
			t.Fatal(log.Gap)
		}
		total, cursor = total+len(log.Notices), log.Cursor
	}
	if total != 2500 {
		t.Errorf("%d events of 2500", total)
	}
}

func TestShortTableIsNone(t *testing.T) {
	sim := start(t, uhpposim.Options{})
	s := session(t, config("udp", sim.Addr()))
	for n := range uint32(5) {
		if err := sim.PutCard(packet.Card{Number: 100 + n, From: 20260101, To: 20261231}); err != nil {
			t.Fatal(err)
		}
	}
	sim.SetFault(uhpposim.Fault{Missing: 1})
	if rows, err := s.List(t.Context()); !errors.Is(err, driver.ErrIncomplete) || rows != nil {
		t.Errorf("%d rows, %v; want none and driver.ErrIncomplete", len(rows), err)
	}
	sim.SetFault(uhpposim.Fault{})
	if rows, err := s.List(t.Context()); err != nil || len(rows) != 5 {
		t.Errorf("%d rows, %v; want 5", len(rows), err)
	}
}

// TestUndatedCardEqualsNoWish: what a controller does with a card without dates
// is not known, so such a row must differ from every row that is wanted.
func TestUndatedCardEqualsNoWish(t *testing.T) {
	sim := start(t, uhpposim.Options{})
	s := session(t, config("udp", sim.Addr()))
	want := row(t, s, user("1", []string{"staff"}, nil, 100))
	if err := sim.PutCard(packet.Card{Number: 100, Doors: [4]uint8{1, 1, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	rows, err := s.List(t.Context())
	if err != nil || len(rows) != 1 {
		t.Fatal(rows, err)
	}
	if rows[0].Equal(want) {
		t.Error("a card without dates passes for one that is always valid")
	}
	if _, err := s.Put(t.Context(), []driver.Row{want}); err != nil {
		t.Fatal(err)
	}
	if rows, err := s.Get(t.Context(), []string{"card:100", "card:101", "nonsense"}); err != nil || len(rows) != 1 || !rows[0].Equal(want) {
		t.Errorf("after writing it: %v, %v", rows, err)
	}
}

// TestTimeIsLocal: the controller's clock shows the time where it stands.
func TestTimeIsLocal(t *testing.T) {
	zone, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	sim := start(t, uhpposim.Options{Zone: zone})
	s := session(t, config("udp", sim.Addr()))
	cursor := readLog(t, s, nil).Cursor
	if err := s.SetTime(t.Context(), time.Date(2030, 7, 1, 12, 0, 0, 0, time.UTC)); err != nil {
		t.Fatal(err)
	}
	if _, err := sim.Swipe(77, 1, 0); err != nil {
		t.Fatal(err)
	}
	log := readLog(t, s, cursor)
	if len(log.Notices) != 1 || log.Notices[0].At.Sub(time.Date(2030, 7, 1, 12, 0, 0, 0, time.UTC)).Abs() > 5*time.Second {
		t.Errorf("events after setting the clock: %+v", log.Notices)
	}
}
