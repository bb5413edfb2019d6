package roster_test

import (
	"errors"
	"testing"

	"doorsync/cloud/roster"
	"doorsync/protocol"
)

// holder is who has a card, by user ID.
func (c *center) holder(n uint64) (out string) {
	c.t.Helper()
	page, err := c.Users(c.t.Context(), roster.Query{})
	must(c.t, err)
	for _, u := range page.Users {
		if u.User.Has(protocol.Card(n).Key()) {
			out += u.ID
		}
	}
	return out
}

// A credential belongs to one user, and is never moved silently.
func TestImportRefuses(t *testing.T) {
	person := func(id string, cards ...uint64) roster.Word {
		w := row("S"+id, texts("user_id", id, "phone", id))
		for _, n := range cards {
			w.Credentials = append(w.Credentials, protocol.Card(n))
		}
		return w
	}
	for name, test := range map[string]func(t *testing.T, c *center){
		"what somebody else has, and nothing else of the record": func(t *testing.T, c *center) {
			c.put("9", roster.Patch{Give: []protocol.Credential{protocol.Card(1)}})
			got, counts := c.feed("hr", person("1", 1, 2))
			wantKinds(t, got, roster.EffectNew, roster.EffectRefused)
			if got[1].Holder != "9" || got[1].Credential != "card …1" || counts.Refused != 1 || got[1].Line != 2 {
				t.Fatalf("%+v", got[1])
			}
			if c.holder(1) != "9" || c.holder(2) != "1" || c.user("1").User.Value(protocol.FieldPhone).First != "1" {
				t.Fatal("more than the card was refused")
			}
			got, _ = c.feed("hr", person("1", 1, 2))
			wantKinds(t, got, roster.EffectRefused) // until somebody mends it
			_, err := c.Put(t.Context(), anna, "9", roster.Patch{TakeBack: []protocol.CredentialKey{protocol.Card(1).Key()}})
			must(t, err)
			got, _ = c.feed("hr", person("1", 1, 2))
			wantKinds(t, got, roster.EffectUpdated)
			if c.holder(1) != "1" {
				t.Fatal("a card that has become free is not given by the next import")
			}
			got, _ = c.feed("hr", person("1", 1, 2))
			wantKinds(t, got)
		},
		"what two rows give, to the second": func(t *testing.T, c *center) {
			got, _ := c.feed("hr", person("1", 1), person("2", 1))
			wantKinds(t, got, roster.EffectNew, roster.EffectNew, roster.EffectRefused)
			if c.holder(1) != "1" || got[2].UserID != "2" || got[2].Holder != "1" {
				t.Fatalf("%+v", got[2])
			}
		},
		"not a card that moved to a row further up": func(t *testing.T, c *center) {
			c.feed("hr", person("1"), person("2", 1))
			got, _ := c.feed("hr", person("1", 1), person("2"))
			wantKinds(t, got, roster.EffectUpdated, roster.EffectUpdated) // its loss, its gain: the first row had nothing to tell
			if c.holder(1) != "1" {
				t.Fatal("the card did not move")
			}
			got, _ = c.feed("hr", person("1", 1), person("2"))
			wantKinds(t, got)
		},
		"not cards that were swapped": func(t *testing.T, c *center) {
			c.feed("hr", person("1", 1), person("2", 2))
			c.feed("hr", person("1", 2), person("2", 1))
			if c.holder(1) != "2" || c.holder(2) != "1" {
				t.Fatal("the cards were not swapped")
			}
		},
		"not a card of somebody who is gone": func(t *testing.T, c *center) {
			c.feed("hr", person("1", 1))
			got, _ := c.feed("hr", person("2", 1))
			wantKinds(t, got, roster.EffectRemoved, roster.EffectNew)
			if c.holder(1) != "2" {
				t.Fatal("the card did not move")
			}
		},
		"a revoked card of somebody else or nobody": func(t *testing.T, c *center) {
			must(t, c.Revoke(t.Context(), anna, protocol.Card(1).Key()))
			got, _ := c.feed("hr", person("1", 1))
			wantKinds(t, got, roster.EffectNew, roster.EffectRefused)
			if c.holder(1) != "" {
				t.Fatal("a revoked card opens")
			}
			must(t, c.Allow(t.Context(), anna, protocol.Card(1).Key()))
			got, _ = c.feed("hr", person("1", 1))
			wantKinds(t, got, roster.EffectUpdated)
			if c.holder(1) != "1" {
				t.Fatal("allowed, it is not given")
			}
		},
		"a revoked card of one's own is kept for the day": func(t *testing.T, c *center) {
			c.put("1", roster.Patch{Give: []protocol.Credential{protocol.Card(1)}})
			must(t, c.Revoke(t.Context(), anna, protocol.Card(1).Key()))
			got, _ := c.feed("hr", person("1", 1))
			wantKinds(t, got, roster.EffectAssociated, roster.EffectRefused)
			_, err := c.Put(t.Context(), anna, "1", roster.Patch{})
			must(t, err)
			must(t, c.Allow(t.Context(), anna, protocol.Card(1).Key()))
			if c.holder(1) != "1" {
				t.Fatal("allowed, it does not open")
			}
		},
	} {
		for _, spill := range []int{1, 512} {
			t.Run(name, func(t *testing.T) {
				c := newCenter(t, "A")
				c.SpillAt(spill)
				c.addSource("hr", roster.GoneRemoveOnly, roster.KeyUserID)
				test(t, c)
				c.settles(t)
			})
		}
	}
}

