package journal

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"doorsync/protocol"
	"doorsync/protocol/wire"
)

func TestPending(t *testing.T) {
	s := open1(t)
	for range 10 {
		s.edit(protocol.Edit{UserID: "1"})
	}
	for _, c := range []struct {
		after            uint64
		entries, bytes   int
		first, last, len uint64
	}{{0, 100, 1 << 20, 1, 10, 10}, {3, 2, 1 << 20, 4, 5, 2}, {3, 100, 1, 4, 4, 1}, {10, 100, 1 << 20, 0, 0, 0}} {
		got, err := s.Pending(c.after, c.entries, c.bytes)
		s.must(err)
		if uint64(len(got)) != c.len || c.len > 0 && (got[0].Number != c.first || got[len(got)-1].Number != c.last) {
			t.Errorf("after %d: %d entries", c.after, len(got))
		}
	}
	raw, err := s.Pending(9, 1, 1)
	s.must(err)
	var e protocol.Entry
	s.must(s.codec.Unmarshal(raw[0].Data, &e))
	hash, err := s.codec.EntryHash(e)
	s.must(err)
	if !bytes.Equal(hash, s.State().LastHash) {
		t.Fatal("the center would hash the entry differently")
	}
}

func TestConfirm(t *testing.T) {
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "j.db")
	s := openAt(t, path, Options{})
	for range 5 {
		s.edit(protocol.Edit{UserID: "1"})
	}
	epoch := s.State().Epoch
	third, err := s.HashAt(3)
	s.must(err)
	s.must(s.Confirm(ctx, wire.Confirm{Epoch: "another", Taken: 5}))
	s.must(s.Confirm(ctx, wire.Confirm{Epoch: epoch, Taken: 3, Hash: third}))
	if st := s.State(); st.Confirmed != 3 || !bytes.Equal(st.Hash, third) {
		t.Fatalf("state %+v", st)
	}
	for name, c := range map[string]wire.Confirm{
		"beyond the end": {Epoch: epoch, Taken: 6}, "another entry": {Epoch: epoch, Taken: 4, Hash: third},
	} {
		if err := s.Confirm(ctx, c); !errors.Is(err, ErrDiverged) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// What a clean stop knew, the next start knows.
	s.must(s.Close())
	s = openAt(t, path, Options{})
	if st := s.State(); st.Confirmed != 3 || !bytes.Equal(st.Hash, third) || st.Epoch != epoch {
		t.Fatalf("state %+v", st)
	}
	// A center restored from a copy is owed more again.
	s.must(s.Confirm(ctx, wire.Confirm{Epoch: epoch, Taken: 1}))
	if s.State().Confirmed != 1 {
		t.Fatal("not owed again")
	}
}

func TestVerdictsAreStoredOnce(t *testing.T) {
	s := open1(t)
	s.edit(protocol.Edit{UserID: "5"})
	c := wire.Confirm{Epoch: s.State().Epoch, Taken: 1, Verdicts: []wire.Verdict{
		{Number: 1, Event: protocol.EventConflict, Detail: "held by Bob"},
		{Number: 1, Event: protocol.EventCredentialRefused, Detail: "card …1: held by user 7"},
		{Number: 1, Event: protocol.EventCredentialRefused, Detail: "card …2: held by user 7"},
	}}
	for range 2 {
		s.must(s.Confirm(context.Background(), c))
	}
	got := s.all(Query{})
	if !slices.Equal(events(got), []protocol.Event{protocol.EventEnrolled, protocol.EventConflict, protocol.EventCredentialRefused, protocol.EventCredentialRefused}) {
		t.Fatalf("events %v", events(got))
	}
	if e := got[1]; e.UserID != "5" || e.Reader != "front" || e.Detail != "held by Bob" {
		t.Fatalf("entry %+v", e)
	}
	s.sound()
}

// A file restored from a copy goes on under a new epoch, and numbers go on too.
func TestRestoredCopy(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	path, copied := filepath.Join(dir, "j.db"), filepath.Join(dir, "copy.db")
	s := openAt(t, path, Options{})
	s.edit(protocol.Edit{UserID: "1"})
	s.edit(protocol.Edit{UserID: "2"})
	epoch := s.State().Epoch
	s.must(s.Confirm(ctx, wire.Confirm{Epoch: epoch, Taken: 1}))
	s.must(s.Close())
	b, err := os.ReadFile(path)
	s.must(err)
	s.must(os.WriteFile(copied, b, 0o600))
	s = openAt(t, path, Options{})
	s.edit(protocol.Edit{UserID: "3"})
	hash := s.State().LastHash

	r := openAt(t, copied, Options{})
	r.edit(protocol.Edit{UserID: "4"})
	if err := r.Confirm(ctx, wire.Confirm{Epoch: epoch, Taken: 3, Hash: hash}); !errors.Is(err, ErrDiverged) {
		t.Fatalf("not noticed: %v", err)
	}
	before := r.all(Query{})
	r.must(r.NewEpoch(ctx, "restored from a copy"))
	st := r.State()
	if st.Epoch == epoch || st.First != 2 || st.Last != 4 {
		t.Fatalf("state %+v", st)
	}
	after := r.all(Query{})
	if len(after) != len(before)+1 || after[2].ID != before[2].ID || after[3].Event != protocol.EventNewEpoch {
		t.Fatal("entries were renumbered")
	}
	r.sound()
}

func TestTrim(t *testing.T) {
	ctx := context.Background()
	now := time.UnixMilli(1_700_000_000_000)
	s := openAt(t, filepath.Join(t.TempDir(), "j.db"), Options{Now: func() time.Time { return now }, Retain: time.Hour})
	for range 10 {
		s.edit(protocol.Edit{UserID: "1"})
	}
	now = now.Add(2 * time.Hour)
	for range 3 {
		s.edit(protocol.Edit{UserID: "2", Values: name("B")})
	}
	epoch := s.State().Epoch
	oldest := func(want uint64) {
		t.Helper()
		s.must(s.Trim(ctx))
		if got := s.State().Oldest; got != want {
			t.Fatalf("oldest entry is %d, want %d", got, want)
		}
		s.sound()
	}
	oldest(1) // nothing is confirmed
	s.must(s.Confirm(ctx, wire.Confirm{Epoch: epoch, Taken: 12}))
	oldest(1) // users rest on it
	s.apply(wire.Changes{Roster: "r", To: 1, Epoch: epoch, Journal: 7})
	oldest(8)
	s.apply(wire.Changes{Roster: "r", From: 1, To: 2, Epoch: epoch, Journal: 12, Users: []wire.Change{change(t, guid(2), record("2", "B", stamp(1)))}})
	oldest(11) // the rest is young
	now = now.Add(2 * time.Hour)
	oldest(13) // the last is not confirmed
	if v, ok := s.user("2"); !ok || !v.Pending {
		t.Fatal("an edit was lost")
	}
	s.must(s.Confirm(ctx, wire.Confirm{Epoch: epoch, Taken: 3}))
	if s.State().Confirmed != 12 {
		t.Fatal("owed what is gone")
	}
	if hash, err := s.HashAt(12); err != nil || hash == nil {
		t.Fatal("the anchor's hash is gone")
	}
	s.edit(protocol.Edit{UserID: "3"})
	s.sound()
}
