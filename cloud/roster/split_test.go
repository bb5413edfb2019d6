package roster_test

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"doorsync/cloud/roster"
	"doorsync/protocol"
)

// split takes the one merged in last off a user.
func (c *center) split(id string) roster.UserView {
	c.t.Helper()
	c.tick()
	u, err := c.Split(c.t.Context(), anna, id, roster.SplitOptions{})
	must(c.t, err)
	return u
}

func (c *center) merge(one, other string) roster.UserView {
	c.t.Helper()
	c.tick()
	u, err := c.Merge(c.t.Context(), anna, one, other)
	must(c.t, err)
	return u
}

// two are users 1 and 2, of which 1 is the older.
func two(t *testing.T) (*center, *site, *site) {
	c := newCenter(t, "A", "B")
	a, b := c.site("A"), c.site("B")
	c.put("1", roster.Patch{
		Set: map[protocol.Field]protocol.Value{
			protocol.FieldFirstName: protocol.Text("Anna"), protocol.FieldEmail: protocol.Text("anna@example.org"),
		}, Give: []protocol.Credential{protocol.Card(1)}, Join: []string{"staff"},
	})
	a.edit(protocol.Edit{
		UserID: "2", New: true, Values: map[protocol.Field]protocol.Value{protocol.FieldFirstName: protocol.Text("Bert"), protocol.FieldPhone: protocol.Text("22")},
		Given: []protocol.Credential{protocol.Card(2)}, Groups: []string{"it"},
	})
	return c, a, b
}

// both sites have what the rules give them.
func (c *center) inStep(sites ...*site) {
	c.t.Helper()
	for _, s := range sites {
		s.pull()
	}
	c.holdAgainstRules(c.t, sites...)
}

