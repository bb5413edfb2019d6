package exchange

import (
	"bytes"
	"slices"
	"sync"
	"time"

	"doorsync/protocol/wire"
)

const (
	silence       = 45 * time.Second // after which a site counts as offline; agents speak every 10 s
	askAgain      = time.Second      // between two requests for a hello
	endedKept     = 8                // sessions that are known to have ended
	changedWithin = time.Minute
	changedOften  = 6 // sessions within changedWithin: two agents under one name
	defaultWindow = 256 << 10
	maxWindow     = 16 << 20
)

// position is how far a site has come in the roster.
type position struct {
	after  uint64
	cursor []byte // of a snapshot under way
}

func (p position) equal(o position) bool {
	if len(p.cursor) > 0 || len(o.cursor) > 0 {
		return bytes.Equal(p.cursor, o.cursor)
	}
	return p.after == o.after
}

// mark is a message under way: where the site is once it has it, and its size.
type mark struct {
	at     position
	roster string
	bytes  int
}

// site is what the exchange knows of one site. The lock is never held during
// anything that waits.
type site struct {
	name string

	mu      sync.Mutex
	session string
	ended   []string // latest sessions that are over
	began   []time.Time
	greeted bool // the roster has answered this session's hello
	online  bool
	last    time.Time // when something was heard
	asked   time.Time // when a hello was last asked for
	said    uint64    // last entry of its journal that this session has spoken of

	// What it is told.
	roster  string // that the site's revision counts in
	pulled  bool   // it has said in this session from where on
	answer  bool   // an answer is due, even an empty one
	turn    uint64 // grows when telling begins anew
	next    position
	marks   []mark
	window  int
	journal uint64 // up to where it knows that its entries had effect
	mend    *wire.Digest
	rounds  int // of mending, since the last hello

	echoWaits bool // it waits for what it has said itself
	echoDue   bool // it has waited

	// Owned by the mouth.
	queued, busy, again bool
}

// is reports whether session is the site's, and whether to ask for a hello
// because no session is known.
func (s *site) is(session string, now time.Time) (ok, ask bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if session != "" && session == s.session {
		s.last = now
		return true, false
	}
	if s.session == "" && !slices.Contains(s.ended, session) && now.Sub(s.asked) >= askAgain {
		s.asked = now
		return false, true
	}
	return false, false
}

// greet begins a session, or goes on with it.
type greeting int

const (
	greetOld greeting = iota // of a session that is over
	greetSame
	greetNew
	greetOften // new, and too often: two agents under one name
)

func (s *site) greet(h wire.Hello, now time.Time) greeting {
	s.mu.Lock()
	defer s.mu.Unlock()
	if h.Session == "" || slices.Contains(s.ended, h.Session) {
		return greetOld
	}
	if h.Session == s.session && h.Last < s.said {
		return greetOld // overtaken: it would be taken for a journal that was restored
	}
	s.last, s.online, s.rounds, s.said = now, true, 0, h.Last
	if h.Session == s.session {
		return greetSame
	}
	s.end()
	s.session, s.roster, s.journal = h.Session, h.Roster, 0
	s.began = append(slices.DeleteFunc(s.began, func(t time.Time) bool { return now.Sub(t) > changedWithin }), now)
	if len(s.began) == changedOften {
		return greetOften
	}
	return greetNew
}

// spoke notes an entry that the site has sent in its session.
func (s *site) spoke(number uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.said = max(s.said, number)
}

// end closes the session; the lock is held.
func (s *site) end() {
	if s.session != "" {
		s.ended = append(s.ended, s.session)
		if len(s.ended) > endedKept {
			s.ended = s.ended[1:]
		}
	}
	s.session, s.greeted, s.pulled, s.answer, s.marks, s.mend = "", false, false, false, nil, nil
	s.turn++
}

// leave ends a session, whichever it is if none is named, and reports whether
// the site was online.
func (s *site) leave(session string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if session != "" && session != s.session {
		return false
	}
	was := s.online
	if session != "" {
		s.end()
	} else {
		// The center lost the line, not the site: its session may go on.
		s.session, s.greeted, s.pulled, s.marks, s.mend = "", false, false, nil, nil
		s.turn++
	}
	s.online = false
	return was
}

// answered notes that the roster has answered the hello of a session.
func (s *site) answered(session string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.session != session {
		return false
	}
	s.greeted = true
	return true
}

// inSession returns the session, if the site may be told anything in it.
func (s *site) inSession() (session string, online bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.session, s.online
}

// pull notes how far the site has come and reports whether it can be told more.
func (s *site) pull(p wire.Pull, rosterID string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.window = min(max(p.Window, defaultWindow/4), maxWindow)
	at := position{p.After, p.Cursor}
	if p.Again && p.Roster != "" {
		s.roster = p.Roster
	}
	if p.Again || !s.pulled {
		if s.roster != rosterID {
			at = position{}
		}
		s.next, s.marks, s.pulled, s.answer, s.journal = at, nil, true, true, 0
		s.turn++
		return true
	}
	i := slices.IndexFunc(s.marks, func(m mark) bool { return m.at.equal(at) })
	if i < 0 {
		return false // late or doubled
	}
	s.roster = s.marks[i].roster
	s.marks = slices.Delete(s.marks, 0, i+1)
	return true
}

// underWay is how many bytes are under way; the lock is held.
func (s *site) underWay() int {
	n := 0
	for _, m := range s.marks {
		n += m.bytes
	}
	return n
}
