package journal

import (
	"path/filepath"
	"testing"
	"time"

	"doorsync/protocol"
	"doorsync/protocol/wire"
)

// TestVerdictsAboutWhatIsNotKept: what the center says about an entry that was
// removed here meanwhile, or that was never made, is journaled all the same, with
// what the verdict itself tells.
func TestVerdictsAboutWhatIsNotKept(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	s := openAt(t, filepath.Join(t.TempDir(), "j.db"), Options{Retain: time.Hour, Now: func() time.Time { return now }})
	for _, id := range []string{"1", "2", "3"} {
		s.edit(protocol.Edit{UserID: id, Values: name("N")})
	}
	st := s.State()
	// The center has taken the first, and its effect is here: it may go.
	s.must(s.Confirm(t.Context(), wire.Confirm{Epoch: st.Epoch, Taken: 1}))
	s.apply(wire.Changes{Roster: "r", From: 0, To: 1, Epoch: st.Epoch, Journal: 1})
	now = now.Add(2 * time.Hour)
	s.must(s.Trim(t.Context()))
	if first := s.State().Oldest; first != 2 {
		t.Fatalf("the oldest entry is %d", first)
	}
	for _, c := range []struct {
		name   string
		number uint64
		user   string // as the verdict says
		reader string // of the entry that is journaled
		about  string
	}{
		{"removed", 1, "1", "", "1"}, {"kept", 2, "", "front", "2"}, {"never made", 99, "9", "", "9"},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := s.State().Last
			s.must(s.Confirm(t.Context(), wire.Confirm{
				Epoch: st.Epoch, Taken: 2, Verdicts: []wire.Verdict{{Number: c.number, Event: protocol.EventTooLate, UserID: c.user}},
			}))
			got := s.all(Query{From: before + 1})
			if len(got) != 1 || got[0].Event != protocol.EventTooLate || got[0].UserID != c.about || got[0].Reader != c.reader {
				t.Errorf("journaled %+v", got)
			}
		})
	}
	s.sound()
}
