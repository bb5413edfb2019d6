package agent

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"doorsync/agent/config"
	"doorsync/agent/console"
	"doorsync/agent/journal"
	"doorsync/firmware-bridge/driver"
	"doorsync/protocol"
	"doorsync/protocol/wire"
)

// terminal is a reader in memory.
type terminal struct {
	mu     sync.Mutex
	rows   map[string]driver.Row
	notify func(driver.Notice)
}

func (d *terminal) Open(context.Context) (driver.Session, error) { return d, nil }
func (d *terminal) Info() driver.Info                            { return driver.Info{Serial: "T1", Model: "memory"} }
func (d *terminal) Close() error                                 { return nil }

func (d *terminal) List(context.Context) ([]driver.Row, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var out []driver.Row
	for _, r := range d.rows {
		out = append(out, r)
	}
	return out, nil
}

func (d *terminal) Get(_ context.Context, keys []string) ([]driver.Row, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var out []driver.Row
	for _, k := range keys {
		if r, ok := d.rows[k]; ok {
			out = append(out, r)
		}
	}
	return out, nil
}

func (d *terminal) Put(_ context.Context, rows []driver.Row) (driver.Results, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, r := range rows {
		d.rows[r.Key] = r
	}
	return make(driver.Results, len(rows)), nil
}

func (d *terminal) Delete(_ context.Context, keys []string) (driver.Results, error) {
	return make(driver.Results, len(keys)), nil
}

func (d *terminal) Project(u protocol.User) ([]driver.Row, []driver.LeftOut) {
	values := map[protocol.Field]protocol.Value{protocol.FieldName: protocol.Text(u.FullName())}
	return []driver.Row{{Key: u.ID, User: protocol.User{ID: u.ID, Values: values}}}, nil
}

func (d *terminal) Watch(ctx context.Context, notify func(driver.Notice)) error {
	d.mu.Lock()
	d.notify = notify
	d.mu.Unlock()
	<-ctx.Done()
	return ctx.Err()
}

// enroll adds somebody at the terminal, which tells of it if it is watched.
func (d *terminal) enroll(id, name string) {
	rows, _ := d.Project(protocol.User{ID: id, Values: map[protocol.Field]protocol.Value{protocol.FieldName: protocol.Text(name)}})
	d.mu.Lock()
	d.rows[id] = rows[0]
	notify := d.notify
	d.mu.Unlock()
	if notify != nil {
		notify(driver.Notice{Kind: driver.NoticeChanged, Key: id})
	}
}

// trial is a configured agent with two terminals and no center in reach.
type trial struct {
	*testing.T
	cfg         config.Config
	front, back *terminal
	client      *console.Client
}

func newTrial(t *testing.T) *trial {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, "agent.yaml")
	text := "site: LYON\ndata: " + filepath.ToSlash(filepath.Join(dir, "data")) + `
center: {broker: "mqtt://127.0.0.1:1"}
first-roster: 0s
readers:
  - {name: front, driver: memory, address: front}
  - {name: back, driver: memory, address: back}
`
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Load(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	return &trial{
		T: t, cfg: cfg, client: console.NewClient(Socket(cfg)),
		front: &terminal{rows: map[string]driver.Row{}}, back: &terminal{rows: map[string]driver.Row{}},
	}
}

func (r *trial) options() Options {
	return Options{Version: "1", Driver: func(c driver.Config) (driver.Driver, error) {
		if c.Name == "front" {
			return r.front, nil
		}
		return r.back, nil
	}}
}

// run starts the agent and returns how to stop it.
func (r *trial) run() (stop func() error) {
	r.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ran := make(chan error, 1)
	go func() { ran <- Run(ctx, r.cfg, r.options()) }()
	r.until("both readers are in sync", func() bool {
		states, err := r.client.Readers(ctx)
		return err == nil && states[0].State == wire.ReaderInSync && states[1].State == wire.ReaderInSync
	})
	return func() error {
		cancel()
		return <-ran
	}
}

func (r *trial) until(what string, is func() bool) {
	r.Helper()
	for end := time.Now().Add(10 * time.Second); !is(); runtime.Gosched() {
		if time.Now().After(end) {
			r.Fatalf("not within ten seconds: %s", what)
		}
	}
}

func TestWithoutTheCenter(t *testing.T) {
	r := newTrial(t)
	r.front.enroll("4", "Anna")
	stop := r.run()
	r.until("Anna is at the other reader", func() bool {
		rows, err := r.back.Get(t.Context(), []string{"4"})
		return err == nil && len(rows) == 1
	})
	r.back.enroll("5", "Ben")
	r.until("Ben is at the other reader", func() bool {
		rows, err := r.front.Get(t.Context(), []string{"5"})
		return err == nil && len(rows) == 1
	})
	results, err := r.client.Sync(t.Context(), console.SyncRequest{Reader: "front"})
	if err != nil || len(results) != 1 || results[0].State != wire.ReaderInSync || results[0].Users != 2 {
		t.Errorf("sync: %+v, %v", results, err)
	}
	if _, err := r.client.Sync(t.Context(), console.SyncRequest{Reader: "side"}); err == nil {
		t.Error("sync of a reader that does not exist: no error")
	}
	st, err := r.client.Status(t.Context())
	if err != nil || st.Mode != wire.ModeAllReaders || !strings.Contains(string(st.Center), "offline") {
		t.Errorf("status %+v, %v", st, err)
	}
	if err := Run(t.Context(), r.cfg, r.options()); !errors.Is(err, journal.ErrLocked) {
		t.Errorf("a second agent: %v", err)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
	if _, err := r.client.Status(t.Context()); !errors.Is(err, console.ErrNotRunning) {
		t.Errorf("after the stop: %v", err)
	}
	r.wantEnds(protocol.EventStarted, protocol.EventStopped)
	if err := r.run()(); err != nil { // and again
		t.Error(err)
	}
}

// wantEnds examines the first and the last entry of the journal.
func (r *trial) wantEnds(first, last protocol.Event) {
	r.Helper()
	j, err := journal.OpenReadOnly(r.cfg.Path(), JournalOptions(r.cfg, nil))
	if err != nil {
		r.Fatal(err)
	}
	var all []protocol.Event
	for e, err := range j.Entries(journal.Query{}) {
		if err != nil {
			r.Fatal(err)
		}
		all = append(all, e.Event)
	}
	if err := j.Close(); err != nil {
		r.Error(err)
	}
	if len(all) < 2 || all[0] != first || all[len(all)-1] != last {
		r.Errorf("the journal is %v", all)
	}
}

func TestDamagedJournal(t *testing.T) {
	r := newTrial(t)
	if err := os.MkdirAll(r.cfg.Data, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(r.cfg.Path(), []byte(strings.Repeat("garbage ", 4096)), 0o600); err != nil {
		t.Fatal(err)
	}
	err := Run(t.Context(), r.cfg, r.options())
	if !errors.Is(err, journal.ErrDamaged) || !strings.Contains(err.Error(), r.cfg.Path()) {
		t.Errorf("error %v", err)
	}
}

func TestTeardown(t *testing.T) {
	var done []string
	end := teardown{log: slog.New(slog.DiscardHandler)}
	end.add("first", func(context.Context) error { done = append(done, "first"); return errors.New("stuck") })
	end.add("second", func(context.Context) error { done = append(done, "second"); return nil })
	if err := end.run(); err == nil || err.Error() != "first: stuck" || strings.Join(done, " ") != "second first" {
		t.Errorf("error %v, order %v", err, done)
	}
}
