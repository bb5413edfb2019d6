package sqlstore

import (
	"math"
	"reflect"
	"testing"

	"doorsync/cloud/roster"
	"doorsync/protocol/wire"
)

// A head comes back as it was, and one that is cut anywhere is told as such.
func TestHead(t *testing.T) {
	for _, want := range []roster.UserRow{
		{},
		{
			Created: 7, Removed: math.MaxUint64, Foreign: 300, Site: "A", EnrolledBy: "B", ChangedBy: "C", MergedInto: "guid",
			Inactive: true, IDs: []string{"1", ""}, Groups: []string{"jörg"}, Keys: []uint64{0, math.MaxUint64}, Sum: wire.Sum{1, 15: 2},
		},
	} {
		b := packHead(&want)
		var got roster.UserRow
		must(t, unpackHead(b, &got))
		if !reflect.DeepEqual(want, got) {
			t.Errorf("want %+v, got %+v", want, got)
		}
		for n := range b {
			if err := unpackHead(b[:n], &got); err == nil {
				t.Errorf("cut to %d of %d bytes: no error", n, len(b))
			}
		}
	}
}
