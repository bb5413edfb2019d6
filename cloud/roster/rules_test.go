package roster_test

import (
	"errors"
	"slices"
	"testing"

	"doorsync/cloud/roster"
	"doorsync/protocol"
)

// The vendor of the first two seeds: readers stand last.
func TestReadersLast(t *testing.T) {
	expires := func(s string) map[protocol.Field]protocol.Value {
		return map[protocol.Field]protocol.Value{protocol.FieldValidity: {Second: s}}
	}
	setup := func(t *testing.T) (*center, *site, *site) {
		c := newCenter(t, "A", "B")
		c.put("5", roster.Patch{
			Set: map[protocol.Field]protocol.Value{
				protocol.FieldFirstName: protocol.Text("Anna"), protocol.FieldLastName: protocol.Text("Berg"),
				protocol.FieldValidity: {Second: "2027-01-01T00:00:00Z"},
			},
			Give: []protocol.Credential{{Kind: protocol.KindSecureCard, Format: protocol.FormatNumber, Number: "77"}},
		})
		a, b := c.site("A"), c.site("B")
		a.pull()
		b.pull()
		return c, a, b
	}
	t.Run("reaches all", func(t *testing.T) {
		_, a, b := setup(t)
		wantEvents(t, events(a.edit(protocol.Edit{UserID: "6", New: true, Values: name("Carl"), Given: []protocol.Credential{protocol.Card(6)}})))
		// The user has a smart card, and takes everything else all the same.
		wantEvents(t, events(a.edit(protocol.Edit{
			UserID: "5", Given: []protocol.Credential{protocol.Card(5)},
			Values: map[protocol.Field]protocol.Value{protocol.FieldPIN: {First: "1234"}},
		})))
		b.pull()
		five := b.users()["5"]
		if !five.Has(protocol.Card(5).Key()) || five.Value(protocol.FieldPIN).First != "1234" || len(five.Credentials) != 2 {
			t.Fatalf("5 at B: %+v", five)
		}
		if !b.users()["6"].Has(protocol.Card(6).Key()) {
			t.Fatal("6 is not at B")
		}
	})
	t.Run("does not reach the center", func(t *testing.T) {
		c, a, b := setup(t)
		before := c.Revision()
		// The site holds all that decides, and says so in its own journal.
		wantEvents(t, events(a.edit(protocol.Edit{UserID: "5", Values: expires("2030-01-01T00:00:00Z")})))
		if c.Revision() != before {
			t.Fatal("an edit that changes nothing has a revision")
		}
		a.pull()
		if a.journal != 1 {
			t.Fatal("the site is not told that its edit is taken")
		}
		wantEvents(t, events(a.edit(protocol.Edit{UserID: "5", Values: name("Somebody Else")})))
		b.pull()
		if u := b.users()["5"]; u.FullName() != "Anna Berg" || u.Value(protocol.FieldValidity).Second != "2027-01-01T00:00:00Z" {
			t.Fatalf("5 at B: %+v", u)
		}
		a.edit(protocol.Edit{UserID: "6", New: true, Values: name("Carl")})
		a.pull()
		b.pull()
		b.edit(protocol.Edit{UserID: "6", Values: name("Carla")})
		wantName(t, c.user("6").User, "Carl")
	})
	t.Run("a site that could not know is told", func(t *testing.T) {
		c, a, _ := setup(t)
		c.put("5", roster.Patch{Set: map[protocol.Field]protocol.Value{protocol.FieldPIN: {First: "1111"}}})
		got := a.edit(protocol.Edit{UserID: "5", Values: map[protocol.Field]protocol.Value{protocol.FieldPIN: {First: "2222"}}})
		wantEvents(t, events(got), protocol.EventValueNotKept)
		if d := got.Verdicts[0].Detail; d != "pin: held by office" {
			t.Fatalf("detail %q", d)
		}
	})
	t.Run("readers first and latest", func(t *testing.T) {
		c, a, b := setup(t)
		must(t, c.SetOrder(t.Context(), anna, protocol.Rules{Order: []protocol.Source{"readers", "office"}, Settle: protocol.SettleLatest}))
		a.edit(protocol.Edit{UserID: "5", Values: expires("2030-01-01T00:00:00Z")})
		a.edit(protocol.Edit{UserID: "5", Values: name("Somebody Else")})
		a.edit(protocol.Edit{UserID: "5", Values: name("Third")})
		b.pull()
		if u := b.users()["5"]; u.FullName() != "Third" || u.Value(protocol.FieldValidity).Second != "2030-01-01T00:00:00Z" {
			t.Fatalf("5 at B: %+v", u)
		}
		if b.settings == nil || b.settings.Rules.Order[0] != protocol.SourceReaders {
			t.Fatal("the site does not know the rules")
		}
	})
	t.Run("the order is changed afterwards", func(t *testing.T) {
		c, a, b := setup(t)
		a.edit(protocol.Edit{UserID: "5", Values: name("Somebody Else")})
		must(t, c.SetOrder(t.Context(), anna, protocol.Rules{Order: []protocol.Source{"readers", "office"}, Settle: protocol.SettleFirst}))
		b.pull()
		b.agree()
		wantName(t, b.users()["5"], "Somebody Else")
		must(t, c.SetOrder(t.Context(), anna, protocol.DefaultRules()))
		b.pull()
		b.agree()
		wantName(t, b.users()["5"], "Anna Berg")
	})
}

