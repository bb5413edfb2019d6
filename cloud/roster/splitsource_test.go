package roster_test

import (
	"testing"

	"doorsync/cloud/roster"
	"doorsync/protocol"
)

// imported takes in persons of source hr.
func (c *center) imported(persons ...roster.Person) {
	c.t.Helper()
	c.tick()
	_, err := c.Import(c.t.Context(), anna, roster.Import{
		Source: "hr", Run: 1, Revision: c.Revision(), Effect: func(roster.Effect) {},
		Persons: func(yield func(roster.Person, error) bool) {
			for _, p := range persons {
				if !yield(p, nil) {
					return
				}
			}
		},
	})
	must(c.t, err)
}

func word(sync string, values map[protocol.Field]protocol.Value, cards ...protocol.Credential) roster.Word {
	return roster.Word{Line: 1, Identity: roster.IdentityOf(sync), SyncID: sync, Digest: 1, Values: values, Credentials: cards}
}

// rowOf is whom a row of hr names.
func (c *center) rowOf(sync string) (out roster.SourceUser) {
	c.t.Helper()
	must(c.t, c.Survey(c.t.Context(), "hr", func(s *roster.Survey) error {
		row, ok, err := s.NamedOne(roster.IdentityOf(sync))
		if err == nil && !ok {
			c.t.Fatalf("no row %s", sync)
		}
		out = row
		return err
	}))
	return out
}

