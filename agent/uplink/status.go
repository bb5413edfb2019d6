package uplink

import (
	"sync"
	"time"
)

// The states of an uplink.
const (
	Offline = "offline" // no connection to the broker
	Waiting = "waiting" // connected to the broker, no answer from the center yet
	Online  = "online"
)

// Status is what people are told of the uplink.
type Status struct {
	State   string    `json:"state"`
	Since   time.Time `json:"since"`           // online, or not online, since then
	Error   string    `json:"error,omitempty"` // why the last attempt came to nothing
	Behind  bool      `json:"behind"`          // the center has changes that are not here yet, or the other way around
	Pending uint64    `json:"pending"`         // entries that the center has not confirmed
	Dropped uint64    `json:"dropped"`         // messages that could not be read or were too many
	// CenterAhead is how far the center's clock was ahead of this one, at the
	// last answer.
	CenterAhead time.Duration `json:"center_ahead"`

	told   bool      // WAN lost is in the journal, WAN back is not
	warned time.Time // when the log was last told why
}

type status struct {
	mu  sync.Mutex
	now Status
}

// set changes the status and returns what it was.
func (s *status) set(change func(*Status)) Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	was := s.now
	change(&s.now)
	return was
}

// Status tells where the uplink stands.
func (u *Uplink) Status() Status {
	u.mu.Lock()
	st := u.now
	u.mu.Unlock()
	j := u.Outbox.State()
	if j.Last > j.Confirmed {
		st.Pending = j.Last - j.Confirmed
	}
	st.Behind = st.Behind || st.Pending > 0
	return st
}