func cardsOf(u roster.UserView) string {
	var out []string
	for _, cr := range u.User.Credentials {
		out = append(out, cr.Number)
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}

func TestSplit(t *testing.T) {
	t.Run("both are as they were", func(t *testing.T) {
		c, a, b := two(t)
		one, other := c.user("1"), c.user("2")
		c.merge("1", "2")
		c.inStep(a, b)
		back := c.split("1")
		if back.GUID != other.GUID {
			t.Fatal("somebody else came back")
		}
		c.inStep(a, b)
		for _, was := range []roster.UserView{one, other} {
			if now := c.user(was.ID); now.GUID != was.GUID || !reflect.DeepEqual(now.Record, was.Record) || len(now.Aliases) > 0 {
				t.Errorf("user %s:\nwas %+v\nnow %+v", was.ID, was, now)
			}
		}
		if lost, got := c.user("1").Revision, c.user("2").Revision; lost >= got {
			t.Errorf("who lost has revision %d, who got %d", lost, got)
		}
	})
	t.Run("what was said since stays", func(t *testing.T) {
		c, a, b := two(t)
		c.merge("1", "2")
		a.pull()
		a.edit(protocol.Edit{UserID: "2", Values: map[protocol.Field]protocol.Value{protocol.FieldTitle: protocol.Text("Dr.")}, Given: []protocol.Credential{protocol.Card(3)}})
		c.put("1", roster.Patch{Set: map[protocol.Field]protocol.Value{protocol.FieldDepartment: protocol.Text("Sales")}})
		c.split("1")
		c.inStep(a, b)
		one, other := c.user("1"), c.user("2")
		if cardsOf(one) != "1 3" || cardsOf(other) != "2" {
			t.Errorf("cards %q and %q", cardsOf(one), cardsOf(other))
		}
		for f, want := range map[protocol.Field][2]string{
			protocol.FieldTitle: {"Dr.", ""}, protocol.FieldDepartment: {"Sales", ""}, protocol.FieldPhone: {"", "22"}, protocol.FieldFirstName: {"Anna", "Bert"},
		} {
			if got := [2]string{one.User.Value(f).First, other.User.Value(f).First}; got != want {
				t.Errorf("%s: %q", f, got)
			}
		}
	})
	t.Run("a card taken away since stays away", func(t *testing.T) {
		for _, test := range []struct {
			name string
			how  func(*center)
		}{
			{"revoked", func(c *center) { must(t, c.Revoke(t.Context(), anna, protocol.Card(2).Key())) }},
			{"revoked before", func(c *center) {}},
		} {
			t.Run(test.name, func(t *testing.T) {
				c, a, b := two(t)
				if test.name == "revoked before" {
					must(t, c.Revoke(t.Context(), anna, protocol.Card(2).Key()))
				}
				c.merge("1", "2")
				test.how(c)
				c.split("1")
				c.inStep(a, b)
				if cardsOf(c.user("1")) != "1" || cardsOf(c.user("2")) != "" {
					t.Fatalf("cards %q and %q", cardsOf(c.user("1")), cardsOf(c.user("2")))
				}
				must(t, c.Allow(t.Context(), anna, protocol.Card(2).Key()))
				if cardsOf(c.user("1")) != "1" || cardsOf(c.user("2")) != "2" {
					t.Fatalf("allowed again: cards %q and %q", cardsOf(c.user("1")), cardsOf(c.user("2")))
				}
				c.inStep(a, b)
			})
		}
	})
	t.Run("a card that somebody else has by now", func(t *testing.T) {
		c, a, b := two(t)
		c.put("2", roster.Patch{Give: []protocol.Credential{protocol.Card(5)}})
		c.merge("1", "2")
		c.put("1", roster.Patch{TakeBack: []protocol.CredentialKey{protocol.Card(5).Key()}})
		c.put("3", roster.Patch{Give: []protocol.Credential{protocol.Card(5)}})
		c.split("1")
		c.inStep(a, b)
		if cardsOf(c.user("2")) != "2" || cardsOf(c.user("3")) != "5" {
			t.Fatalf("cards %q and %q", cardsOf(c.user("2")), cardsOf(c.user("3")))
		}
	})
	t.Run("renumbered to the other's ID since", func(t *testing.T) {
		c, a, b := two(t)
		c.merge("1", "2")
		c.put("1", roster.Patch{Set: map[protocol.Field]protocol.Value{protocol.FieldUserID: protocol.Text("2")}})
		c.split("2")
		c.inStep(a, b)
		if c.user("1").User.FullName() != "Anna" || c.user("2").User.FullName() != "Bert" {
			t.Fatal("IDs do not find who they did")
		}
	})
	t.Run("one after the other", func(t *testing.T) {
		c, a, b := two(t)
		c.put("3", roster.Patch{Set: name("Carl")})
		three := c.user("3")
		c.merge("2", "3")
		c.merge("1", "2")
		_, err := c.Split(t.Context(), anna, "1", roster.SplitOptions{Merged: three.GUID})
		wantsWords(t, err, roster.ErrInvalid, "split", "off first")
		c.split("1")
		c.inStep(a, b)
		if c.user("3").GUID != c.user("2").GUID || c.user("1").GUID == c.user("2").GUID {
			t.Fatal("3 is not in 2")
		}
		c.split("2")
		c.inStep(a, b)
		wantName(t, c.user("3").User, "Carl")
	})
	t.Run("the one merged before the last", func(t *testing.T) {
		c, _, _ := two(t)
		c.put("3", roster.Patch{Set: name("Carl")})
		c.merge("1", "2")
		c.merge("1", "3")
		_, err := c.Split(t.Context(), anna, "1", roster.SplitOptions{Merged: "2"})
		wantsWords(t, err, roster.ErrInvalid, "after", "off first")
		for _, id := range []string{"3", "2"} {
			u, err := c.Split(t.Context(), anna, "1", roster.SplitOptions{Merged: id})
			must(t, err)
			if u.ID != id {
				t.Fatalf("%s came back for %s", u.ID, id)
			}
		}
	})
	t.Run("after a restart, and by the GUID of who went", func(t *testing.T) {
		c, a, b := two(t)
		guid := c.user("2").GUID
		c.merge("1", "2")
		c.open()
		if u := c.split(guid); u.ID != "2" {
			t.Fatalf("came back: %+v", u)
		}
		c.inStep(a, b)
	})
	t.Run("deleted and restored since", func(t *testing.T) {
		c, a, b := two(t)
		c.merge("1", "2")
		must(t, c.Delete(t.Context(), anna, "1"))
		_, err := c.Split(t.Context(), anna, "1", roster.SplitOptions{})
		wantsWords(t, err, roster.ErrRemoved, "restore it first")
		_, err = c.Restore(t.Context(), anna, "1")
		must(t, err)
		c.split("1")
		c.inStep(a, b)
		if cardsOf(c.user("1")) != "1" || cardsOf(c.user("2")) != "2" {
			t.Fatal("cards are not with whom they came from")
		}
	})
	t.Run("nothing to split", func(t *testing.T) {
		c, _, _ := two(t)
		_, err := c.Split(t.Context(), anna, "1", roster.SplitOptions{})
		wantsWords(t, err, roster.ErrNotFound, "nobody was merged into it")
		c.merge("1", "2")
		_, err = c.Split(t.Context(), anna, "1", roster.SplitOptions{Merged: "9"})
		wantsWords(t, err, roster.ErrNotFound, "among those merged")
	})
	t.Run("who was in conflict needs an ID", func(t *testing.T) {
		c, a, b := two(t)
		b.edit(protocol.Edit{UserID: "2", New: true, Values: name("Carl"), Given: []protocol.Credential{protocol.Card(3)}})
		list, err := c.Conflicts(t.Context())
		must(t, err)
		_, err = c.Split(t.Context(), anna, list[0].User.GUID, roster.SplitOptions{})
		wantsWords(t, err, roster.ErrInvalid, "resolve that first")
		_, err = c.Resolve(t.Context(), anna, list[0].User.GUID, roster.Resolution{MergeInto: "2"})
		must(t, err)
		_, err = c.Split(t.Context(), anna, "2", roster.SplitOptions{})
		wantsWords(t, err, roster.ErrInvalid, "was in conflict", "which one it is to have")
		_, err = c.Split(t.Context(), anna, "2", roster.SplitOptions{UserID: "1"})
		wantsWords(t, err, roster.ErrExists, "user 1")
		u, err := c.Split(t.Context(), anna, "2", roster.SplitOptions{UserID: "30"})
		must(t, err)
		if u.ID != "30" || u.User.FullName() != "Carl" || cardsOf(u) != "3" || cardsOf(c.user("2")) != "2" {
			t.Fatalf("came back: %+v", u)
		}
		c.inStep(a, b)
	})
	t.Run("a failed commit splits nobody", func(t *testing.T) {
		c, a, b := two(t)
		c.merge("1", "2")
		f := &failing{Store: c.store, fail: true}
		c.store = f
		c.open()
		if _, err := c.Split(t.Context(), anna, "1", roster.SplitOptions{}); !errors.Is(err, errCommit) {
			t.Fatal(err)
		}
		f.fail = false
		if cardsOf(c.user("1")) != "1 2" {
			t.Fatal("half of it is there")
		}
		c.split("1")
		c.inStep(a, b)
	})
}

func wantsWords(t *testing.T, err, is error, words ...string) {
	t.Helper()
	if !errors.Is(err, is) {
		t.Fatalf("want %v, got %v", is, err)
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Fatalf("%q is not in %q", w, err)
		}
	}
}

