package protocol

import (
	"cmp"
	"fmt"
	"math"
	"time"
)

// Stamp is a reading of a hybrid logical clock: the order of edits made
// knowingly one after another, whatever the wall clocks said. Stamps are
// totally ordered by wall time, counter and origin.
type Stamp struct {
	_       struct{} `cbor:",toarray"`
	Wall    int64    // milliseconds since 1970 UTC
	Counter uint32   // orders stamps of one millisecond
	Origin  string   // name of the site, or "" for the center
}

// Compare orders two stamps: -1, 0 or +1.
func (s Stamp) Compare(o Stamp) int {
	return cmp.Or(cmp.Compare(s.Wall, o.Wall), cmp.Compare(s.Counter, o.Counter), cmp.Compare(s.Origin, o.Origin))
}

// IsZero reports whether the stamp was never set.
func (s Stamp) IsZero() bool { return s.Wall == 0 && s.Counter == 0 && s.Origin == "" }

// Time is the wall part of the stamp, in UTC.
func (s Stamp) Time() time.Time { return time.UnixMilli(s.Wall).UTC() }

// String prints the stamp for people: time, counter and origin.
func (s Stamp) String() string {
	return fmt.Sprintf("%s/%d@%s", s.Time().Format("2006-01-02T15:04:05.000Z"), s.Counter, s.Origin)
}

// Next returns the stamp of an edit made now by origin, later than last and
// than every stamp that was given to Seen on the way to last. A wall clock
// that was set back does not set stamps back.
func Next(last Stamp, now time.Time, origin string) Stamp {
	wall := now.UnixMilli()
	switch {
	case wall > last.Wall:
		return Stamp{Wall: wall, Origin: origin}
	case last.Counter == math.MaxUint32: // somebody else's doing
		return Stamp{Wall: last.Wall + 1, Origin: origin}
	default:
		return Stamp{Wall: last.Wall, Counter: last.Counter + 1, Origin: origin}
	}
}

// Seen returns the clock after meeting a foreign stamp: the later of both.
func Seen(last, foreign Stamp) Stamp {
	if foreign.Compare(last) > 0 {
		return foreign
	}
	return last
}

// MaxAhead is how far ahead of the center's clock a stamp may be and still be
// believed.
const MaxAhead = 5 * time.Minute

// Arrived returns the stamp with which the center, whose hybrid clock stands at
// last, takes in an edit at now: the stamp itself, or, when it is more than
// MaxAhead ahead of both, the same edit as of its arrival; moved tells which.
//
// Arrival is later than all that the center has seen, so that edits keep the
// order in which they were made knowingly, also when it is the center's own
// clock that was set back.
func Arrived(s, last Stamp, now time.Time) (taken Stamp, moved bool) {
	if s.Wall <= last.Wall || s.Time().Sub(now) <= MaxAhead {
		return s, false
	}
	return Next(last, now, s.Origin), true
}