// The table of the fourth seed: what is imported stands above what exists.
func TestImportedAboveExisting(t *testing.T) {
	c := newCenter(t, "A")
	must(t, c.SetOrder(t.Context(), anna, protocol.Rules{Order: []protocol.Source{"readers", "office"}, Settle: protocol.SettleFirst}))
	existing := c.put("123", roster.Patch{
		Set: map[protocol.Field]protocol.Value{
			protocol.FieldFirstName: protocol.Text("Andrew"), protocol.FieldLastName: protocol.Text("Smith"),
			protocol.FieldEmail: protocol.Text("asmith@genetec.com"), protocol.FieldState: protocol.Text(protocol.StateInactive),
			protocol.FieldValidity:           {First: "2018-10-25T00:00:00Z", Second: "2020-10-25T00:00:00Z"},
			protocol.FieldAntipassbackExempt: protocol.Text("enabled"), protocol.FieldExtendedGrant: protocol.Text("enabled"),
		},
		Give: []protocol.Credential{protocol.Card(2)}, Join: []string{"Group 2"},
	})
	a := c.site("A")
	a.edit(protocol.Edit{
		UserID: "789", New: true, Groups: []string{"Group 1"}, Given: []protocol.Credential{protocol.Card(1)},
		Values: map[protocol.Field]protocol.Value{
			protocol.FieldFirstName: protocol.Text("Andrew"), protocol.FieldLastName: protocol.Text("Smith"),
			protocol.FieldPicture: {First: "hash", Second: "image/jpeg"}, protocol.FieldState: protocol.Text(protocol.StateActive),
			protocol.FieldValidity:           {First: "2017-10-25T00:00:00Z"},
			protocol.FieldAntipassbackExempt: protocol.Text("enabled"), protocol.FieldExtendedGrant: protocol.Text("disabled"),
		},
	})
	u, err := c.Merge(t.Context(), anna, "789", "123")
	must(t, err)
	if u.GUID != existing.GUID {
		t.Fatal("the older GUID did not survive")
	}
	for f, want := range map[protocol.Field]protocol.Value{
		protocol.FieldFirstName: {First: "Andrew"}, protocol.FieldLastName: {First: "Smith"},
		protocol.FieldEmail: {First: "asmith@genetec.com"}, protocol.FieldPicture: {First: "hash", Second: "image/jpeg"},
		protocol.FieldState: {First: protocol.StateActive}, protocol.FieldValidity: {First: "2017-10-25T00:00:00Z"},
		protocol.FieldAntipassbackExempt: {First: "enabled"}, protocol.FieldExtendedGrant: {First: "disabled"},
	} {
		if got := u.User.Value(f); got != want {
			t.Errorf("%s: want %q, got %q", f, want.First, got.First)
		}
	}
	if len(u.User.Credentials) != 2 || !slices.Equal(u.User.Groups, []string{"Group 1", "Group 2"}) {
		t.Errorf("relationships: %+v", u.User)
	}
	a.pull()
	a.agree()
	if len(a.users()) != 1 {
		t.Error("both are still there")
	}
}

