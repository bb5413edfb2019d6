package zk_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"doorsync/firmware-bridge/driver"
	zksim "doorsync/firmware-bridge/sim/zk"
	"doorsync/firmware-bridge/zk"
	"doorsync/protocol"
)

func config(sim *zksim.Terminal) driver.Config {
	return driver.Config{Name: "front", Driver: "zk", Address: sim.Addr(), Timeout: 2 * time.Second}
}

func connect(t *testing.T, cfg driver.Config) driver.Session {
	t.Helper()
	d, err := zk.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	s, err := d.Open(t.Context())
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestNewReportsAllFaults(t *testing.T) {
	_, err := zk.New(driver.Config{
		Name: "front", Network: "serial", Password: "12x4", Doors: map[int][]string{1: {"staff"}},
		Options: map[string]any{"charset": "klingon", "colour": "red", "users": "64byte", "fingerprints": true},
	})
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{"front", "address", "serial", "communication key", "door", "klingon", "colour", "64byte", "true"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in the report:\n%v", want, err)
		}
	}
	if strings.Contains(err.Error(), "12x4") {
		t.Error("the report shows the key")
	}
}

func TestOpen(t *testing.T) {
	sim := terminal(t, zksim.Options{Key: 1234, Serial: "ABC123", Model: "Front", UserCapacity: 50})
	cfg := config(sim)
	for _, key := range []string{"", "4321"} {
		cfg.Password = key
		d, err := zk.New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := d.Open(t.Context()); !errors.Is(err, driver.ErrAuth) {
			t.Errorf("key %q: %v; want ErrAuth", key, err)
		}
	}
	cfg.Password = "1234"
	s := connect(t, cfg)
	want := driver.Info{Model: "Front", Serial: "ABC123", Firmware: "Ver 6.60 Sim", Users: 0, Capacity: 50}
	if s.Info() != want {
		t.Errorf("info %+v; want %+v", s.Info(), want)
	}
	cfg.Timeout = 100 * time.Millisecond
	d, err := zk.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Open(t.Context()); !errors.Is(err, driver.ErrBusy) {
		t.Errorf("a second client: %v; want ErrBusy", err)
	}
}

// What the terminal holds of a user beyond what is synced stays when the user
// is written: rank, group, time zones, and the junk after a short PIN.
func TestPutKeepsWhatIsNotOurs(t *testing.T) {
	sim := terminal(t, zksim.Options{})
	if err := sim.Enroll(zksim.Person{ID: "4", Name: "Anna", PIN: "1", Privilege: 14}); err != nil {
		t.Fatal(err)
	}
	s := connect(t, config(sim))
	rows, err := s.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	rows[0].User.Values[protocol.FieldName] = protocol.Text("Anna Meyer")
	rows[0].User.Values[protocol.FieldState] = protocol.Text(protocol.StateInactive)
	if _, err := s.Put(t.Context(), rows); err != nil {
		t.Fatal(err)
	}
	if p := sim.List()[0]; p.Privilege != 14 || p.Name != "Anna Meyer" || !p.Disabled || p.UID != 1 {
		t.Errorf("the terminal has %+v", p)
	}
}

