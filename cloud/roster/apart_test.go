package roster_test

import (
	"errors"
	"maps"
	"slices"
	"testing"

	"doorsync/cloud/roster"
	"doorsync/protocol"
)

func wantEvents(t *testing.T, got []protocol.Event, want ...protocol.Event) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Fatalf("verdicts: want %v, got %v", want, got)
	}
}

func wantName(t *testing.T, u protocol.User, want string) {
	t.Helper()
	if u.FullName() != want {
		t.Fatalf("name: want %q, got %q", want, u.FullName())
	}
}

// What only comes up once sites work apart.
func TestApart(t *testing.T) {
	enroll := func(id, who string, card uint64) protocol.Edit {
		return protocol.Edit{UserID: id, New: true, Values: name(who), Given: []protocol.Credential{protocol.Card(card)}}
	}
	t.Run("new at a site reaches the others", func(t *testing.T) {
		c := newCenter(t, "A", "B")
		a, b := c.site("A"), c.site("B")
		wantEvents(t, events(a.edit(enroll("5", "Anna", 1))))
		a.pull()
		b.pull()
		if u := b.users()["5"]; u.FullName() != "Anna" || !u.Has(protocol.Card(1).Key()) {
			t.Fatalf("B has %+v", u)
		}
		a.agree()
		b.agree()
		if a.journal != 1 {
			t.Fatalf("journal: want 1, got %d", a.journal)
		}
	})
	t.Run("the same new ID at two sites", func(t *testing.T) {
		c := newCenter(t, "A", "B", "C")
		a, b, third := c.site("A"), c.site("B"), c.site("C")
		a.edit(enroll("5", "Anna", 1))
		wantEvents(t, events(b.edit(enroll("5", "Bert", 2))), protocol.EventConflict)
		wantEvents(t, events(b.edit(protocol.Edit{UserID: "5", Given: []protocol.Credential{protocol.Card(3)}})))
		for _, s := range []*site{a, b, third} {
			s.pull()
			s.agree()
		}
		wantName(t, a.users()["5"], "Anna")
		wantName(t, b.users()["5"], "Bert")
		wantName(t, third.users()["5"], "Anna")
		if !b.users()["5"].Has(protocol.Card(3).Key()) || len(a.users()) != 1 || len(b.users()) != 1 {
			t.Fatal("the second edit did not go to Bert, or somebody is there twice")
		}
		list, err := c.Conflicts(t.Context())
		must(t, err)
		if len(list) != 1 || list[0].Site != "B" || list[0].UserID != "5" || list[0].Holder == nil || list[0].User.User.FullName() != "Bert" {
			t.Fatalf("conflicts: %+v", list)
		}
		t.Run("renumbered", func(t *testing.T) {
			late := b.entry(protocol.Edit{UserID: "5", Given: []protocol.Credential{protocol.Card(4)}})
			_, err := c.Resolve(t.Context(), anna, list[0].User.GUID, roster.Resolution{Renumber: "5"})
			if !errors.Is(err, roster.ErrExists) {
				t.Fatalf("renumbered to a taken ID: %v", err)
			}
			u, err := c.Resolve(t.Context(), anna, list[0].User.GUID, roster.Resolution{Renumber: "77"})
			must(t, err)
			if u.ID != "77" || u.Conflict != "" {
				t.Fatalf("resolved: %+v", u)
			}
			wantEvents(t, events(b.send(late)))
			for _, s := range []*site{a, b, third} {
				s.pull()
				s.agree()
				wantName(t, s.users()["5"], "Anna")
				wantName(t, s.users()["77"], "Bert")
				if !s.users()["77"].Has(protocol.Card(4).Key()) {
					t.Fatal("the late edit under the old ID did not find Bert")
				}
			}
			// From here on B knows that 5 is Anna.
			wantEvents(t, events(b.edit(protocol.Edit{UserID: "5", Given: []protocol.Credential{protocol.Card(5)}})))
			if u := c.user("5"); !u.User.Has(protocol.Card(5).Key()) {
				t.Fatal("B's edit of 5 did not reach Anna")
			}
		})
	})
	t.Run("two conflicts hide one who has both IDs elsewhere", func(t *testing.T) {
		c := newCenter(t, "A", "B", "C")
		a, b, third := c.site("A"), c.site("B"), c.site("C")
		a.edit(enroll("1", "Anna", 1))
		a.edit(enroll("2", "Ann", 2))
		_, err := c.Merge(t.Context(), anna, "1", "2")
		must(t, err)
		// B has seen nothing of this, and enrolled others under both of her IDs.
		wantEvents(t, events(b.edit(enroll("1", "Bert", 3))), protocol.EventConflict)
		wantEvents(t, events(b.edit(enroll("2", "Carl", 4))), protocol.EventConflict)
		has := func(s *site, want map[string]string) {
			t.Helper()
			s.pull()
			c.holdAgainstRules(t, s)
			got := map[string]string{}
			for id, u := range s.users() {
				got[id] = u.FullName()
			}
			if !maps.Equal(got, want) {
				t.Fatalf("site %s: want %v, got %v", s.name, want, got)
			}
		}
		has(a, map[string]string{"1": "Anna"})
		has(b, map[string]string{"1": "Bert", "2": "Carl"})
		has(third, map[string]string{"1": "Anna"})
		list, err := c.Conflicts(t.Context())
		must(t, err)
		renumber := func(who, id string) {
			t.Helper()
			i := slices.IndexFunc(list, func(c roster.Conflict) bool { return c.User.User.FullName() == who })
			_, err := c.Resolve(t.Context(), anna, list[i].User.GUID, roster.Resolution{Renumber: id})
			must(t, err)
		}
		// As long as one of her IDs is somebody else's there, she stays hidden.
		renumber("Bert", "7")
		has(a, map[string]string{"1": "Anna", "7": "Bert"})
		has(b, map[string]string{"7": "Bert", "2": "Carl"})
		renumber("Carl", "8")
		for _, s := range []*site{a, b, third, c.site("B")} {
			has(s, map[string]string{"1": "Anna", "7": "Bert", "8": "Carl"})
		}
	})
	t.Run("a conflict is merged", func(t *testing.T) {
		c := newCenter(t, "A", "B")
		a, b := c.site("A"), c.site("B")
		a.edit(enroll("5", "Anna", 1))
		older := c.user("5").GUID
		b.edit(protocol.Edit{UserID: "5", New: true, Given: []protocol.Credential{protocol.Card(1), protocol.Card(2)}})
		list, err := c.Conflicts(t.Context())
		must(t, err)
		late := b.entry(protocol.Edit{UserID: "5", Given: []protocol.Credential{protocol.Card(3)}})
		u, err := c.Resolve(t.Context(), anna, list[0].User.GUID, roster.Resolution{MergeInto: "5"})
		must(t, err)
		if u.GUID != older || len(u.User.Credentials) != 2 {
			t.Fatalf("merged: %+v", u)
		}
		wantEvents(t, events(b.send(late)))
		for _, s := range []*site{a, b} {
			s.pull()
			s.agree()
			if got := s.users()["5"]; got.FullName() != "Anna" || len(got.Credentials) != 3 {
				t.Fatalf("site %s: %+v", s.name, got)
			}
		}
		if c.user(list[0].User.GUID).GUID != older {
			t.Fatal("the other GUID is no alias")
		}
	})
	t.Run("a list that two sites already shared", func(t *testing.T) {
		c := newCenter(t, "A", "B")
		a, b := c.site("A"), c.site("B")
		a.edit(enroll("5", "Anna", 1))
		wantEvents(t, events(b.edit(enroll("5", "Anna", 1))))
	})
	t.Run("the same card at two sites", func(t *testing.T) {
		c := newCenter(t, "A", "B")
		a, b := c.site("A"), c.site("B")
		a.edit(enroll("5", "Anna", 1))
		wantEvents(t, events(b.edit(enroll("6", "Bert", 1))), protocol.EventCredentialRefused)
		b.pull()
		u := b.users()["6"]
		wantName(t, u, "Bert")
		if u.Has(protocol.Card(1).Key()) {
			t.Fatal("the card moved")
		}
		if rec := c.user("6").Record; len(rec.Credentials) != 1 || rec.Credentials[0].By[0].State != protocol.Refused {
			t.Fatalf("the refusal is not visible: %+v", rec.Credentials)
		}
	})
	t.Run("refused at a site that took the user for somebody else", func(t *testing.T) {
		c := newCenter(t, "A", "B")
		a, b := c.site("A"), c.site("B")
		a.edit(enroll("5", "Anna", 1))
		// B has the same list on its readers. Before it hears that its Anna is the
		// same person, another reader shows the card that A's Anna is known to hold.
		one := b.entry(enroll("5", "Anna", 1))
		b.pull()
		card := protocol.Card(1)
		two := b.entry(protocol.Edit{UserID: "5", Given: []protocol.Credential{card}, Refused: []protocol.CredentialKey{card.Key()}})
		b.send(one, two)
		if u := c.user("5"); !u.User.Has(card.Key()) {
			t.Fatalf("Anna lost her card: %+v", u.Record.Credentials)
		}
		// The same with a card that was revoked and is allowed again.
		must(t, c.Revoke(t.Context(), anna, card.Key()))
		b.pull()
		b.edit(protocol.Edit{UserID: "5", Given: []protocol.Credential{card}, Refused: []protocol.CredentialKey{card.Key()}})
		must(t, c.Allow(t.Context(), anna, card.Key()))
		if u := c.user("5"); !u.User.Has(card.Key()) {
			t.Fatalf("Anna's card stays refused: %+v", u.Record.Credentials)
		}
	})
	t.Run("edited at a reader, deleted at the center meanwhile", func(t *testing.T) {
		c := newCenter(t, "A")
		a := c.site("A")
		c.put("5", roster.Patch{Set: name("Anna")})
		a.pull()
		must(t, c.Delete(t.Context(), anna, "5"))
		wantEvents(t, events(a.edit(protocol.Edit{UserID: "5", Given: []protocol.Credential{protocol.Card(1)}})), protocol.EventTooLate)
		a.pull()
		if len(a.users()) != 0 {
			t.Fatal("the delete did not stand")
		}
		a.agree()
	})
	t.Run("a deleted ID is enrolled again by a site that saw the delete", func(t *testing.T) {
		c := newCenter(t, "A")
		a := c.site("A")
		old := c.put("5", roster.Patch{Set: name("Anna")}).GUID
		a.pull()
		must(t, c.Delete(t.Context(), anna, "5"))
		a.pull()
		wantEvents(t, events(a.edit(enroll("5", "Bert", 1))))
		if u := c.user("5"); u.GUID == old || u.User.FullName() != "Bert" {
			t.Fatalf("not a new person: %+v", u)
		}
		_, err := c.Restore(t.Context(), anna, old)
		if !errors.Is(err, roster.ErrExists) {
			t.Fatalf("restored over another user: %v", err)
		}
	})
	t.Run("an edit meant for the one who had the ID before", func(t *testing.T) {
		c := newCenter(t, "A")
		a := c.site("A")
		c.put("5", roster.Patch{Set: name("Anna")})
		a.pull()
		must(t, c.Delete(t.Context(), anna, "5"))
		c.put("5", roster.Patch{Set: name("Bert")})
		wantEvents(t, events(a.edit(protocol.Edit{UserID: "5", Given: []protocol.Credential{protocol.Card(1)}})), protocol.EventTooLate)
		if c.user("5").User.Has(protocol.Card(1).Key()) {
			t.Fatal("Anna's card went to Bert")
		}
	})
	t.Run("an edit under an old ID finds its person", func(t *testing.T) {
		c := newCenter(t, "A")
		a := c.site("A")
		a.edit(enroll("5", "Anna", 1))
		a.pull()
		c.put("5", roster.Patch{Set: map[protocol.Field]protocol.Value{protocol.FieldUserID: protocol.Text("500")}})
		wantEvents(t, events(a.edit(protocol.Edit{UserID: "5", Given: []protocol.Credential{protocol.Card(2)}})))
		u := c.user("500")
		if !u.User.Has(protocol.Card(2).Key()) || !slices.Equal(u.Aliases, []string{"5"}) || c.user("5").GUID != u.GUID {
			t.Fatalf("renumbered: %+v", u)
		}
	})
	t.Run("stamps far ahead keep their order", func(t *testing.T) {
		c := newCenter(t, "A")
		must(t, c.SetOrder(t.Context(), anna, protocol.Rules{Order: []protocol.Source{"readers", "office"}, Settle: protocol.SettleLatest}))
		a := c.site("A")
		one := a.entry(protocol.Edit{UserID: "5", New: true, Values: name("Zoe")})
		two := a.entry(protocol.Edit{UserID: "5", Values: name("Anna")})
		one.Stamp.Wall += 36e5
		two.Stamp.Wall += 36e5 + 5
		two.Prev = nil
		got := a.send(one, two)
		wantEvents(t, events(got), protocol.EventStampMoved, protocol.EventStampMoved)
		wantName(t, c.user("5").User, "Anna")
		if st := c.user("5").Record.Values[protocol.FieldName].Stamp; st.Time().Sub(c.now) > protocol.MaxAhead {
			t.Fatalf("stamp %v was believed", st)
		}
	})
	t.Run("a deleted conflict gives the ID back", func(t *testing.T) {
		c := newCenter(t, "A", "B")
		a, b := c.site("A"), c.site("B")
		a.edit(enroll("5", "Anna", 1))
		b.edit(enroll("5", "Bert", 2))
		b.pull()
		late := b.entry(protocol.Edit{UserID: "5", Given: []protocol.Credential{protocol.Card(3)}})
		list, err := c.Conflicts(t.Context())
		must(t, err)
		must(t, c.Delete(t.Context(), anna, list[0].User.GUID))
		wantEvents(t, events(b.send(late)), protocol.EventTooLate)
		b.pull()
		b.agree()
		wantName(t, b.users()["5"], "Anna")
		if b.users()["5"].Has(protocol.Card(3).Key()) {
			t.Fatal("Bert's card went to Anna")
		}
		if list, err := c.Conflicts(t.Context()); err != nil || len(list) != 0 {
			t.Fatalf("still in conflict: %+v %v", list, err)
		}
	})
}
