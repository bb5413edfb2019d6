package journal

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"doorsync/protocol"
	"doorsync/protocol/wire"
)

// site is a journal under test with its writer running, and a center that makes
// records for it.
type site struct {
	testing.TB
	*Journal
	path string
}

func open1(t testing.TB) *site { return openAt(t, filepath.Join(t.TempDir(), "journal.db"), Options{}) }

func openAt(t testing.TB, path string, o Options) *site {
	t.Helper()
	o.Site = "north"
	j, err := Open(path, o)
	if err != nil {
		t.Fatal(err)
	}
	ran := make(chan error, 1)
	go func() { ran <- j.Run(context.Background()) }()
	s := &site{TB: t, Journal: j, path: path}
	t.Cleanup(func() {
		if err := j.Close(); err != nil {
			t.Error(err)
		}
		if err := <-ran; err != nil && !errors.Is(err, ErrClosed) { // closed before it ran
			t.Error(err)
		}
	})
	return s
}

func (s *site) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

func (s *site) edit(e protocol.Edit) []protocol.Entry {
	s.Helper()
	made, err := s.Append(context.Background(), Batch{
		Reader: "front", ReaderID: "7",
		Drafts: []Draft{{Event: protocol.EventUpdatedReader, Edit: &e}},
	})
	s.must(err)
	return made
}

func (s *site) user(id string) (View, bool) {
	s.Helper()
	v, ok, err := s.User(id)
	s.must(err)
	return v, ok && !v.Removed
}

func (s *site) apply(c ...wire.Changes) {
	s.Helper()
	s.must(s.Apply(context.Background(), c...))
}

func name(n string) map[protocol.Field]protocol.Value {
	return map[protocol.Field]protocol.Value{protocol.FieldName: protocol.Text(n)}
}

// record makes the center's record of a user whom the office typed.
func record(id, n string, at protocol.Stamp, cards ...uint64) protocol.Record {
	c := protocol.NewContribution(protocol.SourceOffice)
	c.Set(protocol.FieldUserID, protocol.Text(id), at)
	c.Set(protocol.FieldName, protocol.Text(n), at)
	for _, card := range cards {
		c.SetCredential(protocol.Card(card), protocol.Given, at)
	}
	return protocol.Fold([]protocol.Contribution{c}, protocol.DefaultRules())
}

// change is a record as it travels.
func change(t testing.TB, guid string, rec protocol.Record, aliases ...string) wire.Change {
	t.Helper()
	codec, err := wire.NewCodec()
	if err != nil {
		t.Fatal(err)
	}
	rec.GUID = guid
	enc, err := codec.Marshal(rec)
	if err != nil {
		t.Fatal(err)
	}
	c := wire.Change{GUID: guid, Record: enc}
	if id := rec.UserID(); id != "" {
		c.IDs = append([]string{id}, aliases...)
	}
	for _, h := range rec.Credentials {
		if h.Active() {
			c.Keys = append(c.Keys, wire.KeyHash(h.Credential.Key()))
		}
	}
	return c
}

func guid(n int) string { return fmt.Sprintf("0190a000-0000-7000-8000-%012x", n) }

func stamp(ms int64) protocol.Stamp { return protocol.Stamp{Wall: ms} }

func events(entries []protocol.Entry) []protocol.Event {
	var out []protocol.Event
	for _, e := range entries {
		out = append(out, e.Event)
	}
	return out
}

func (s *site) all(q Query) []protocol.Entry {
	s.Helper()
	var out []protocol.Entry
	for e, err := range s.Entries(q) {
		s.must(err)
		out = append(out, e)
	}
	return out
}

func (s *site) ids() []string {
	s.Helper()
	var out []string
	s.must(s.Users(context.Background(), func(v View) error {
		out = append(out, v.User.ID)
		return nil
	}))
	slices.Sort(out)
	return out
}

