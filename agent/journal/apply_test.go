package journal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"

	"doorsync/protocol"
	"doorsync/protocol/wire"
)

// pageOf is a page of a snapshot at revision 9 with users of some numbers.
func pageOf(t testing.TB, after, upTo string, journal uint64, numbers ...int) wire.Changes {
	t.Helper()
	p := wire.Changes{Roster: "r", To: 9, Journal: journal, Page: &wire.Page{After: after, UpTo: upTo}}
	if upTo != "" {
		p.Page.Cursor = []byte(upTo)
	}
	for _, n := range numbers {
		p.Users = append(p.Users, change(t, guid(n), record(fmt.Sprint(n), "User", stamp(1), uint64(n))))
	}
	return p
}

func TestSnapshot(t *testing.T) {
	path := filepath.Join(t.TempDir(), "j.db")
	s := openAt(t, path, Options{})
	s.apply(wire.Changes{Roster: "r", To: 4, Users: pageOf(t, "", "", 0, 1, 2, 5, 8, 9).Users})
	first, second, third := pageOf(t, "", guid(3), 0, 1, 3), pageOf(t, guid(3), guid(6), 0, 4, 5, 6), pageOf(t, guid(6), "", 0, 8)
	s.apply(first)
	st := s.State()
	if !bytes.Equal(st.Cursor, []byte(guid(3))) || st.Revision != 4 {
		t.Fatalf("state %+v", st)
	}
	for name, c := range map[string]wire.Changes{
		"a page too far": third, "of another roster": func() wire.Changes { c := second; c.Roster = "x"; return c }(),
		"a delta meanwhile": {Roster: "r", From: 4, To: 5},
	} {
		if err := s.Apply(context.Background(), c); !errors.Is(err, ErrGap) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// A restart resumes from the cursor; a page sent twice changes nothing.
	s.must(s.Close())
	s = openAt(t, path, Options{})
	s.apply(second, second)
	s.apply(third)
	st = s.State()
	if st.Cursor != nil || st.Revision != 9 {
		t.Fatalf("state %+v", st)
	}
	if got := s.ids(); !slices.Equal(got, []string{"1", "3", "4", "5", "6", "8"}) {
		t.Fatalf("users %v", got)
	}
	if _, ok := s.user("2"); ok {
		t.Fatal("a user who is not in the snapshot is still found")
	}
	s.sound()
	// The same users by another way have the same digest.
	o := open1(t)
	o.apply(wire.Changes{Roster: "r", To: 9, Users: pageOf(t, "", "", 0, 8, 6, 5, 4, 3, 1).Users})
	if o.Buckets() != s.Buckets() || o.State().Digest != st.Digest {
		t.Fatal("digests differ")
	}
	sums, err := s.Digest(context.Background(), []uint8{wire.Bucket(guid(3))})
	s.must(err)
	if want := first.Users[1].Sum(); !bytes.Equal(sums[guid(3)], want[:]) {
		t.Fatalf("sums %v", sums)
	}
}

func TestSnapshotSettlesWithItsLastPage(t *testing.T) {
	s := open1(t)
	s.edit(protocol.Edit{UserID: "a", Values: name("A")})
	s.edit(protocol.Edit{UserID: "b", Values: name("B")})
	epoch := s.State().Epoch
	p1, p2 := pageOf(t, "", guid(3), 0, 1), pageOf(t, guid(3), "", 1, 4)
	p1.To, p1.Epoch, p2.Epoch = 0, epoch, epoch
	s.apply(p1)
	if got := s.ids(); !slices.Equal(got, []string{"1", "a", "b"}) {
		t.Fatalf("users %v", got)
	}
	s.apply(p2)
	if got := s.ids(); !slices.Equal(got, []string{"1", "4", "b"}) {
		t.Fatalf("users %v", got)
	}
}

// A page has no revision, and still nobody is blended with whom was enrolled
// before it came.
func TestSnapshotBlendsNobody(t *testing.T) {
	s := open1(t)
	s.edit(protocol.Edit{UserID: "1", Values: name("Local")})
	p := pageOf(t, "", guid(3), 0, 1, 2)
	p.To = 0
	s.apply(p)
	if v, _ := s.user("1"); v.GUID != "" || v.User.FullName() != "Local" {
		t.Fatalf("blended: %+v", v)
	}
	if made := s.edit(protocol.Edit{UserID: "2", Values: name("X")}); made[0].Edit.New {
		t.Fatal("the site knows user 2")
	}
	if v, _ := s.user("2"); v.GUID != guid(2) {
		t.Fatalf("user 2 is %+v", v)
	}
}

// Who was deleted before a site began is not told to it: tombstones are not in
// the digests.
func TestTombstonesAreNotInDigests(t *testing.T) {
	s, fresh := open1(t), open1(t)
	users := pageOf(t, "", "", 0, 1, 2).Users
	tomb := change(t, guid(1), protocol.Record{Removed: true})
	tomb.IDs = []string{"1"}
	s.apply(wire.Changes{Roster: "r", To: 4, Users: users}, wire.Changes{Roster: "r", From: 4, To: 5, Users: []wire.Change{tomb}})
	fresh.apply(wire.Changes{Roster: "r", To: 5, Users: users[1:]})
	if s.State().Digest != fresh.State().Digest {
		t.Fatal("digests differ")
	}
	sums, err := s.Digest(context.Background(), []uint8{wire.Bucket(guid(1)), wire.Bucket(guid(2))})
	s.must(err)
	if _, ok := sums[guid(1)]; ok || len(sums) != 1 {
		t.Fatalf("sums of %d users", len(sums))
	}
	s.sound()
}

func TestSnapshotOfAnotherRosterClaimsNoRevision(t *testing.T) {
	s := open1(t)
	s.apply(wire.Changes{Roster: "old", To: 70})
	s.apply(pageOf(t, "", guid(3), 0, 1))
	if made := s.edit(protocol.Edit{UserID: "x"}); made[0].Revision != 0 {
		t.Fatalf("entry claims revision %d of a roster that the site does not hold", made[0].Revision)
	}
}

func TestDeltas(t *testing.T) {
	s := open1(t)
	users := pageOf(t, "", "", 0, 1, 2).Users
	s.apply(wire.Changes{Roster: "r", To: 4, Users: users[:1]})
	sub := s.Subscribe()
	// What begins earlier and what is held already is welcome.
	s.apply(wire.Changes{Roster: "r", From: 2, To: 6, Users: users})
	if ids, _ := sub.Take(); !slices.Equal(ids, []string{"2"}) {
		t.Fatalf("told of %v", ids)
	}
	stale := pageOf(t, "", "", 0, 2).Users
	stale[0].IDs = []string{"stale"}
	s.apply(wire.Changes{Roster: "r", From: 2, To: 5, Users: stale}, wire.Changes{Roster: "r", From: 4, To: 6, Users: stale})
	if _, ok := s.user("stale"); ok || s.State().Revision != 6 {
		t.Fatal("went back")
	}
	for name, c := range map[string]wire.Changes{
		"gap": {Roster: "r", From: 7, To: 8}, "another roster": {Roster: "x", From: 0, To: 8},
	} {
		if err := s.Apply(context.Background(), c); !errors.Is(err, ErrGap) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, c := range map[string]wire.Change{
		"no GUID": {Record: users[0].Record}, "no record": {GUID: "g"}, "empty ID": {GUID: "g", Record: users[0].Record, IDs: []string{""}},
	} {
		if err := s.Apply(context.Background(), wire.Changes{Roster: "r", From: 6, To: 7, Users: []wire.Change{c}}); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// One that is refused leaves no trace of those before it.
	err := s.Apply(context.Background(), wire.Changes{Roster: "r", From: 6, To: 7, Users: pageOf(t, "", "", 0, 3).Users}, wire.Changes{Roster: "r", From: 9, To: 10})
	if _, ok := s.user("3"); ok || !errors.Is(err, ErrGap) || s.State().Revision != 6 {
		t.Fatalf("half of a call was stored: %v", err)
	}
	s.apply(wire.Changes{Roster: "r", From: 6, To: 7, Users: []wire.Change{{GUID: guid(1), Gone: true}, {GUID: guid(77), Gone: true}}})
	if got := s.ids(); !slices.Equal(got, []string{"2"}) {
		t.Fatalf("users %v", got)
	}
	s.sound()
}

func TestMend(t *testing.T) {
	s := open1(t)
	users := pageOf(t, "", "", 0, 1, 2).Users
	s.apply(wire.Changes{Roster: "r", To: 4, Users: users[:1]})
	s.apply(wire.Changes{Roster: "r", From: 3, To: 3, Mend: true, Users: users[1:]})
	if got := s.ids(); !slices.Equal(got, []string{"1"}) {
		t.Fatalf("mended with something older: %v", got)
	}
	s.apply(wire.Changes{Roster: "r", From: 4, To: 4, Mend: true, Users: users[1:]})
	if got := s.ids(); !slices.Equal(got, []string{"1", "2"}) || s.State().Revision != 4 {
		t.Fatalf("users %v", got)
	}
}

func TestUserIDsMayBeHandedOn(t *testing.T) {
	for _, order := range [][]int{{0, 1}, {1, 0}} {
		s := open1(t)
		s.apply(wire.Changes{Roster: "r", To: 1, Users: []wire.Change{change(t, guid(1), record("5", "Ada", stamp(1)))}})
		both := []wire.Change{change(t, guid(1), record("6", "Ada", stamp(2))), change(t, guid(2), record("5", "Bob", stamp(2)))}
		s.apply(wire.Changes{Roster: "r", From: 1, To: 2, Users: []wire.Change{both[order[0]], both[order[1]]}})
		if v, _ := s.user("5"); v.GUID != guid(2) {
			t.Fatalf("5 is %+v", v)
		}
		if v, _ := s.user("6"); v.GUID != guid(1) {
			t.Fatalf("6 is %+v", v)
		}
	}
}

func TestSubscriberOfManyChangesIsToldAll(t *testing.T) {
	s := open1(t)
	sub := s.Subscribe()
	numbers := make([]int, maxTold+1)
	for i := range numbers {
		numbers[i] = i
	}
	s.apply(wire.Changes{Roster: "r", To: 1, Users: pageOf(t, "", "", 0, numbers...).Users})
	if ids, all := sub.Take(); !all || len(ids) != 0 {
		t.Fatalf("%d IDs, all %v", len(ids), all)
	}
	sub.Close()
	s.apply(wire.Changes{Roster: "r", From: 1, To: 2, Users: []wire.Change{{GUID: guid(1), Gone: true}}})
	if ids, all := sub.Take(); all || len(ids) != 0 {
		t.Fatal("told after the end")
	}
}

// A site takes any number of users in bounded memory.
func TestApplyMemoryIsBounded(t *testing.T) {
	s := open1(t)
	var peak atomic.Uint64
	base := heap()
	stop := watchHeap(&peak)
	after := ""
	for n := 0; n < 8_000; n += 80 {
		upTo := guid(n + 79)
		if n+80 == 8_000 {
			upTo = ""
		}
		p := wire.Changes{Roster: "r", To: 1, Page: &wire.Page{After: after, UpTo: upTo}}
		for i := range 80 {
			p.Users = append(p.Users, change(t, guid(n+i), kilobyteUser(n+i)))
		}
		s.apply(p)
		after = upTo
	}
	stop()
	if grown := int64(peak.Load()) - int64(base); grown > 40<<20 {
		t.Fatalf("the heap grew by %d MiB", grown>>20)
	}
	if s.State().Revision != 1 {
		t.Fatal("not all was applied")
	}
	s.sound()
}

// Changes made ready ahead are stored, and refused, as they would be without.
func TestPreparedAhead(t *testing.T) {
	ahead, plain := open1(t), open1(t)
	page := pageOf(t, "", "", 0, 1, 2, 5)
	ahead.apply(ahead.prepared(page)...)
	plain.apply(page)
	if ahead.Buckets() != plain.Buckets() || ahead.State().Revision != plain.State().Revision {
		t.Fatal("made ready ahead, something else is stored")
	}
	for name, c := range map[string]wire.Change{
		"no record":          {GUID: guid(9), IDs: []string{"9"}},
		"no GUID":            {Record: []byte{0xa0}},
		"undecodable record": {GUID: guid(9), IDs: []string{"9"}, Record: []byte{0xff}},
	} {
		delta := wire.Changes{Roster: "r", From: 9, To: 10, Users: append(pageOf(t, "", "", 0, 3).Users, c)}
		want := plain.Apply(t.Context(), delta)
		got := ahead.Apply(t.Context(), ahead.prepared(wire.Changes{Roster: "r", From: 9, To: 9}, delta)...)
		if !errors.Is(want, ErrMalformed) || got == nil || got.Error() != want.Error() || !errors.Is(got, ErrMalformed) {
			t.Fatalf("%s: %v and not %v", name, got, want)
		}
	}
	if ahead.Buckets() != plain.Buckets() || ahead.State().Revision != 9 {
		t.Fatal("something of what was refused is stored")
	}
}
