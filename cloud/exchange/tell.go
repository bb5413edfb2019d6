package exchange

import (
	"context"
	"sync"

	"doorsync/protocol/wire"
)

const (
	tellers   = 2
	tellBytes = 92 << 10 // of users in one message; a larger user goes alone
	// While smallOut messages are under way to a site, what changes makes up the
	// next one, unless backlog revisions have gathered.
	smallOut = 2
	backlog  = 64
)

// mouth queues the sites that may have to be told something. A site is dealt
// with by one teller at a time, one message a turn, so that a new site with
// everything to learn does not hold up the others.
type mouth struct {
	wake  chan struct{}
	mu    sync.Mutex
	queue []*site
}

func (m *mouth) init() { m.wake = make(chan struct{}, tellers) }

// add queues a site, once.
func (m *mouth) add(sites ...*site) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, s := range sites {
		switch {
		case s.busy:
			s.again = true
		case !s.queued:
			s.queued = true
			m.queue = append(m.queue, s)
		}
	}
	if len(m.queue) > 0 {
		poke(m.wake)
	}
}

// next takes the site whose turn it is.
func (m *mouth) next() *site {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.queue) == 0 {
		m.queue = nil
		return nil
	}
	s := m.queue[0]
	m.queue = m.queue[1:]
	s.queued, s.busy, s.again = false, true, false
	if len(m.queue) > 0 {
		poke(m.wake) // for the other teller
	}
	return s
}

// done ends a site's turn.
func (m *mouth) done(s *site, more bool) {
	m.mu.Lock()
	s.busy = false
	more = more || s.again
	m.mu.Unlock()
	if more {
		m.add(s)
	}
}

// watchRoster wakes the tellers after every commit.
func (x *Exchange) watchRoster(ctx context.Context) error {
	committed, end := x.Roster.Committed()
	defer end()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-committed:
			x.mouth.add(x.all()...)
		}
	}
}

// heardPull notes how far a site has come, and goes on from there.
func (x *Exchange) heardPull(s *site, p wire.Pull) {
	if x.current(s, p.Session) && s.pull(p, x.Roster.ID()) {
		x.mouth.add(s)
	}
}

// tell is one teller.
func (x *Exchange) tell(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-x.mouth.wake:
		}
		for s := x.mouth.next(); s != nil; s = x.mouth.next() {
			more, err := x.tellOne(ctx, s)
			x.mouth.done(s, more)
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if err != nil {
				// The site asks again within seconds.
				x.Logger.Warn("a site could not be told of changes", "site", s.name, "error", err)
			}
		}
	}
}

// turn is what one message to a site begins with.
type turn struct {
	number  uint64
	session string
	at      position
	answer  bool
	journal uint64
	mend    *wire.Digest
}

// takeTurn returns what to do for the site, if anything.
func (s *site) takeTurn(revision uint64) (t turn, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.greeted || !s.pulled {
		return t, false
	}
	t = turn{number: s.turn, session: s.session, at: s.next, answer: s.answer, journal: s.journal, mend: s.mend}
	s.mend = nil
	much := len(s.next.cursor) > 0 || revision >= s.next.after+backlog
	return t, t.mend != nil || len(s.marks) == 0 || (len(s.marks) < smallOut || much) && s.underWay() < s.window
}

// tellOne sends a site one message, if it lacks anything, and reports whether
// there may be more.
func (x *Exchange) tellOne(ctx context.Context, s *site) (more bool, err error) {
	t, ok := s.takeTurn(x.Roster.Revision())
	if !ok {
		return false, nil
	}
	if t.mend != nil {
		return true, x.mend(ctx, s, t)
	}
	if x.hush(s, t) {
		return false, nil
	}
	c, err := x.Roster.Changes(ctx, s.name, t.at.after, t.at.cursor, tellBytes)
	if err != nil {
		return false, err
	}
	if !t.answer && !t.says(c) {
		return false, nil
	}
	c.Session = t.session
	bytes, err := x.send(s.name, wire.KindChanges, c)
	if err != nil {
		return false, err
	}
	s.told(t, c, max(bytes, unpacked(c)))
	if !c.More {
		s.heardItself()
	}
	return c.More || len(t.reached(c).cursor) > 0, nil
}

// unpacked is about what changes take where they are unpacked, and where memory
// may be scarce.
func unpacked(c wire.Changes) int {
	n := 0
	for i := range c.Users {
		n += len(c.Users[i].Record)
	}
	return n
}

// reached is where the site is once it has the changes.
func (t turn) reached(c wire.Changes) position {
	if c.Page != nil && len(c.Page.Cursor) > 0 {
		return position{after: t.at.after, cursor: c.Page.Cursor}
	}
	return position{after: c.To}
}

// says reports whether changes tell a site anything. Revisions that do not
// concern it are not sent one by one; they come with the next that does, or
// when the site asks.
func (t turn) says(c wire.Changes) bool {
	moves := !t.at.equal(t.reached(c))
	return len(c.Users) > 0 || c.Journal > t.journal || moves && (c.Page != nil || c.Settings != nil)
}

// told notes a message under way, unless telling began anew meanwhile.
func (s *site) told(t turn, c wire.Changes, bytes int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.turn != t.number {
		return
	}
	at := t.reached(c)
	s.next, s.answer, s.journal = at, false, max(s.journal, c.Journal)
	s.marks = append(s.marks, mark{at, c.Roster, bytes})
}
