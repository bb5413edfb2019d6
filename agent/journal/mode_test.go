package journal

import (
	"slices"
	"testing"

	"doorsync/protocol"
	"doorsync/protocol/wire"
)

// The technician sees when the office has changed what moves, once.
func TestModeChangeIsJournaled(t *testing.T) {
	s := open1(t)
	for i, mode := range []string{wire.ModeAllReaders, wire.ModeGroups, wire.ModeGroups, wire.ModeOff} {
		at := uint64(i + 1)
		s.apply(wire.Changes{
			Roster: "R", From: at - 1, To: at, Settings: &wire.Settings{Mode: mode, Rules: protocol.DefaultRules(), Salt: []byte{byte(i)}},
		})
	}
	var got []string
	for e, err := range s.Entries(Query{Events: []protocol.Event{protocol.EventModeChanged}}) {
		s.must(err)
		got = append(got, e.Detail)
	}
	if want := []string{"from all+readers to groups", "from groups to off"}; !slices.Equal(got, want) {
		t.Errorf("journaled %q, want %q", got, want)
	}
}
