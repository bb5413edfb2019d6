package roster_test

import (
	"slices"
	"testing"

	"doorsync/cloud/roster"
	"doorsync/protocol"
)

// knownTo has a user introduced by other sources than it was.
func (c *center) knownTo(id string, by ...protocol.Source) {
	c.t.Helper()
	guid := c.user(id).GUID
	must(c.t, c.store.Update(c.t.Context(), func(tx roster.Tx) error {
		row, _, err := tx.User(guid)
		if err != nil {
			return err
		}
		row.Known = by
		return tx.PutUsers([]*roster.UserRow{&row})
	}))
	c.open()
}

// What the office gave to somebody whom an import had created is dropped when
// that one turns out to be an older one; what came otherwise is united.
func TestRelationshipsOfTheOffice(t *testing.T) {
	for _, test := range []struct {
		name   string
		known  []protocol.Source
		cards  string
		groups []string
	}{
		{"created by an import", []protocol.Source{"hr"}, "1 2", []string{"it", "staff"}},
		{"created by two imports", []protocol.Source{"hr", "payroll"}, "1 2", []string{"it", "staff"}},
		{"created by the office", []protocol.Source{protocol.SourceOffice}, "1 2 7", []string{"it", "lab", "staff"}},
		{"known to the office too", []protocol.Source{"hr", protocol.SourceOffice}, "1 2 7", []string{"it", "lab", "staff"}},
		{"enrolled at a reader too", []protocol.Source{"hr", protocol.SourceReaders}, "1 2 7", []string{"it", "lab", "staff"}},
		{"from before this was kept", nil, "1 2 7", []string{"it", "lab", "staff"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			c, a, b := two(t)
			c.put("2", roster.Patch{
				Give: []protocol.Credential{protocol.Card(7)}, Join: []string{"lab"},
				Set: map[protocol.Field]protocol.Value{protocol.FieldTitle: protocol.Text("Dr.")},
			})
			c.knownTo("2", test.known...)
			u := c.merge("1", "2")
			if cardsOf(u) != test.cards || !slices.Equal(u.User.Groups, test.groups) {
				t.Fatalf("cards %q, groups %v", cardsOf(u), u.User.Groups)
			}
			if u.User.Value(protocol.FieldTitle).First != "Dr." {
				t.Error("a value is no relationship")
			}
			c.inStep(a, b)
			c.split("1")
			c.inStep(a, b)
			if got := c.user("2"); cardsOf(got) != "2 7" || !slices.Equal(got.User.Groups, []string{"it", "lab"}) {
				t.Fatalf("split: cards %q, groups %v", cardsOf(got), got.User.Groups)
			}
		})
	}
	t.Run("the older one keeps its own", func(t *testing.T) {
		c, _, _ := two(t)
		c.knownTo("1", "hr")
		if u := c.merge("1", "2"); cardsOf(u) != "1 2" {
			t.Fatalf("cards %q", cardsOf(u))
		}
	})
	t.Run("a card that was dropped is free", func(t *testing.T) {
		c, a, b := two(t)
		c.put("2", roster.Patch{Give: []protocol.Credential{protocol.Card(7)}})
		c.knownTo("2", "hr")
		c.merge("1", "2")
		c.put("3", roster.Patch{Give: []protocol.Credential{protocol.Card(7)}})
		c.split("1")
		c.inStep(a, b)
		if cardsOf(c.user("2")) != "2" || cardsOf(c.user("3")) != "7" {
			t.Fatalf("cards %q and %q", cardsOf(c.user("2")), cardsOf(c.user("3")))
		}
	})
	t.Run("a card that was dropped, then revoked, opens nothing", func(t *testing.T) {
		c, a, b := two(t)
		c.put("2", roster.Patch{Give: []protocol.Credential{protocol.Card(7)}})
		c.knownTo("2", "hr")
		c.merge("1", "2")
		must(t, c.Revoke(t.Context(), anna, protocol.Card(7).Key()))
		c.split("1")
		c.inStep(a, b)
		if cardsOf(c.user("2")) != "2" {
			t.Fatalf("cards %q", cardsOf(c.user("2")))
		}
		must(t, c.Allow(t.Context(), anna, protocol.Card(7).Key()))
		if cardsOf(c.user("2")) != "2 7" {
			t.Fatalf("allowed again: cards %q", cardsOf(c.user("2")))
		}
	})
}
