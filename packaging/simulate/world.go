// Package simulate runs a whole installation in one process, on virtual time:
// real journals, sessions, uplinks, exchange, codec and roster on real files,
// with a simulated network, broker, readers, clocks and people. One seed makes
// one run; a model that knows the rules says what must come of it. See DESIGN.md.
package simulate

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"doorsync/agent/journal"
	"doorsync/cloud/roster"
	"doorsync/protocol"
	"doorsync/protocol/wire"
)

// World is one run.
type World struct {
	story
	sc    Script
	dir   string
	plant string
	codec *wire.Codec
	clock clock // of the center
	dice  *dice

	b     *broker
	sites []*site

	// order is held while something happens to the roster and to the model.
	order sync.Mutex
	model *model

	mu      sync.Mutex // guards what follows
	center  *center    // nil while it is down
	disk    tables     // of the center that is down
	olds    []old
	centers int
	outage  time.Time // until when nothing gets through, as far as is known

	died  chan *agent
	fell  chan *center
	stop  chan struct{}
	hurry chan struct{} // closed when everything is to be well again
	boot  sync.Mutex    // held while something starts
	jobs  sync.WaitGroup
}

// old is a backup of the center, and what was known then.
type old struct {
	tables
	model *model
}

// Run plays a script within a synctest bubble, on files in dir, and returns the
// faults found and the timeline. plant names a bug to plant, "" for none.
func Run(sc Script, dir, plant string) (w *World) {
	codec, err := wire.NewCodec()
	if err != nil {
		panic(err)
	}
	w = &World{
		sc: sc, dir: dir, plant: plant, codec: codec, dice: newDice(sc.Seed, "world"),
		died: make(chan *agent, 64), fell: make(chan *center, 64), stop: make(chan struct{}), hurry: make(chan struct{}),
	}
	w.begun = time.Now()
	w.b = newBroker(w)
	w.build()
	w.jobs.Go(w.supervise)
	if len(w.faults()) == 0 {
		for _, a := range sc.Acts {
			<-time.After(a.After)
			w.do(a)
			if len(w.faults()) > 0 || w.endless() {
				break
			}
		}
		w.heal()
		if len(w.faults()) == 0 {
			w.check()
		}
	}
	w.tearDown()
	return w
}

// build starts the center and the sites.
func (w *World) build() {
	c, err := w.startCenter(tables{})
	if err != nil {
		w.fault("center does not start: %v", err)
		return
	}
	w.center = c
	w.model = newModel(protocol.DefaultRules())
	for i := range w.sc.Sites {
		s := &site{w: w, name: fmt.Sprintf("S%d", i)}
		s.dice = newDice(w.sc.Seed, s.name)
		for j := range 2 {
			groups := []string{fmt.Sprintf("g%d", i), "everywhere"}
			if j == 1 {
				groups = []string{"everywhere"}
			}
			s.readers = append(s.readers, newReader(w, s.name, fmt.Sprintf("r%d", j), w.sc.Kinds[2*i+j], groups))
		}
		s.groups = []string{"everywhere", fmt.Sprintf("g%d", i)}
		w.sites = append(w.sites, s)
		w.office("add site "+s.name, addSite(s.name), func(m *model, _ span) error {
			m.sites[s.name] = scopeOf{mode: wire.ModeAllReaders, groups: s.groups}
			return nil
		})
		w.startSite(s)
	}
}

// startSite begins a life of a site's agent, from what is on its disk.
func (w *World) startSite(s *site) {
	w.boot.Lock()
	defer w.boot.Unlock()
	s.mu.Lock()
	from, running := s.disk, s.agent != nil
	s.mu.Unlock()
	if running {
		return
	}
	a, err := s.start(from, s.name)
	if err != nil {
		w.fault("agent of %s does not start: %v", s.name, err)
		return
	}
	s.mu.Lock()
	s.agent = a
	s.mu.Unlock()
}

// patience is how long a call into a dead line waits: longer in a long outage,
// where nothing else happens.
func (w *World) patience() time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	if left := time.Until(w.outage); left > 0 {
		return max(5*time.Second, left/20)
	}
	return 5 * time.Second
}

// supervise clears away what was killed and starts it again.
func (w *World) supervise() {
	for {
		select {
		case a := <-w.died:
			w.jobs.Go(func() { w.again(a) })
		case c := <-w.fell:
			w.jobs.Go(func() { w.centerAgain(c) })
		case <-w.stop:
			return
		}
	}
}

// again buries an agent that was killed and starts it from what its disk holds.
func (w *World) again(a *agent) {
	left := a.end()
	s := a.s
	s.mu.Lock()
	mine := s.agent == a
	if mine {
		s.agent, s.disk = nil, left
	}
	s.mu.Unlock()
	if mine && w.rest(s.dice) {
		w.startSite(s)
	}
}

// rest is how long a machine that was killed is down; false when the run ends.
func (w *World) rest(d *dice) bool {
	select {
	case <-time.After(d.between(time.Second, time.Minute)):
		return true
	case <-w.hurry:
		return true
	case <-w.stop:
		return false
	}
}

func (w *World) centerAgain(c *center) {
	left := c.end()
	w.mu.Lock()
	mine := w.center == c
	if mine {
		w.center, w.disk = nil, left
	}
	w.mu.Unlock()
	if mine && w.rest(w.dice) {
		w.restartCenter()
	}
}

func (w *World) restartCenter() {
	w.boot.Lock()
	defer w.boot.Unlock()
	w.mu.Lock()
	from, running := w.disk, w.center != nil
	w.mu.Unlock()
	if running {
		return
	}
	c, err := w.startCenter(from)
	if err != nil {
		w.fault("center does not start: %v", err)
		return
	}
	w.mu.Lock()
	w.center = c
	w.mu.Unlock()
}

// tearDown ends everything in order.
func (w *World) tearDown() {
	for _, s := range w.sites {
		s.mu.Lock()
		all := []*agent{s.agent, s.twin}
		s.agent, s.twin = nil, nil
		s.mu.Unlock()
		for _, a := range all {
			if a != nil {
				a.end()
			}
		}
	}
	w.mu.Lock()
	c := w.center
	w.center = nil
	w.mu.Unlock()
	if c != nil {
		c.end()
	}
	close(w.stop)
	w.jobs.Wait()
}

// failing tells an error of the machine from one of the rules.
func failing(err error) bool {
	return errors.Is(err, errKilled) || errors.Is(err, roster.ErrFull) || errors.Is(err, journal.ErrFull)
}
