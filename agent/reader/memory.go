package reader

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"

	"doorsync/firmware-bridge/driver"
	"doorsync/protocol"
)

// memory is what is kept in the journal of one row of a reader's table, enough
// to tell the agent's own writes from edits made at the reader.
type memory struct {
	User   string       `cbor:"user,omitempty"`   // the user ID the row belongs to
	Held   *driver.Held `cbor:"held,omitempty"`   // what the reader held when last seen; nil: nothing yet
	Intent *driver.Held `cbor:"intent,omitempty"` // what was about to be written; nil: nothing
	Shown  []shown      `cbor:"shown,omitempty"`  // how the reader shows what was written, where it shows it otherwise
	// Deleting: the row was about to be deleted. Unread: written, and not seen
	// since. Absent: deleted at the reader. Home: enrolled at this very reader.
	// Waits: its delete was held, and needs a person's word.
	Deleting bool   `cbor:"deleting,omitempty"`
	Unread   bool   `cbor:"unread,omitempty"`
	Absent   bool   `cbor:"absent,omitempty"`
	Home     bool   `cbor:"home,omitempty"`
	Waits    bool   `cbor:"waits,omitempty"`
	GaveUp   []byte `cbor:"gave_up,omitempty"` // sum of the row that was given up
	// LeftOut is what the reader cannot hold of a user, as last journaled. It is
	// kept under the user's own key, see leftKey.
	LeftOut string `cbor:"left_out,omitempty"`
}

// shown is one value as it was written and as the reader shows it.
type shown struct {
	Field protocol.Field `cbor:"f"`
	Wrote protocol.Value `cbor:"w"`
	Reads protocol.Value `cbor:"r"`
}

// count is 1 for a row that the reader has, as far as is remembered.
func (m *memory) count() int {
	if m == nil || m.Held == nil || m.Absent {
		return 0
	}
	return 1
}

// clone returns a copy whose fields can be set; what they point to is never
// written to.
func (m *memory) clone() memory {
	if m == nil {
		return memory{}
	}
	return *m
}

// expected is the row as this reader will show it.
func (m *memory) expected(want driver.Held) driver.Held {
	if m == nil || len(m.Shown) == 0 {
		return want
	}
	out := want
	out.Values = maps.Clone(want.Values)
	for _, s := range m.Shown {
		if want.Values[s.Field] == s.Wrote {
			out.Values[s.Field] = s.Reads
		}
	}
	return out
}

// sameHeld reports whether two rows hold the same.
func sameHeld(a, b driver.Held) bool {
	return a.Key == b.Key && a.UserID == b.UserID && maps.Equal(a.Values, b.Values) &&
		slices.Equal(a.Credentials, b.Credentials) && maps.Equal(a.Doors, b.Doors)
}

// sum names a row's content.
func sum(h driver.Held) []byte {
	s := sha256.New()
	fmt.Fprintf(s, "%q %q %q", h.Key, h.UserID, h.Credentials)
	for _, f := range slices.Sorted(maps.Keys(h.Values)) {
		fmt.Fprintf(s, " %q=%q,%q", f, h.Values[f].First, h.Values[f].Second)
	}
	for _, d := range slices.Sorted(maps.Keys(h.Doors)) {
		fmt.Fprintf(s, " %d=%d", d, h.Doors[d])
	}
	return s.Sum(nil)[:16]
}