// An import that was planned before somebody else could be found is not carried
// out.
func TestImportStale(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(t *testing.T, c *center)
		stale  bool
	}{
		"nothing changed": {func(*testing.T, *center) {}, false},
		"somebody else changed": {func(_ *testing.T, c *center) {
			c.put("9", roster.Patch{Set: texts("email", "b@example.org")})
		}, false},
		"a user with the key came": {func(_ *testing.T, c *center) {
			c.put("9", roster.Patch{Set: texts("email", "A@example.org")})
		}, true},
		"a reader said so": {func(_ *testing.T, c *center) {
			c.site("A").edit(protocol.Edit{UserID: "9", New: true, Values: texts("email", "a@example.org")})
		}, true},
		"the source looks by other keys": {func(t *testing.T, c *center) {
			must(t, c.SetSource(t.Context(), anna, roster.SourceRow{Name: "hr", Keys: []roster.Key{roster.KeyUserID}}))
		}, true},
		"somebody decided": {func(t *testing.T, c *center) {
			must(t, c.Decide(t.Context(), anna, "hr", roster.IdentityOf("S1"), ""))
		}, true},
		"another run came first": {func(_ *testing.T, c *center) {
			c.feed("hr", row("S9", texts("email", "c@example.org")))
		}, true},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCenter(t, "A")
			c.addSource("hr", roster.GoneRemoveOnly, roster.KeyEmail)
			in, _ := c.plan("hr", []roster.Word{row("S1", texts("email", "a@example.org"))})
			tc.change(t, c)
			before := c.dump()
			_, _, err := c.carryOut(in)
			if errors.Is(err, roster.ErrStale) != tc.stale || (err != nil && !tc.stale) {
				t.Fatalf("error %v", err)
			}
			if tc.stale && c.dump() != before {
				t.Fatal("a stale import left something")
			}
		})
	}
}

// The user whom a row was associated with is deleted before the import.
func TestImportStaleDeleted(t *testing.T) {
	c := newCenter(t, "A")
	c.addSource("hr", roster.GoneRemoveOnly, roster.KeyEmail)
	c.put("9", roster.Patch{Set: texts("email", "a@example.org")})
	in, _ := c.plan("hr", []roster.Word{row("S1", texts("email", "a@example.org"))})
	must(t, c.Delete(t.Context(), anna, "9"))
	if _, _, err := c.carryOut(in); !errors.Is(err, roster.ErrStale) {
		t.Fatal(err)
	}
	got, _ := c.feed("hr", row("S1", texts("email", "a@example.org")))
	wantKinds(t, got, roster.EffectNew)
}

// A person decides whom a row names.
func TestDecide(t *testing.T) {
	c := newCenter(t, "A")
	c.addSource("hr", roster.GoneRemoveOnly, roster.KeyEmail, roster.KeyFullName)
	c.put("1", roster.Patch{Set: texts("email", "a@example.org")})
	c.put("2", roster.Patch{Set: texts("first_name", "Anna")})
	word := row("S1", texts("email", "a@example.org", "first_name", "Anna", "phone", "5"))
	if got, counts := c.feed("hr", word); len(got) > 0 || counts.Undecided != 1 {
		t.Fatalf("guessed: %+v", got)
	}
	if err := c.Decide(t.Context(), anna, "hr", word.Identity, "3"); !errors.Is(err, roster.ErrNotFound) {
		t.Fatalf("nobody was decided on: %v", err)
	}
	must(t, c.Decide(t.Context(), anna, "hr", word.Identity, "2"))
	c.feed("hr", word)
	if c.user("2").User.Value(protocol.FieldPhone).First != "5" || c.user("1").User.Value(protocol.FieldPhone).First != "" {
		t.Fatal("not as decided")
	}
	if err := c.Decide(t.Context(), anna, "hr", word.Identity, "1"); !errors.Is(err, roster.ErrExists) {
		t.Fatalf("what the source said of user 2 would be left there: %v", err)
	}
	other := row("S2", texts("email", "a@example.org", "first_name", "Anna"))
	must(t, c.Decide(t.Context(), anna, "hr", other.Identity, ""))
	got, _ := c.feed("hr", word, other)
	wantKinds(t, got, roster.EffectNew)
	c.settles(t)
}