func (s *site) sound() {
	s.Helper()
	r, err := s.Verify(context.Background(), nil)
	s.must(err)
	if len(r.Faults) > 0 {
		s.Fatalf("journal is not sound: %v", r.Faults)
	}
}

func TestEnrollmentIsInEffectAtOnce(t *testing.T) {
	s := open1(t)
	sub := s.Subscribe()
	defer sub.Close()
	made := s.edit(protocol.Edit{UserID: "5", Values: name("Ada"), Given: []protocol.Credential{protocol.Card(100)}})
	if len(made) != 1 || made[0].Number != 1 || !made[0].Edit.New || made[0].Event != protocol.EventEnrolled {
		t.Fatalf("entry %+v", made)
	}
	v, ok := s.user("5")
	if !ok || v.User.FullName() != "Ada" || !v.User.Has(protocol.Card(100).Key()) || !v.Pending || v.GUID != "" {
		t.Fatalf("view %+v", v)
	}
	<-sub.C()
	if ids, all := sub.Take(); all || !slices.Equal(ids, []string{"5"}) {
		t.Fatalf("told %v %v", ids, all)
	}
	<-s.Appended()
	if id, ok, err := s.Owner(protocol.Card(100).Key()); err != nil || !ok || id != "5" {
		t.Fatalf("owner %q %v %v", id, ok, err)
	}
	if got := s.ids(); !slices.Equal(got, []string{"5"}) {
		t.Fatalf("users %v", got)
	}
	s.sound()
}

func TestOverlayGoesWhenRecordContainsIt(t *testing.T) {
	s := open1(t)
	s.apply(wire.Changes{Roster: "r", From: 0, To: 3, Users: []wire.Change{change(t, guid(1), record("5", "Ada", stamp(10)))}})
	made := s.edit(protocol.Edit{UserID: "5", Values: map[protocol.Field]protocol.Value{protocol.FieldEmail: protocol.Text("a@x")}})
	if made[0].Edit.New || made[0].Revision != 3 || made[0].Event != protocol.EventUpdatedReader {
		t.Fatalf("entry %+v", made[0])
	}
	v, _ := s.user("5")
	if v.GUID != guid(1) || v.User.Value(protocol.FieldEmail).First != "a@x" || v.User.FullName() != "Ada" {
		t.Fatalf("view %+v", v)
	}
	st := s.State()
	s.must(s.Confirm(context.Background(), wire.Confirm{Epoch: st.Epoch, Taken: 1, Hash: st.LastHash}))
	if v, _ := s.user("5"); v.User.Value(protocol.FieldEmail).First != "a@x" {
		t.Fatal("a confirmation alone took the edit away")
	}
	// The center kept another e-mail address.
	rec := record("5", "Ada", stamp(10))
	rec.Values[protocol.FieldEmail] = protocol.Holding{Value: protocol.Text("office@x"), Source: protocol.SourceOffice}
	s.apply(wire.Changes{Roster: "r", From: 3, To: 4, Epoch: st.Epoch, Journal: 1, Users: []wire.Change{change(t, guid(1), rec)}})
	if v, _ := s.user("5"); v.Pending || v.User.Value(protocol.FieldEmail).First != "office@x" {
		t.Fatalf("view %+v", v)
	}
	s.sound()
}

func TestValueNotKept(t *testing.T) {
	s := open1(t)
	s.apply(wire.Changes{Roster: "r", To: 3, Users: []wire.Change{change(t, guid(1), record("5", "Ada", stamp(10)))}})
	made := s.edit(protocol.Edit{UserID: "5", Values: name("Bob")})
	if got := events(made); !slices.Equal(got, []protocol.Event{protocol.EventUpdatedReader, protocol.EventValueNotKept}) {
		t.Fatalf("events %v", got)
	}
	if made[1].Detail != "name: held by office" || made[1].Reader != "front" || made[1].UserID != "5" {
		t.Fatalf("entry %+v", made[1])
	}
	if v, _ := s.user("5"); v.User.FullName() != "Ada" {
		t.Fatalf("view %+v", v)
	}
}

