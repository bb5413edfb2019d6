package roster_test

import (
	"testing"

	"doorsync/protocol"
	"doorsync/protocol/wire"
)

// TestEpochThatIsUnknown: from where on a site is to send under an epoch that
// this roster has not heard of. Numbers that were taken under other epochs prove
// nothing to an older copy of the roster: where two agents ran under one name, one
// number is of two entries.
func TestEpochThatIsUnknown(t *testing.T) {
	for _, c := range []struct {
		name   string
		first  uint64 // of the epoch
		oldest uint64 // entry that the site keeps
		knows  string // roster, "" for this one
		want   uint64
	}{
		{"all before it was taken", 4, 1, "", 3},
		{"not all before it was taken", 6, 1, "", 0},
		{"nor is it kept", 6, 3, "", 2},
		{"the site knows another roster", 4, 1, "later", 0},
		{"nothing is kept of what was before", 4, 4, "later", 3},
		{"a journal that begins", 1, 1, "later", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newCenter(t, "A")
			a := r.site("A")
			for _, id := range []string{"1", "2", "3"} {
				a.edit(protocol.Edit{UserID: id, New: true, Values: name("N")})
			}
			knows := c.knows
			if knows == "" {
				knows = r.ID()
			}
			got, err := r.Hello(t.Context(), "A", wire.Hello{
				Session: "2", Epoch: "later", First: c.first, Last: 9, Taken: c.first - 1, Oldest: c.oldest, Roster: knows,
			})
			must(t, err)
			if got.NewEpoch || got.Taken != c.want {
				t.Errorf("goes on after %d, want %d", got.Taken, c.want)
			}
		})
	}
}
