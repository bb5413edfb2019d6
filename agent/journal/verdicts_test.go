package journal

import (
	"bytes"
	"errors"
	"path/filepath"
	"strings"
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

// TestConfirmedAgain: the same word once more is nothing new; another hash under
// the number that was confirmed last tells a journal that was restored or cloned.
func TestConfirmedAgain(t *testing.T) {
	s := open1(t)
	for _, id := range []string{"1", "2", "3"} {
		s.edit(protocol.Edit{UserID: id, Values: name("N")})
	}
	st := s.State()
	hash, err := s.HashAt(2)
	s.must(err)
	for range 2 {
		s.must(s.Confirm(t.Context(), wire.Confirm{Epoch: st.Epoch, Taken: 2, Hash: hash}))
	}
	s.must(s.Confirm(t.Context(), wire.Confirm{Epoch: st.Epoch, Taken: 2}))
	other := bytes.Clone(hash)
	other[0] ^= 1
	if err := s.Confirm(t.Context(), wire.Confirm{Epoch: st.Epoch, Taken: 2, Hash: other}); !errors.Is(err, ErrDiverged) {
		t.Errorf("another entry under a confirmed number: %v", err)
	}
	if err := s.Confirm(t.Context(), wire.Confirm{Epoch: st.Epoch, Taken: 4}); !errors.Is(err, ErrDiverged) {
		t.Errorf("more than there is: %v", err)
	}
	s.must(s.Confirm(t.Context(), wire.Confirm{Epoch: "another", Taken: 3}))
	s.must(s.Confirm(t.Context(), wire.Confirm{Epoch: st.Epoch, Taken: 3, NewEpoch: true}))
	if got := s.State(); got.Confirmed != 2 || !bytes.Equal(got.Hash, hash) {
		t.Errorf("confirmed up to %d", got.Confirmed)
	}
}

// TestMostThatMayBeStored: a key or a name of the greatest length is taken, one
// byte more is not, and nothing of its batch is.
func TestMostThatMayBeStored(t *testing.T) {
	s := open1(t)
	for _, c := range []struct {
		name string
		make func(text string) Batch
	}{
		{"row", func(text string) Batch { return Batch{Reader: "front", Rows: []Row{{Key: text, Held: []byte("h")}}} }},
		{"user ID", func(text string) Batch {
			return Batch{Drafts: []Draft{{Event: protocol.EventUpdatedReader, Edit: &protocol.Edit{UserID: text, Values: name("N")}}}}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := s.Append(t.Context(), c.make(strings.Repeat("x", maxID))); err != nil {
				t.Error(err)
			}
			last := s.State().Last
			for _, text := range []string{"", strings.Repeat("x", maxID+1)} {
				if _, err := s.Append(t.Context(), c.make(text)); !errors.Is(err, ErrMalformed) {
					t.Errorf("%d bytes: %v", len(text), err)
				}
			}
			if now := s.State().Last; now != last {
				t.Errorf("%d entries of what was refused", now-last)
			}
		})
	}
	s.sound()
}

// TestEventsSayWhetherSomebodyIsNew: the journal knows whom it knows, whatever a
// session took an edit for.
func TestEventsSayWhetherSomebodyIsNew(t *testing.T) {
	s := open1(t)
	for _, c := range []struct{ said, want protocol.Event }{
		{protocol.EventUpdatedReader, protocol.EventEnrolled}, {protocol.EventEnrolled, protocol.EventUpdatedReader},
	} {
		made, err := s.Append(t.Context(), Batch{Drafts: []Draft{{Event: c.said, Edit: &protocol.Edit{UserID: "1", Values: name("N")}}}})
		s.must(err)
		if made[0].Event != c.want || made[0].Edit.New != (c.want == protocol.EventEnrolled) {
			t.Errorf("%s became %s, new %v", c.said, made[0].Event, made[0].Edit.New)
		}
	}
}