func TestCredentialOfAnotherIsRefused(t *testing.T) {
	s := open1(t)
	s.apply(wire.Changes{
		Roster: "r", To: 3, Users: []wire.Change{change(t, guid(1), record("5", "Ada", stamp(10), 1000100))},
		Settings: &wire.Settings{Salt: []byte("salt"), Revoked: [][]byte{wire.RevokedHash([]byte("salt"), protocol.Card(300).Key())}},
	})
	s.edit(protocol.Edit{UserID: "6", Values: name("Eve"), Given: []protocol.Credential{protocol.Card(200)}})
	for card, want := range map[uint64]string{1000100: "card …0100: held by user 5", 200: "card …200: held by user 6", 300: "card …300: revoked"} {
		id := fmt.Sprint("x", card)
		made := s.edit(protocol.Edit{UserID: id, Values: name("Mallory"), Given: []protocol.Credential{protocol.Card(card), protocol.Card(card + 1)}})
		if len(made) != 2 || made[1].Event != protocol.EventCredentialRefused || made[1].Detail != want {
			t.Fatalf("card %d: %+v", card, made)
		}
		v, _ := s.user(id)
		if v.User.Has(protocol.Card(card).Key()) || !v.User.Has(protocol.Card(card+1).Key()) || v.User.FullName() != "Mallory" {
			t.Fatalf("card %d: view %+v", card, v)
		}
	}
	// Their own is nobody else's.
	if made := s.edit(protocol.Edit{UserID: "5", Given: []protocol.Credential{protocol.Card(1000100)}}); len(made) != 1 {
		t.Fatalf("%+v", made)
	}
}

func TestRevokedCredentialOpensNothingBeforeItsRecordComes(t *testing.T) {
	s := open1(t)
	s.apply(wire.Changes{Roster: "r", To: 3, Users: []wire.Change{change(t, guid(1), record("5", "Ada", stamp(10), 100))}})
	if v, _ := s.user("5"); !v.User.Has(protocol.Card(100).Key()) {
		t.Fatal("card is missing")
	}
	sub := s.Subscribe()
	s.apply(wire.Changes{Roster: "r", From: 3, To: 3, Settings: &wire.Settings{
		Salt: []byte("salt"), Revoked: [][]byte{wire.RevokedHash([]byte("salt"), protocol.Card(100).Key())},
	}})
	if v, _ := s.user("5"); v.User.Has(protocol.Card(100).Key()) || !s.Revoked(protocol.Card(100).Key()) {
		t.Fatal("a revoked card still opens")
	}
	if _, all := sub.Take(); !all {
		t.Fatal("nobody was told")
	}
}

func TestTwoPeopleUnderOneIDAreNotBlended(t *testing.T) {
	s := open1(t)
	s.edit(protocol.Edit{UserID: "5", Values: name("Local"), Given: []protocol.Credential{protocol.Card(100)}})
	s.apply(wire.Changes{Roster: "r", To: 3, Users: []wire.Change{change(t, guid(1), record("5", "Remote", stamp(10), 200))}})
	v, _ := s.user("5")
	if v.GUID != "" || v.User.FullName() != "Local" || v.User.Has(protocol.Card(200).Key()) {
		t.Fatalf("blended: %+v", v)
	}
	if got := s.ids(); !slices.Equal(got, []string{"5"}) {
		t.Fatalf("users %v", got)
	}
	// A later edit is about the person who is there.
	made := s.edit(protocol.Edit{UserID: "5", Given: []protocol.Credential{protocol.Card(101)}})
	if made[0].Edit.New {
		t.Fatal("taken for an enrollment")
	}
	// The center decides: two people, the other one is not this site's to know.
	conflict := record("5", "Local", stamp(20), 100, 101)
	conflict.Site = "north"
	s.apply(wire.Changes{Roster: "r", From: 3, To: 4, Epoch: s.State().Epoch, Journal: 2, Users: []wire.Change{
		{GUID: guid(1), Gone: true}, change(t, guid(2), conflict),
	}})
	v, _ = s.user("5")
	if v.GUID != guid(2) || v.Pending || !v.User.Has(protocol.Card(101).Key()) {
		t.Fatalf("view %+v", v)
	}
	s.sound()
}

