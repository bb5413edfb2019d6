package simulate

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"doorsync/agent/journal"
	areader "doorsync/agent/reader"
	"doorsync/agent/uplink"
	"doorsync/protocol"
	"doorsync/protocol/wire"
)

// site is a place with readers and, most of the time, an agent.
type site struct {
	w       *World
	name    string
	readers []*reader
	groups  []string
	clock   clock
	dice    *dice

	mu      sync.Mutex
	agent   *agent // nil while it is down
	twin    *agent // a second one, started by mistake
	disk    disk   // of the agent that is down
	copies  []disk
	runs    int
	blurred bool // two agents or an old copy: who took what off a reader is not clear
}

// disk is the file of an agent, and what was acknowledged with it.
type disk struct {
	file  []byte
	acked map[protocol.EntryID]uint64
}

// agent is one life of an agent: put together as the program does it, of the
// real journal, sessions and uplink.
type agent struct {
	w     *World
	s     *site
	who   string
	path  string
	j     *journal.Journal
	k     *keeper
	panel *panel
	up    *uplink.Uplink
	acked map[protocol.EntryID]uint64 // guarded by the site

	dead   atomic.Bool // nothing that it still does has any effect
	down   sync.Once
	left   disk // what a kill leaves
	parts  sync.WaitGroup
	writer sync.WaitGroup
	stop   context.CancelFunc // of the parts
	last   context.CancelFunc // of the writer
}

// start begins a life of an agent.
func (s *site) start(from disk, who string) (*agent, error) {
	s.mu.Lock()
	s.runs++
	run := s.runs
	s.mu.Unlock()
	a := &agent{w: s.w, s: s, who: who, acked: maps.Clone(from.acked)}
	if a.acked == nil {
		a.acked = map[protocol.EntryID]uint64{}
	}
	a.path = filepath.Join(s.w.dir, fmt.Sprintf("%s-%d", s.name, run), "journal.db")
	mustMake(filepath.Dir(a.path))
	if from.file != nil {
		mustWrite(a.path, from.file)
	}
	log := s.w.logger(who)
	var err error
	if a.j, err = journal.Open(a.path, journal.Options{Site: s.name, Now: s.clock.now, Logger: log, Retain: s.w.sc.retain()}); err != nil {
		return nil, err
	}
	a.k = &keeper{Journal: a.j, a: a}
	codec, err := wire.NewCodec()
	if err != nil {
		return nil, err
	}
	a.panel = &panel{changed: make(chan struct{}, 1)}
	for _, r := range s.readers {
		var doors map[int][]string
		if r.kind.controller {
			doors = doorsOf(r.groups)
		}
		a.panel.all = append(a.panel.all, areader.New(areader.Options{
			Name: r.name, Driver: "sim", Address: r.name, Open: r.open(a), Journal: a.k, Codec: codec, Logger: log,
			Groups: r.groups, Doors: doors, Resync: s.w.sc.Resync, Poll: s.w.sc.Poll, FirstRoster: 10 * time.Second, Changed: a.panel.wake,
		}))
	}
	a.up, err = uplink.New(uplink.Options{
		Site: s.name, Connect: s.w.b.connect(a), Outbox: a.k, Copy: a.k, Log: a.k,
		Readers: a.panel, Syncer: a.panel, Groups: s.groups, Logger: log, Now: s.clock.now,
	})
	if err != nil {
		return nil, err
	}
	a.run()
	s.w.tell(who, "starts at entry %d, revision %d", a.j.State().Last, a.j.State().Revision)
	return a, nil
}

func mustMake(dir string) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		panic(fmt.Sprintf("simulate: %v", err))
	}
}

// run sets the parts to work. The writer ends last.
func (a *agent) run() {
	writing, last := context.WithCancel(context.Background())
	working, stop := context.WithCancel(context.Background())
	a.stop, a.last = stop, last
	a.writer.Go(func() {
		if err := a.j.Run(writing); err != nil && !a.dead.Load() {
			a.w.fault("%s: the journal's writer ended: %v", a.who, err)
		}
	})
	for _, r := range a.panel.all {
		a.parts.Go(func() { _ = r.Run(working) })
	}
	a.parts.Go(func() { _ = a.up.Run(working) })
	_, _ = a.k.Append(working, journal.Batch{Drafts: []journal.Draft{{Event: protocol.EventStarted}}})
}

// kill ends the agent at once, as the power does: from now on nothing that its
// parts still do reaches anybody. What its disk holds is what it held then.
func (a *agent) kill() {
	if !a.dead.Swap(true) {
		a.fall(nil)
	}
}

// fall leaves what the disk holds of an agent that is dead.
func (a *agent) fall(torn []byte) {
	a.k.gate.Lock()
	a.left.file = torn
	if torn == nil {
		a.left.file = mustRead(a.path)
	}
	a.k.gate.Unlock()
	a.s.mu.Lock()
	a.left.acked = maps.Clone(a.acked)
	a.s.mu.Unlock()
	a.w.b.dropOf(a)
	a.w.died <- a
}

// end waits for the parts of an agent that was killed, or stops one in order.
func (a *agent) end() disk {
	a.down.Do(func() {
		a.stop()
		a.parts.Wait()
		if !a.dead.Load() {
			_, _ = a.k.Append(context.Background(), journal.Batch{Drafts: []journal.Draft{{Event: protocol.EventStopped}}})
		}
		a.last()
		a.writer.Wait()
		if err := a.j.Close(); err != nil && !a.dead.Load() {
			a.w.fault("%s: %v", a.who, err)
		}
		if !a.dead.Load() {
			a.left = disk{mustRead(a.path), maps.Clone(a.acked)}
		}
		_ = os.RemoveAll(filepath.Dir(a.path))
	})
	return a.left
}

// copy is a backup of the file, taken while the agent runs.
func (a *agent) copy() disk {
	a.k.gate.Lock()
	defer a.k.gate.Unlock()
	a.s.mu.Lock()
	defer a.s.mu.Unlock()
	return disk{mustRead(a.path), maps.Clone(a.acked)}
}

// panel is the readers of an agent as its uplink sees them.
type panel struct {
	all     []*areader.Reader
	changed chan struct{}
}

func (p *panel) wake() {
	select {
	case p.changed <- struct{}{}:
	default:
	}
}

// States is how every reader stands.
func (p *panel) States() []wire.ReaderState {
	out := make([]wire.ReaderState, len(p.all))
	for i, r := range p.all {
		out[i] = r.State()
	}
	return out
}

// Changed wakes when a state changed.
func (p *panel) Changed() <-chan struct{} { return p.changed }

// SyncNow is not used: a person at the site asks.
func (p *panel) SyncNow(context.Context, string, string) error {
	return errors.New("ask at the site")
}
