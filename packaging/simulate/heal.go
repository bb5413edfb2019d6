package simulate

import (
	"context"
	"fmt"
	"time"

	areader "doorsync/agent/reader"
	"doorsync/agent/uplink"
	"doorsync/protocol/wire"
)

// heal ends all faults and starts what is down.
func (w *World) heal() {
	w.tell("---", "everything is well again")
	close(w.hurry)
	w.clock.set(0)
	for _, s := range w.sites {
		s.endTwin()
		s.clock.set(0)
		w.b.wan(s.name, false)
		for _, r := range s.readers {
			r.set(func(r *reader) { r.calm, r.down, r.half, r.touchy = true, false, false, false })
		}
		s.mu.Lock()
		g := s.agent
		s.mu.Unlock()
		if g != nil {
			g.k.mu.Lock()
			g.k.full, g.k.arm = false, ""
			g.k.mu.Unlock()
		}
	}
	w.b.mend()
	if c := w.theCenter(); c != nil {
		done := c.desk.lock()
		c.desk.arm = ""
		c.vault.mu.Lock()
		c.vault.full, c.vault.torn = false, 0
		c.vault.mu.Unlock()
		done()
	}
}

// running are the agents and the center, once all of them run.
func (w *World) running() (agents []*agent, c *center, why string) {
	if c = w.theCenter(); c == nil || c.dead.Load() {
		return nil, nil, "the center is down"
	}
	for _, s := range w.sites {
		s.mu.Lock()
		g := s.agent
		s.mu.Unlock()
		if g == nil || g.dead.Load() {
			return nil, nil, s.name + " is down"
		}
		agents = append(agents, g)
	}
	return agents, c, ""
}

// unsettled says what is still under way, "" for nothing.
func (w *World) unsettled() string {
	agents, c, why := w.running()
	if why != "" {
		return why
	}
	for _, a := range agents {
		if why := a.unsettled(c); why != "" {
			return a.who + ": " + why
		}
	}
	return ""
}

func (a *agent) unsettled(c *center) string {
	st, up := a.j.State(), a.up.Status()
	digest, err := c.r.SiteDigest(context.Background(), a.s.name)
	switch {
	case err != nil:
		return err.Error()
	case up.State != uplink.Online || up.Behind:
		return fmt.Sprintf("is %s, behind %v (%s)", up.State, up.Behind, up.Error)
	case st.Confirmed != st.Last:
		return fmt.Sprintf("%d of %d entries are confirmed", st.Confirmed, st.Last)
	case st.Revision != c.r.Revision():
		return fmt.Sprintf("holds revision %d of %d", st.Revision, c.r.Revision())
	case wire.Root(&digest) != st.Digest:
		return "its copy differs from the roster"
	}
	for _, r := range a.panel.all {
		if s := r.State(); s.State == wire.ReaderOffline || s.State == wire.ReaderSyncing {
			return fmt.Sprintf("reader %s is %s (%s)", r.Name(), s.State, s.Error)
		}
	}
	return ""
}

// settle waits until nothing is under way any more.
func (w *World) settle(patience time.Duration) bool {
	why := ""
	for end := time.Now().Add(patience); time.Now().Before(end); {
		<-time.After(3 * time.Second)
		if w.endless() {
			w.fault("so much happens that it never ends")
			return false
		}
		if why = w.unsettled(); why == "" {
			return true
		}
	}
	w.fault("nothing is wrong any more, and yet after %v %s", patience, why)
	return false
}

// sync lets a person at each site put every reader in line.
func (w *World) sync() {
	agents, _, why := w.running()
	if why != "" {
		w.fault("%s", why)
		return
	}
	for _, a := range agents {
		for _, r := range a.panel.all {
			ctx, end := context.WithTimeout(context.Background(), 5*time.Minute)
			if _, err := r.Retry(ctx); err != nil {
				w.fault("%s: retry at reader %s: %v", a.who, r.Name(), err)
			}
			var err error
			for range 3 { // the first may meet a connection that has been dead for long
				if _, err = r.Sync(ctx, areader.Order{ConfirmDeletes: true, Restore: true, By: "Bob"}); err == nil {
					break
				}
				<-time.After(5 * time.Second)
			}
			if err != nil {
				w.fault("%s: sync of reader %s: %v", a.who, r.Name(), err)
			}
			end()
		}
	}
}