// said is a record without what a merge and its undoing leave behind: stamps of
// the user ID, which is said again.
func said(rec protocol.Record) protocol.Record {
	rec.Values = maps.Clone(rec.Values)
	if h, ok := rec.Values[protocol.FieldUserID]; ok {
		rec.Values[protocol.FieldUserID] = protocol.Holding{Value: h.Value}
	}
	return rec
}

// Merging and splitting undo each other, whatever the two went through before.
func TestMergeAndSplitUndoEachOther(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w, end := newWorld(t)
		defer end()
		if rapid.Bool().Draw(rt, "has sources") {
			w.addSource("hr", anyGone(rt), anyKeys(rt)...)
			w.addSource("badges", anyGone(rt), anyKeys(rt)...)
		}
		for range rapid.IntRange(4, 25).Draw(rt, "steps") {
			switch rapid.IntRange(0, 4).Draw(rt, "step") {
			case 0:
				w.edit(rt)
			case 1:
				w.deliver(rt)
			case 2:
				w.source(rt)
			default:
				w.office(rt)
			}
		}
		page, err := w.Users(t.Context(), roster.Query{})
		must(t, err)
		var apart []roster.UserView
		for _, u := range page.Users {
			if u.Conflict == "" {
				apart = append(apart, u)
			}
		}
		if len(apart) < 2 {
			return
		}
		one, other := apart[0], apart[1]
		merged, err := w.Merge(t.Context(), anna, one.GUID, other.GUID)
		must(t, err)
		_, err = w.Split(t.Context(), anna, merged.GUID, roster.SplitOptions{})
		must(t, err)
		for _, was := range []roster.UserView{one, other} {
			now := w.user(was.GUID)
			if !reflect.DeepEqual(said(now.Record), said(was.Record)) || now.ID != was.ID || !slices.Equal(now.Aliases, was.Aliases) {
				rt.Fatalf("user %s, merged and split:\nwas %s\nnow %s", was.ID, shown(was), shown(now))
			}
		}
		if rapid.Bool().Draw(rt, "again") {
			again, err := w.Merge(t.Context(), anna, one.GUID, other.GUID)
			must(t, err)
			if again.GUID != merged.GUID || !reflect.DeepEqual(said(again.Record), said(merged.Record)) || !slices.Equal(again.Aliases, merged.Aliases) {
				rt.Fatalf("merged, split and merged:\nwas %s\nnow %s", shown(merged), shown(again))
			}
		}
		w.source(rt)
		w.settled(rt)
		must(t, w.Reindex(t.Context()))
		must(t, w.Check(t.Context()))
	})
}

func shown(u roster.UserView) string {
	return fmt.Sprintf("%s %v %+v %+v %+v", u.ID, u.Aliases, u.Record.Values, u.Record.Credentials, u.Record.Groups)
}
