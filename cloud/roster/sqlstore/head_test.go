package sqlstore

import (
	"math"
	"reflect"
	"testing"

	"doorsync/cloud/roster"
	"doorsync/protocol"
	"doorsync/protocol/wire"
)

// A head comes back as it was, and one that is cut anywhere is told as such.
func TestHead(t *testing.T) {
	for _, want := range []roster.UserRow{
		{},
		{
			Created: 7, Removed: math.MaxUint64, Foreign: 300, Site: "A", EnrolledBy: "B", ChangedBy: "C", MergedInto: "guid",
			Inactive: true, IDs: []string{"1", ""}, Groups: []string{"jörg"}, Keys: []uint64{0, math.MaxUint64}, Sum: wire.Sum{1, 15: 2},
			Known: []protocol.Source{"office", "hr"},
		},
	} {
		b := packHead(nil, &want)
		var got roster.UserRow
		must(t, unpackHead(b, &got))
		if !reflect.DeepEqual(want, got) {
			t.Errorf("want %+v, got %+v", want, got)
		}
		old := want // as schema 2 wrote it, which ends where Known begins
		old.Known = nil
		older := len(packHead(nil, &old)) - 1
		for n := range b {
			if err := unpackHead(b[:n], &got); (err == nil) != (n == older) {
				t.Errorf("cut to %d of %d bytes, %d in schema 2: %v", n, len(b), older, err)
			}
		}
	}
}
