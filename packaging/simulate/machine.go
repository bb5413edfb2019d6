package simulate

import (
	"maps"
	"time"
)

// atMachine is what happens to the machines that the programs run on.
func (w *World) atMachine(a Act, s *site) bool {
	switch a.Do {
	case "kill center":
		w.killCenter(a)
	case "kill agent":
		s.killAgent(a)
	case "stop center":
		if c := w.takeCenter(); c != nil {
			left := c.end()
			w.centerBack(left, a.For)
		}
	case "stop agent":
		if g := s.takeAgent(); g != nil {
			left := g.end()
			s.backAfter(left, a.For)
		}
	case "agent disk full":
		s.mu.Lock()
		g := s.agent
		s.mu.Unlock()
		if g != nil {
			w.during(a.For, func(on bool) { g.k.mu.Lock(); g.k.full = on; g.k.mu.Unlock() })
		}
	case "center disk full":
		if c := w.theCenter(); c != nil {
			w.during(a.For, func(on bool) { c.vault.mu.Lock(); c.vault.full = on; c.vault.mu.Unlock() })
		}
	case "site clock":
		s.clock.set(a.For)
	case "center clock":
		w.clock.set(a.For)
	default:
		return w.atDisks(a, s)
	}
	return true
}

func (w *World) theCenter() *center {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.center
}

func (w *World) takeCenter() *center {
	w.mu.Lock()
	defer w.mu.Unlock()
	c := w.center
	if c == nil || c.dead.Load() {
		return nil
	}
	w.center = nil
	return c
}

// centerBack starts the center again after a while.
func (w *World) centerBack(from tables, after time.Duration) {
	w.mu.Lock()
	w.disk = from
	w.mu.Unlock()
	w.jobs.Go(func() {
		select {
		case <-time.After(after):
		case <-w.hurry:
		}
		w.restartCenter()
	})
}

func (w *World) killCenter(a Act) {
	c := w.theCenter()
	if c == nil {
		return
	}
	defer c.desk.lock()()
	switch a.Other {
	case killNow:
		w.tell("center", "is killed")
		c.kill()
	case killTorn:
		c.vault.mu.Lock()
		c.vault.torn = a.Number
		c.vault.mu.Unlock()
	default:
		c.desk.arm, c.desk.left = a.Other, a.Number
	}
}

func (s *site) takeAgent() *agent {
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.agent
	if g == nil || g.dead.Load() {
		return nil
	}
	s.agent = nil
	return g
}

// backAfter starts the agent again after a while.
func (s *site) backAfter(from disk, after time.Duration) {
	s.mu.Lock()
	s.disk = from
	s.mu.Unlock()
	s.w.jobs.Go(func() {
		select {
		case <-time.After(after):
		case <-s.w.hurry:
		}
		s.w.startSite(s)
	})
}

func (s *site) killAgent(a Act) {
	s.mu.Lock()
	g := s.agent
	s.mu.Unlock()
	if g == nil {
		return
	}
	if a.Other == killNow {
		s.w.tell(s.name, "is killed")
		g.kill()
		return
	}
	g.k.mu.Lock()
	g.k.arm, g.k.left = a.Other, a.Number
	g.k.mu.Unlock()
}

// atDisks is what people do with backups.
func (w *World) atDisks(a Act, s *site) bool {
	switch a.Do {
	case "backup site":
		s.mu.Lock()
		g := s.agent
		s.mu.Unlock()
		if g != nil && !g.dead.Load() {
			d := g.copy()
			s.mu.Lock()
			s.copies = append(s.copies, d)
			s.mu.Unlock()
		}
	case "backup center":
		if c := w.theCenter(); c != nil && !c.dead.Load() {
			done := c.desk.lock()
			w.olds = append(w.olds, old{c.copy(), w.model.clone()})
			done()
		}
	case "restore site":
		s.putBack(a)
	case "restore center":
		w.putBack(a)
	case "twin":
		s.double(a)
	default:
		return false
	}
	return true
}

// putBack puts an old copy of the journal in place.
func (s *site) putBack(a Act) {
	s.mu.Lock()
	if len(s.copies) == 0 {
		s.mu.Unlock()
		return
	}
	from := s.copies[a.Number%len(s.copies)]
	s.mu.Unlock()
	g := s.takeAgent()
	if g == nil {
		return
	}
	g.end()
	s.w.tell(s.name, "an old copy of its journal is put back")
	s.mu.Lock()
	s.blurred = true
	s.mu.Unlock()
	s.backAfter(disk{from.file, maps.Clone(from.acked)}, 2*time.Second)
}

// putBack puts an old copy of the roster in place.
func (w *World) putBack(a Act) {
	if len(w.olds) == 0 {
		return
	}
	from := w.olds[a.Number%len(w.olds)]
	c := w.takeCenter()
	if c == nil {
		return
	}
	c.end()
	w.tell("center", "an old copy of the roster is put back")
	w.order.Lock()
	now := from.model.clone()
	now.blur = true
	w.model = now
	w.order.Unlock()
	w.centerBack(from.tables, 2*time.Second)
}

// double starts a second agent from a copy of the first one's journal.
func (s *site) double(a Act) {
	s.mu.Lock()
	g, running := s.agent, s.twin != nil
	s.mu.Unlock()
	if g == nil || g.dead.Load() || running {
		return
	}
	from := g.copy()
	s.mu.Lock()
	s.blurred = true
	s.mu.Unlock()
	t, err := s.start(from, s.name+"'")
	if err != nil {
		s.w.fault("second agent of %s does not start: %v", s.name, err)
		return
	}
	s.mu.Lock()
	s.twin = t
	s.mu.Unlock()
	s.w.jobs.Go(func() {
		select {
		case <-time.After(a.For):
		case <-s.w.hurry:
		}
		s.endTwin()
	})
}

func (s *site) endTwin() {
	s.mu.Lock()
	t := s.twin
	s.twin = nil
	s.mu.Unlock()
	if t != nil {
		s.w.tell(t.who, "somebody notices and ends it")
		t.end()
	}
}

// atWires is what happens to the network.
func (w *World) atWires(a Act, s *site, _ *reader) bool {
	switch a.Do {
	case "wan":
		w.during(a.For, func(on bool) { w.b.wan(s.name, on) })
	case "broker":
		w.during(a.For, func(on bool) { w.b.power(!on) })
	case "outage":
		w.mu.Lock()
		w.outage = time.Now().Add(a.For)
		w.mu.Unlock()
		w.b.power(false)
		<-time.After(a.For)
		w.b.power(true)
	default:
		return false
	}
	return true
}