// Somebody enrolled at the terminal after the table was read is not
// overwritten by the next new user.
func TestPutNeverTakesATakenSlot(t *testing.T) {
	sim := terminal(t, zksim.Options{})
	s := connect(t, config(sim))
	if _, err := s.List(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := sim.Enroll(zksim.Person{ID: "100", Name: "At the door"}); err != nil {
		t.Fatal(err)
	}
	rows, _ := s.(driver.Projector).Project(protocol.User{ID: "200"})
	if _, err := s.Put(t.Context(), rows); err != nil {
		t.Fatal(err)
	}
	if got := sim.List(); len(got) != 2 || got[0].ID != "100" || got[1].ID != "200" {
		t.Errorf("the terminal has %+v", got)
	}
}

func TestPutIntoAFullTerminal(t *testing.T) {
	sim := terminal(t, zksim.Options{UserCapacity: 2})
	s := connect(t, config(sim))
	var rows []driver.Row
	for i := range 3 {
		r, _ := s.(driver.Projector).Project(protocol.User{ID: fmt.Sprint(i + 1)})
		rows = append(rows, r...)
	}
	res, err := s.Put(t.Context(), rows)
	if err != nil || res[0] != nil || res[1] != nil || !errors.Is(res[2], driver.ErrFull) {
		t.Errorf("results %v, %v; want the third full", res, err)
	}
	if sim.Disabled() {
		t.Error("the terminal is still locked")
	}
	sim.SetFault(zksim.FaultRefuseWrites)
	if res, err := s.Put(t.Context(), rows[:1]); err != nil || !errors.Is(res[0], driver.ErrRefused) {
		t.Errorf("results %v, %v; want refused", res, err)
	}
	if sim.Disabled() {
		t.Error("the terminal is still locked after a refusal")
	}
}

func TestBadTablesAreNoTables(t *testing.T) {
	for name, fault := range map[string]zksim.Fault{
		"half": zksim.FaultHalfTable, "fewer": zksim.FaultFewer, "garbage": zksim.FaultGarbage, "silent": zksim.FaultSilent,
	} {
		for _, users := range []int{3, 100} {
			t.Run(fmt.Sprintf("%s_%d", name, users), func(t *testing.T) {
				sim := terminal(t, zksim.Options{})
				for i := range users {
					p := zksim.Person{ID: fmt.Sprint(i + 1), Name: "User", Fingers: map[uint8][]byte{1: zksim.NewTemplate("10", uint64(i), 60)}}
					if err := sim.Enroll(p); err != nil {
						t.Fatal(err)
					}
				}
				cfg := config(sim)
				cfg.Timeout = 200 * time.Millisecond
				s := connect(t, cfg)
				sim.SetFault(fault)
				rows, err := s.List(t.Context())
				if err == nil || rows != nil {
					t.Fatalf("%d rows, %v; want none and an error", len(rows), err)
				}
				if fault != zksim.FaultSilent && !errors.Is(err, driver.ErrIncomplete) {
					t.Errorf("%v; want ErrIncomplete", err)
				}
				sim.SetFault(zksim.FaultNone)
				if rows, err := s.List(t.Context()); err != nil || len(rows) != users {
					t.Errorf("afterwards: %d rows, %v", len(rows), err)
				}
			})
		}
	}
}

func TestWatch(t *testing.T) {
	for _, network := range []string{"tcp", "udp"} {
		t.Run(network, func(t *testing.T) {
			sim := terminal(t, zksim.Options{})
			cfg := config(sim)
			cfg.Network = network
			s := connect(t, cfg)
			notices := make(chan driver.Notice, 16)
			ctx, cancel := context.WithCancel(t.Context())
			var wg sync.WaitGroup
			wg.Go(func() { _ = s.(driver.Watcher).Watch(ctx, func(n driver.Notice) { notices <- n }) })
			defer wg.Wait()
			defer cancel()
			tpl := zksim.NewTemplate("10", 1, 400)
			if err := sim.Enroll(zksim.Person{ID: "4", Name: "Anna", Fingers: map[uint8][]byte{6: tpl}}); err != nil {
				t.Fatal(err)
			}
			for _, want := range []string{"user enrolled", "finger 6 enrolled"} {
				if n := <-notices; n.Kind != driver.NoticeChanged || n.Key != "4" || n.Detail != want {
					t.Errorf("got %+v; want %s", n, want)
				}
			}
			rows, err := s.(driver.Getter).Get(t.Context(), []string{"4", "5"})
			if err != nil || len(rows) != 1 || !bytes.Equal(rows[0].User.Credentials[0].Template, tpl) {
				t.Errorf("get: %v, %v", rows, err)
			}
			if err := sim.Present("4"); err != nil {
				t.Fatal(err)
			}
			if n := <-notices; n.Kind != driver.NoticeEntered || n.Key != "4" || n.At.IsZero() {
				t.Errorf("got %+v; want attendance", n)
			}
		})
	}
}

// After an enrollment the rows of one user cost the user table and a few
// single templates, not all templates; what came must still add up.
func TestGetAsksForSingleTemplates(t *testing.T) {
	sim := terminal(t, zksim.Options{})
	for i := range 50 {
		p := zksim.Person{ID: fmt.Sprint(i + 1), Fingers: map[uint8][]byte{0: zksim.NewTemplate("10", uint64(i), 400), 1: zksim.NewTemplate("10", uint64(1000+i), 400)}}
		if err := sim.Enroll(p); err != nil {
			t.Fatal(err)
		}
	}
	s := connect(t, config(sim))
	if _, err := s.List(t.Context()); err != nil {
		t.Fatal(err)
	}
	fresh := zksim.NewTemplate("10", 5000, 500)
	if err := sim.AddFinger("7", 5, fresh); err != nil {
		t.Fatal(err)
	}
	rows, err := s.(driver.Getter).Get(t.Context(), []string{"7"})
	if err != nil || len(rows) != 1 || len(rows[0].User.Credentials) != 3 {
		t.Fatalf("get: %v, %v", rows, err)
	}
	all, err := s.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range all {
		if r.Key == "7" && !r.Equal(rows[0]) {
			t.Error("the row alone is not the row in the table")
		}
	}
}

func TestReadLog(t *testing.T) {
	sim := terminal(t, zksim.Options{OplogCapacity: 8})
	s := connect(t, config(sim))
	l := s.(driver.Logger)
	read := func(cursor []byte) driver.Log {
		t.Helper()
		log, err := l.ReadLog(t.Context(), cursor)
		if err != nil {
			t.Fatal(err)
		}
		return log
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	start := read(nil)
	must(sim.Enroll(zksim.Person{ID: "4", PIN: "1234"}))
	must(sim.Edit("4", func(p *zksim.Person) { p.Name, p.PIN = "Anna", "" }))
	log := read(start.Cursor)
	var details []string
	for _, n := range log.Notices {
		details = append(details, n.Detail)
	}
	want := "user enrolled, password enrolled, password deleted, user changed"
	if got := strings.Join(details, ", "); got != want || log.Gap != "" {
		t.Errorf("got %s (gap %q); want %s", got, log.Gap, want)
	}
	if again := read(log.Cursor); len(again.Notices) != 0 || again.Gap != "" {
		t.Errorf("nothing happened: %+v", again)
	}
	for range 8 {
		must(sim.Edit("4", func(p *zksim.Person) { p.Card++ }))
	}
	if wrapped := read(log.Cursor); wrapped.Gap == "" {
		t.Error("the log has wrapped around and there is no gap")
	}
	log = read(nil)
	must(sim.ClearOplog())
	if cleared := read(log.Cursor); cleared.Gap == "" {
		t.Error("the log was cleared and there is no gap")
	}
}

func TestSetTime(t *testing.T) {
	sim := terminal(t, zksim.Options{})
	s := connect(t, config(sim))
	at := time.Date(2031, 5, 4, 3, 2, 1, 0, time.Local)
	if err := s.(driver.Clock).SetTime(t.Context(), at); err != nil {
		t.Fatal(err)
	}
	if d := sim.Clock().Sub(at); d < 0 || d > 5*time.Second {
		t.Errorf("the terminal's clock is off by %v", d)
	}
}

// A caller that gives up in the middle of a write leaves an unlocked terminal.
func TestCanceledPutUnlocks(t *testing.T) {
	sim := terminal(t, zksim.Options{})
	s := connect(t, config(sim))
	var rows []driver.Row
	for i := range 2000 {
		r, _ := s.(driver.Projector).Project(protocol.User{ID: fmt.Sprint(i + 1)})
		rows = append(rows, r...)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := s.Put(ctx, rows); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("put: %v", err)
	}
	if err := s.(driver.Pinger).Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	if sim.Disabled() {
		t.Error("the terminal is still locked")
	}
	if res, err := s.Put(t.Context(), rows); err != nil || errors.Join(res...) != nil {
		t.Errorf("the next put: %v, %v", err, errors.Join(res...))
	}
	if got := len(sim.List()); got != len(rows) {
		t.Errorf("the terminal has %d users, want %d", got, len(rows))
	}
}

// A full terminal is read in one buffered read.
func TestFullTable(t *testing.T) {
	sim := terminal(t, zksim.Options{})
	s := connect(t, config(sim))
	var rows []driver.Row
	for i := range 10000 {
		r, _ := s.(driver.Projector).Project(protocol.User{
			ID: fmt.Sprint(i + 1), Values: map[protocol.Field]protocol.Value{protocol.FieldName: protocol.Text(fmt.Sprintf("User %d", i))},
			Credentials: []protocol.Credential{protocol.Card(uint64(i + 1))},
		})
		rows = append(rows, r...)
	}
	begun := time.Now()
	if res, err := s.Put(t.Context(), rows); err != nil || errors.Join(res...) != nil {
		t.Fatalf("put: %v, %v", err, errors.Join(res...))
	}
	wrote := time.Since(begun)
	before := sim.Requests()
	begun = time.Now()
	got, err := s.List(t.Context())
	if err != nil || len(got) != len(rows) {
		t.Fatalf("%d rows, %v", len(got), err)
	}
	if n := sim.Requests() - before; n > 20 {
		t.Errorf("reading took %d requests", n)
	}
	t.Logf("10000 users: written in %v, read in %v", wrote, time.Since(begun))
}