func TestSplitSource(t *testing.T) {
	title := func(s string) map[protocol.Field]protocol.Value {
		return map[protocol.Field]protocol.Value{protocol.FieldTitle: protocol.Text(s)}
	}
	setup := func(t *testing.T) (*center, *site, *site) {
		c, a, b := two(t)
		must(t, c.AddSource(t.Context(), anna, roster.SourceRow{Name: "hr", Kind: "csv", Keys: []roster.Key{roster.KeyEmail}}))
		return c, a, b
	}
	t.Run("wrongly associated", func(t *testing.T) {
		c, a, b := setup(t)
		before := c.user("1")
		c.imported(roster.Person{GUID: before.GUID, By: roster.KeyEmail, Words: []roster.Word{word("x", title("Dr."), protocol.Card(9))}})
		c.inStep(a, b)
		u, err := c.Split(t.Context(), anna, "1", roster.SplitOptions{Source: "hr"})
		must(t, err)
		c.inStep(a, b)
		if cardsOf(u) != "9" || u.User.Value(protocol.FieldTitle).First != "Dr." || u.ID == "1" || u.ID == "" {
			t.Fatalf("split off: %+v", u)
		}
		if one := c.user("1"); cardsOf(one) != "1" || !one.User.Value(protocol.FieldTitle).IsNull() || one.Revision >= u.Revision {
			t.Fatalf("the other: %+v", one)
		}
		if row := c.rowOf("x"); row.GUID != u.GUID || row.Digest != 0 {
			t.Fatalf("the row names %+v", row)
		}
		if again := c.merge("1", u.ID); again.GUID != before.GUID || cardsOf(again) != "1 9" || c.rowOf("x").GUID != before.GUID {
			t.Fatalf("merged: %+v", again)
		}
		c.inStep(a, b)
	})
	t.Run("with the ID that it brought", func(t *testing.T) {
		c, a, b := setup(t)
		values := title("Dr.")
		values[protocol.FieldUserID] = protocol.Text("77")
		c.imported(roster.Person{GUID: c.user("1").GUID, By: roster.KeyEmail, Words: []roster.Word{word("x", values)}})
		u, err := c.Split(t.Context(), anna, "1", roster.SplitOptions{Source: "hr"})
		must(t, err)
		c.inStep(a, b)
		if u.ID != "77" || len(c.user("1").Aliases) > 0 {
			t.Fatalf("split off: %+v", u)
		}
	})
	t.Run("one of several rows", func(t *testing.T) {
		c, a, b := setup(t)
		c.imported(roster.Person{GUID: c.user("1").GUID, By: roster.KeyEmail, Words: []roster.Word{word("x", title("Dr.")), word("y", title("Prof."))}})
		_, err := c.Split(t.Context(), anna, "1", roster.SplitOptions{Source: "hr"})
		wantsWords(t, err, roster.ErrInvalid, "by 2 rows")
		y := roster.IdentityOf("y")
		u, err := c.Split(t.Context(), anna, "1", roster.SplitOptions{Source: "hr", Identity: &y, UserID: "50"})
		must(t, err)
		if u.ID != "50" || c.rowOf("y").GUID != u.GUID || c.rowOf("x").GUID == u.GUID || c.rowOf("x").Digest != 0 {
			t.Fatalf("split off: %+v", u)
		}
		c.imported(
			roster.Person{GUID: c.user("1").GUID, Words: []roster.Word{word("x", title("Dr."))}},
			roster.Person{GUID: u.GUID, Words: []roster.Word{word("y", title("Prof."))}},
		)
		c.inStep(a, b)
		if c.user("1").User.Value(protocol.FieldTitle).First != "Dr." || c.user("50").User.Value(protocol.FieldTitle).First != "Prof." {
			t.Fatal("the next import does not tell them apart")
		}
	})
	t.Run("nothing to split", func(t *testing.T) {
		c, _, _ := setup(t)
		for _, test := range []struct {
			source protocol.Source
			is     error
			words  string
		}{
			{"hr", roster.ErrNotFound, "says nothing about user 1"}, {"office", roster.ErrInvalid, "name a source"}, {"nobody", roster.ErrNotFound, "nobody"},
		} {
			_, err := c.Split(t.Context(), anna, "1", roster.SplitOptions{Source: test.source})
			wantsWords(t, err, test.is, test.words)
		}
		c.imported(roster.Person{Words: []roster.Word{word("z", map[protocol.Field]protocol.Value{protocol.FieldUserID: protocol.Text("90")})}})
		_, err := c.Split(t.Context(), anna, "90", roster.SplitOptions{Source: "hr"})
		wantsWords(t, err, roster.ErrInvalid, "alone introduced")
	})
	t.Run("a card that the office gave too stays", func(t *testing.T) {
		c, a, b := setup(t)
		c.imported(roster.Person{GUID: c.user("1").GUID, By: roster.KeyEmail, Words: []roster.Word{word("x", title("Dr."), protocol.Card(1))}})
		u, err := c.Split(t.Context(), anna, "1", roster.SplitOptions{Source: "hr"})
		must(t, err)
		c.inStep(a, b)
		if cardsOf(c.user("1")) != "1" || cardsOf(u) != "" {
			t.Fatalf("cards %q and %q", cardsOf(c.user("1")), cardsOf(u))
		}
	})
	t.Run("a merge with rows of one source, undone", func(t *testing.T) {
		c, a, b := setup(t)
		c.imported(
			roster.Person{GUID: c.user("1").GUID, By: roster.KeyEmail, Words: []roster.Word{word("x", title("Dr."))}},
			roster.Person{GUID: c.user("2").GUID, By: roster.KeyEmail, Words: []roster.Word{word("y", title("Prof."))}},
		)
		two := c.user("2").GUID
		one := c.merge("1", "2")
		if c.rowOf("x").Digest != 0 || c.rowOf("y") != (roster.SourceUser{Identity: roster.IdentityOf("y"), GUID: one.GUID}) {
			t.Fatalf("rows %+v %+v", c.rowOf("x"), c.rowOf("y"))
		}
		c.imported(roster.Person{GUID: one.GUID, Words: []roster.Word{word("x", title("Dr.")), word("y", title("Prof."))}})
		c.split("1")
		c.inStep(a, b)
		if c.rowOf("y").GUID != two || c.rowOf("x").GUID != one.GUID || c.rowOf("y").Digest != 0 || c.rowOf("x").Digest != 0 {
			t.Fatalf("rows %+v %+v", c.rowOf("x"), c.rowOf("y"))
		}
		if c.user("1").User.Value(protocol.FieldTitle).First != "Dr." || c.user("2").User.Value(protocol.FieldTitle).First != "Prof." {
			t.Fatal("titles are not apart")
		}
	})
}