func TestDeletedAtTheCenter(t *testing.T) {
	s := open1(t)
	for _, ids := range [][]string{nil, {"5"}} { // tombstones with and without their IDs
		g := guid(len(ids) + 1)
		from := s.State().Revision
		s.apply(wire.Changes{Roster: "r", From: from, To: from + 1, Users: []wire.Change{change(t, g, record("5", "Ada", stamp(10), 100))}})
		s.edit(protocol.Edit{UserID: "5", Given: []protocol.Credential{protocol.Card(101)}})
		tomb := change(t, g, protocol.Record{Removed: true})
		tomb.IDs = ids
		s.apply(wire.Changes{Roster: "r", From: from + 1, To: from + 2, Users: []wire.Change{tomb}})
		if _, ok := s.user("5"); ok {
			t.Fatal("an edit that came too late brought the user back")
		}
		if _, ok, _ := s.Owner(protocol.Card(101).Key()); ok {
			t.Fatal("a deleted user still holds a card")
		}
		made := s.edit(protocol.Edit{UserID: "5", Values: name("Grace"), Given: []protocol.Credential{protocol.Card(100)}})
		if !made[0].Edit.New || made[0].Revision != from+2 {
			t.Fatalf("entry %+v", made[0])
		}
		v, ok := s.user("5")
		if !ok || v.GUID != "" || v.User.FullName() != "Grace" || v.User.Has(protocol.Card(101).Key()) {
			t.Fatalf("view %+v", v)
		}
		s.apply(wire.Changes{Roster: "r", From: from + 2, To: from + 3, Epoch: s.State().Epoch, Journal: s.State().Last})
		if got := s.ids(); len(got) != 0 {
			t.Fatalf("users %v", got)
		}
	}
	s.sound()
}

func TestRenumberedUserIsFoundUnderOldID(t *testing.T) {
	s := open1(t)
	s.apply(wire.Changes{Roster: "r", To: 1, Users: []wire.Change{change(t, guid(1), record("5", "Ada", stamp(10)))}})
	s.edit(protocol.Edit{UserID: "5", Given: []protocol.Credential{protocol.Card(1)}})
	s.apply(wire.Changes{Roster: "r", From: 1, To: 2, Users: []wire.Change{change(t, guid(1), record("500", "Ada", stamp(20)), "5")}})
	for _, id := range []string{"5", "500"} {
		v, ok := s.user(id)
		if !ok || v.User.ID != "500" || !slices.Equal(v.IDs, []string{"500", "5"}) || !v.User.Has(protocol.Card(1).Key()) {
			t.Fatalf("%s: %+v", id, v)
		}
	}
	if id, _, _ := s.Owner(protocol.Card(1).Key()); id != "500" {
		t.Fatalf("owner %s", id)
	}
}

func TestClockNeverGoesBack(t *testing.T) {
	now := time.UnixMilli(1_000_000)
	s := openAt(t, filepath.Join(t.TempDir(), "j.db"), Options{Now: func() time.Time { return now }})
	first := s.edit(protocol.Edit{UserID: "1"})[0].Stamp
	now = now.Add(-5 * time.Hour)
	second := s.edit(protocol.Edit{UserID: "1"})[0].Stamp
	if second.Compare(first) <= 0 {
		t.Fatalf("%v after %v", second, first)
	}
	s.apply(wire.Changes{Roster: "r", To: 1, Stamp: stamp(9_000_000)})
	if third := s.edit(protocol.Edit{UserID: "1"})[0].Stamp; third.Compare(stamp(9_000_000)) <= 0 || third.Origin != "north" {
		t.Fatalf("stamp %v", third)
	}
}
