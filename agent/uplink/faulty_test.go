package uplink

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"doorsync/agent/journal"
	"doorsync/protocol"
	"doorsync/protocol/wire"
)

var errDisk = errors.New("disk full")

// faultyJournal is a fakeJournal that fails where the test says so.
type faultyJournal struct {
	*fakeJournal

	mu    sync.Mutex
	fails map[string]error // by method
}

func (f *faultyJournal) failing(method string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.fails[method]
}

func (f *faultyJournal) fail(method string, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fails[method] = err
}

func (f *faultyJournal) Pending(after uint64, maxEntries, maxBytes int) ([]journal.RawEntry, error) {
	if err := f.failing("Pending"); err != nil {
		return nil, err
	}
	return f.fakeJournal.Pending(after, maxEntries, maxBytes)
}

func (f *faultyJournal) Confirm(ctx context.Context, c wire.Confirm) error {
	if err := f.failing("Confirm"); err != nil {
		return err
	}
	return f.fakeJournal.Confirm(ctx, c)
}

func (f *faultyJournal) NewEpoch(ctx context.Context, why string) error {
	if err := f.failing("NewEpoch"); err != nil {
		return err
	}
	return f.fakeJournal.NewEpoch(ctx, why)
}

func (f *faultyJournal) Apply(ctx context.Context, changes ...wire.Changes) error {
	if err := f.failing("Apply"); err != nil {
		return err
	}
	return f.fakeJournal.Apply(ctx, changes...)
}

func (f *faultyJournal) Digest(_ context.Context, of []uint8) (map[string][]byte, error) {
	return map[string][]byte{"g": of}, f.failing("Digest")
}

func (f *faultyJournal) Append(ctx context.Context, b journal.Batch) ([]protocol.Entry, error) {
	if err := f.failing("Append"); err != nil {
		return nil, err
	}
	return f.fakeJournal.Append(ctx, b)
}

// panel is the readers of a site that are none.
type panel struct {
	mu     sync.Mutex
	states []wire.ReaderState
	wake   chan struct{}
	synced []string
	refuse error
}

func (p *panel) States() []wire.ReaderState {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.states
}

func (p *panel) Changed() <-chan struct{} { return p.wake }

func (p *panel) SyncNow(_ context.Context, reader, by string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.synced = append(p.synced, reader+" by "+by)
	return p.refuse
}

func (p *panel) change(states ...wire.ReaderState) {
	p.mu.Lock()
	p.states = states
	p.mu.Unlock()
	poke(p.wake)
}

// book is a log that the test reads.
type book struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *book) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *book) times(what string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.b.String(), what)
}

// rig is an uplink whose journal and line can fail.
type rig struct {
	*fakeCenter
	f     *faultyJournal
	panel *panel
	log   *book
	calls int
	dead  bool // the line takes nothing
}

func (r *rig) Publish(k wire.Kind, payload []byte) error {
	if r.dead {
		return ErrNotConnected
	}
	return r.fakeCenter.Publish(k, payload)
}

// atFaultyUplink runs a test on virtual time with an uplink whose journal and
// line can fail.
func atFaultyUplink(t *testing.T, run func(t *testing.T, r *rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		j := newFakeJournal(t)
		r := &rig{
			fakeCenter: &fakeCenter{t: t, j: j, heard: map[wire.Kind][][]byte{}},
			f:          &faultyJournal{fakeJournal: j, fails: map[string]error{}},
			panel:      &panel{wake: make(chan struct{}, 1)}, log: &book{},
		}
		connect := func(_ context.Context, call Call) (Link, error) {
			r.calls++
			r.call, r.lost = call, make(chan struct{})
			return r, nil
		}
		var err error
		r.up, err = New(Options{
			Site: "LYON", Connect: connect, Outbox: r.f, Copy: r.f, Log: r.f, Readers: r.panel, Syncer: r.panel,
			Logger: slog.New(slog.NewTextHandler(r.log, nil)),
		})
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() { _ = r.up.Run(ctx) })
		synctest.Wait()
		run(t, r)
		stop()
		wg.Wait()
		if s := r.up.Status(); s.State != Offline {
			t.Errorf("ended %s", s.State)
		}
	})
}