func TestTakingAway(t *testing.T) {
	t.Run("withdrawn, blank", func(t *testing.T) {
		c := newCenter(t, "A")
		a := c.site("A")
		a.edit(protocol.Edit{UserID: "5", New: true, Values: name("Anna"), Given: []protocol.Credential{protocol.Card(1)}})
		c.put("5", roster.Patch{Set: name("Office Name")})
		wantName(t, c.user("5").User, "Office Name")
		c.put("5", roster.Patch{Withdraw: []protocol.Field{protocol.FieldName}})
		wantName(t, c.user("5").User, "Anna")
		c.put("5", roster.Patch{Blank: []protocol.Field{protocol.FieldName}})
		wantName(t, c.user("5").User, "")
	})
	t.Run("an element leaves when all withdrew it", func(t *testing.T) {
		c := newCenter(t, "A")
		a := c.site("A")
		a.edit(protocol.Edit{UserID: "5", New: true, Given: []protocol.Credential{protocol.Card(1)}, Groups: []string{"staff"}})
		_, err := c.Put(t.Context(), anna, "5", roster.Patch{TakeBack: []protocol.CredentialKey{protocol.Card(1).Key()}})
		if !errors.Is(err, roster.ErrNotFound) {
			t.Fatalf("took back what it never gave: %v", err)
		}
		c.put("5", roster.Patch{Give: []protocol.Credential{protocol.Card(1), protocol.Card(2)}})
		u := c.put("5", roster.Patch{TakeBack: []protocol.CredentialKey{protocol.Card(1).Key(), protocol.Card(2).Key()}, Leave: []string{"staff"}})
		if !u.User.Has(protocol.Card(1).Key()) || u.User.Has(protocol.Card(2).Key()) || len(u.User.Groups) != 0 {
			t.Fatalf("after: %+v", u.User)
		}
	})
	t.Run("a card of somebody else", func(t *testing.T) {
		c := newCenter(t)
		c.put("5", roster.Patch{Give: []protocol.Credential{protocol.Card(1)}})
		_, err := c.Put(t.Context(), anna, "6", roster.Patch{Give: []protocol.Credential{protocol.Card(1)}})
		held, ok := errors.AsType[*roster.CredentialHeldError](err)
		if !ok || held.Holder != "5" {
			t.Fatalf("given twice: %v", err)
		}
		if _, err := c.User(t.Context(), "6"); !errors.Is(err, roster.ErrNotFound) {
			t.Fatal("the refused put left a user behind")
		}
		c.put("5", roster.Patch{TakeBack: []protocol.CredentialKey{protocol.Card(1).Key()}})
		c.put("6", roster.Patch{Give: []protocol.Credential{protocol.Card(1)}})
	})
	t.Run("revoked and allowed", func(t *testing.T) {
		c := newCenter(t, "A")
		a := c.site("A")
		k := protocol.Card(1).Key()
		a.edit(protocol.Edit{UserID: "5", New: true, Given: []protocol.Credential{protocol.Card(1)}})
		a.pull()
		must(t, c.Revoke(t.Context(), anna, k))
		a.pull()
		a.agree()
		if a.users()["5"].Has(k) || len(a.settings.Revoked) != 1 {
			t.Fatal("it still opens")
		}
		wantEvents(t, events(a.edit(protocol.Edit{UserID: "5", Given: []protocol.Credential{protocol.Card(1)}})), protocol.EventCredentialRefused)
		wantEvents(t, events(a.edit(protocol.Edit{UserID: "6", New: true, Given: []protocol.Credential{protocol.Card(1)}})), protocol.EventCredentialRefused)
		if _, err := c.Put(t.Context(), anna, "7", roster.Patch{Give: []protocol.Credential{protocol.Card(1)}}); err == nil {
			t.Fatal("a revoked card was given")
		}
		list, err := c.Revoked(t.Context())
		must(t, err)
		if len(list) != 1 || list[0].Holder != "5" {
			t.Fatalf("revoked: %+v", list)
		}
		must(t, c.Allow(t.Context(), anna, k))
		a.pull()
		a.agree()
		if !a.users()["5"].Has(k) || a.users()["6"].Has(k) || len(a.settings.Revoked) != 0 {
			t.Fatalf("allowed: %+v", a.users())
		}
	})
	t.Run("revoked before anybody has it", func(t *testing.T) {
		c := newCenter(t, "A")
		a := c.site("A")
		must(t, c.Revoke(t.Context(), anna, protocol.Card(9).Key()))
		a.pull()
		if len(a.settings.Revoked) != 1 {
			t.Fatal("the site does not know")
		}
		wantEvents(t, events(a.edit(protocol.Edit{UserID: "5", New: true, Given: []protocol.Credential{protocol.Card(9)}})), protocol.EventCredentialRefused)
	})
	t.Run("deleted and restored", func(t *testing.T) {
		c := newCenter(t, "A")
		a := c.site("A")
		u := c.put("5", roster.Patch{Set: name("Anna"), Give: []protocol.Credential{protocol.Card(1), protocol.Card(2)}, Join: []string{"staff"}})
		a.pull()
		must(t, c.Delete(t.Context(), anna, "5"))
		a.pull()
		if len(a.users()) != 0 {
			t.Fatal("still there")
		}
		page, err := c.Users(t.Context(), roster.Query{Removed: true})
		must(t, err)
		if len(page.Users) != 1 || page.Users[0].ID != "5" || !page.Users[0].Removed {
			t.Fatalf("deleted: %+v", page)
		}
		c.put("6", roster.Patch{Give: []protocol.Credential{protocol.Card(2)}})
		back, err := c.Restore(t.Context(), anna, "5")
		must(t, err)
		if back.GUID != u.GUID || back.User.FullName() != "Anna" || !back.User.Has(protocol.Card(1).Key()) || back.User.Has(protocol.Card(2).Key()) {
			t.Fatalf("restored: %+v", back)
		}
		a.pull()
		a.agree()
		wantName(t, a.users()["5"], "Anna")
	})
}

func TestExplain(t *testing.T) {
	c := newCenter(t, "A")
	a := c.site("A")
	a.edit(protocol.Edit{UserID: "5", New: true, Given: []protocol.Credential{protocol.Card(123456)}, Values: map[protocol.Field]protocol.Value{
		protocol.FieldName: protocol.Text("Reader Name"), protocol.FieldPIN: {First: "4711"},
	}})
	c.put("5", roster.Patch{Set: name("Office Name"), Join: []string{"staff"}})
	got, err := c.Explain(t.Context(), "5")
	must(t, err)
	byName := map[string]roster.Explained{}
	for _, e := range got {
		byName[e.Name] = e
	}
	if e := byName["name"]; e.Shown != "Office Name" || e.Source != "office" || len(e.Others) != 1 || e.Others[0].Shown != "Reader Name" {
		t.Errorf("name: %+v", e)
	}
	if e := byName["pin"]; e.Shown != "****" || e.Source != "readers" {
		t.Errorf("pin: %+v", e)
	}
	if e := byName["card …3456"]; !e.Active || e.Source != "readers" {
		t.Errorf("card: %+v", got)
	}
	if e := byName["staff"]; !e.Active || e.Source != "office" {
		t.Errorf("group: %+v", e)
	}
}
