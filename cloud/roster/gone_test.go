package roster_test

import (
	"slices"
	"strings"
	"testing"

	"doorsync/cloud/roster"
	"doorsync/protocol"
)

// What becomes of a user whom a source no longer names, by who else knew them.
func TestGone(t *testing.T) {
	const (
		here     = "here as it was"
		bare     = "here without the source's word"
		inactive = "here and inactive"
		away     = "removed"
	)
	known := map[string]func(c *center){
		"only the source": func(*center) {},
		"the office too": func(c *center) {
			c.put("5", roster.Patch{Set: texts("title", "Dr.")})
		},
		"readers too": func(c *center) {
			c.site("A").edit(protocol.Edit{UserID: "5", New: true, Given: []protocol.Credential{protocol.Card(9)}})
		},
		"another file too": func(c *center) {
			c.addSource("badges", roster.GoneRemoveOnly)
			c.feed("badges", row("B1", texts("user_id", "5")))
		},
	}
	for _, tc := range []struct {
		gone         roster.Gone
		alone, other string
		kind, kinds  roster.EffectKind
	}{
		{roster.GoneKeep, here, here, roster.EffectWithdrawn, roster.EffectWithdrawn},
		{roster.GoneRemoveOnly, away, bare, roster.EffectRemoved, roster.EffectWithdrawn},
		{roster.GoneRemove, away, away, roster.EffectRemoved, roster.EffectRemoved},
		{roster.GoneDeactivateOnly, inactive, bare, roster.EffectDeactivated, roster.EffectWithdrawn},
		{roster.GoneDeactivate, inactive, inactive, roster.EffectDeactivated, roster.EffectDeactivated},
	} {
		for who, meet := range known {
			t.Run(string(tc.gone)+"/"+who, func(t *testing.T) {
				c := newCenter(t, "A")
				c.addSource("hr", tc.gone, roster.KeyUserID)
				meet(c)
				word := row("S1", texts("user_id", "5", "phone", "1"), protocol.Card(1), "staff")
				c.feed("hr", word)
				want, kind := tc.alone, tc.kind
				if who != "only the source" {
					want, kind = tc.other, tc.kinds
				}
				got, _ := c.feed("hr")
				wantKinds(t, got, kind)
				if again, _ := c.feed("hr"); len(again) > 0 {
					t.Fatalf("gone twice: %+v", again)
				}
				u, err := c.User(t.Context(), "5")
				must(t, err)
				has := u.User.Has(protocol.Card(1).Key()) && u.User.Value(protocol.FieldPhone).First == "1" && slices.Contains(u.User.Groups, "staff")
				switch want {
				case away:
					if !u.Removed {
						t.Fatal("is still there")
					}
				case here:
					if !has || !u.User.Active() {
						t.Fatalf("%+v", u.User)
					}
				case bare:
					if u.User.Has(protocol.Card(1).Key()) || u.User.Value(protocol.FieldPhone).First != "" || len(u.User.Groups) > 0 || !u.User.Active() {
						t.Fatalf("%+v", u.User)
					}
				case inactive:
					if !has || u.User.Active() {
						t.Fatalf("%+v", u.User)
					}
				}
				c.settles(t)
				back(t, c, word, u, want == away)
			})
		}
	}
}

// back lets the row come back: to the same person, with what others had said of
// them, whatever had become of them.
func back(t *testing.T, c *center, word roster.Word, was roster.UserView, away bool) {
	t.Helper()
	got, _ := c.feed("hr", word)
	u := c.user("5")
	if u.GUID != was.GUID {
		t.Fatalf("comes back as %s after %s", u.GUID, was.GUID)
	}
	if !u.User.Has(protocol.Card(1).Key()) || u.User.Value(protocol.FieldPhone).First != "1" || !u.User.Active() {
		t.Fatalf("came back as %+v", u.User)
	}
	if away && (len(got) != 1 || got[0].Kind != roster.EffectNew || got[0].Text == "" || len(got[0].Values) == 0) {
		t.Fatalf("told of who is back: %+v", got)
	}
	c.settles(t)
	if again, _ := c.feed("hr", word); len(again) > 0 {
		t.Fatalf("back twice: %+v", again)
	}
	if got, _ = c.feed("hr"); away && (len(got) != 1 || got[0].Kind != roster.EffectRemoved) {
		t.Fatalf("gone again: %+v", got)
	}
}

// An export that was short for a day costs nobody what they had enrolled.
func TestBackAfterAShortExport(t *testing.T) {
	word := func() roster.Word { return row("S1", texts("user_id", "5", "phone", "1"), protocol.Card(1)) }
	finger := protocol.Fingerprint("zk10", 6, []byte("template"))
	for name, tc := range map[string]struct {
		meanwhile func(c *center)
		same      bool // person as before
		want      func(u protocol.User) bool
	}{
		"as they were": {func(*center) {}, true, func(u protocol.User) bool { return u.Has(finger.Key()) && u.Has(protocol.Card(1).Key()) }},
		"the card is somebody else's now": {func(c *center) {
			c.put("6", roster.Patch{Give: []protocol.Credential{protocol.Card(1)}})
		}, true, func(u protocol.User) bool { return u.Has(finger.Key()) && !u.Has(protocol.Card(1).Key()) }},
		"the user ID is somebody else's now": {func(c *center) { c.put("5", roster.Patch{}) }, false, func(u protocol.User) bool { return !u.Has(finger.Key()) && u.Has(protocol.Card(1).Key()) }},
		"the office had restored them": {func(c *center) {
			_, err := c.Restore(c.t.Context(), anna, "5")
			must(c.t, err)
		}, true, func(u protocol.User) bool { return u.Has(finger.Key()) }},
		"the office had restored and deleted them": {func(c *center) {
			_, err := c.Restore(c.t.Context(), anna, "5")
			must(c.t, err)
			must(c.t, c.Delete(c.t.Context(), anna, "5"))
		}, false, nil},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCenter(t, "A")
			c.addSource("hr", roster.GoneRemoveOnly)
			c.feed("hr", word())
			was := c.user("5").GUID
			a := c.site("A")
			a.pull()
			a.edit(protocol.Edit{UserID: "5", Given: []protocol.Credential{finger}})
			got, _ := c.feed("hr")
			wantKinds(t, got, roster.EffectRemoved)
			tc.meanwhile(c)
			c.feed("hr", word())
			if tc.want == nil {
				if u, err := c.User(t.Context(), was); err != nil || !u.Removed {
					t.Fatalf("whom the office deleted came back: %v", err)
				}
				return
			}
			page, err := c.Users(t.Context(), roster.Query{Text: "", Limit: 10})
			must(t, err)
			for _, u := range page.Users {
				if u.User.Value(protocol.FieldPhone).First == "1" {
					if (u.GUID == was) != tc.same || !tc.want(u.User) {
						t.Fatalf("%s after %s: %+v", u.GUID, was, u.User)
					}
					c.settles(t)
					return
				}
			}
			t.Fatal("nobody came back")
		})
	}
}

// Who knew a user is remembered as files come and go.
func TestKnown(t *testing.T) {
	empty, file := []roster.Word{}, []roster.Word{row("S1", texts("user_id", "5"))}
	for name, tc := range map[string]struct {
		feeds func(c *center, feed func(protocol.Source, []roster.Word))
		away  bool
	}{
		"joined later, saying nothing new": {func(_ *center, feed func(protocol.Source, []roster.Word)) {
			feed("hr", file)
			feed("badges", file)
			feed("hr", empty)
		}, false},
		"one after the other leaves": {func(_ *center, feed func(protocol.Source, []roster.Word)) {
			feed("hr", file)
			feed("badges", file)
			feed("hr", empty)
			feed("badges", empty)
		}, true},
		"back before the other leaves": {func(_ *center, feed func(protocol.Source, []roster.Word)) {
			feed("hr", file)
			feed("badges", file)
			feed("hr", empty)
			feed("hr", file)
			feed("badges", empty)
		}, false},
		"what the office added is no acquaintance": {func(c *center, feed func(protocol.Source, []roster.Word)) {
			feed("hr", file)
			c.put("5", roster.Patch{Set: texts("phone", "1")})
			feed("hr", empty)
		}, true},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCenter(t, "A")
			for _, s := range []protocol.Source{"hr", "badges"} {
				c.addSource(s, roster.GoneRemoveOnly, roster.KeyUserID)
			}
			tc.feeds(c, func(s protocol.Source, words []roster.Word) {
				c.feed(s, slices.Clone(words)...)
				c.open()
			})
			u, err := c.User(t.Context(), "5")
			must(t, err)
			if u.Removed != tc.away {
				t.Fatalf("removed: %v", u.Removed)
			}
			c.settles(t)
		})
	}
}

// Who was deleted after they had left the file comes back as somebody new.
func TestDeletedWhileAbsent(t *testing.T) {
	c := newCenter(t, "A")
	c.addSource("hr", roster.GoneKeep)
	c.feed("hr", row("S1", texts("user_id", "5")))
	old := c.user("5").GUID
	c.feed("hr")
	must(t, c.Delete(t.Context(), anna, "5"))
	got, _ := c.feed("hr", row("S1", texts("user_id", "5")))
	wantKinds(t, got, roster.EffectNew)
	if c.user("5").GUID == old {
		t.Fatal("the deleted user came back")
	}
	c.settles(t)
}

// A source that is removed takes its word with it.
func TestRemoveSource(t *testing.T) {
	for gone, there := range map[roster.Gone]bool{
		roster.GoneKeep: true, roster.GoneRemoveOnly: false, roster.GoneRemove: false, roster.GoneDeactivateOnly: true, roster.GoneDeactivate: true,
	} {
		t.Run(string(gone), func(t *testing.T) {
			c := newCenter(t, "A")
			c.SpillAt(2)
			c.addSource("hr", gone, roster.KeyEmail)
			c.put("7", roster.Patch{Set: texts("email", "both@example.org", "phone", "7")})
			c.feed("hr", row("S1", texts("user_id", "5", "email", "a@example.org")), row("S2", texts("email", "both@example.org", "phone", "1")),
				row("S3", texts("user_id", "8")), row("S4", texts("user_id", "9")))
			a := c.site("A")
			a.pull()
			a.edit(protocol.Edit{UserID: "5", Values: texts("email", "reader@example.org")})
			var preview, done []roster.Effect
			before := c.dump()
			_, err := c.PreviewRemoveSource(t.Context(), "hr", func(e roster.Effect) { e.Values = slices.Clone(e.Values); preview = append(preview, e) })
			must(t, err)
			if c.dump() != before {
				t.Fatal("a preview changed something")
			}
			must(t, c.RemoveSource(t.Context(), roster.Actor{}, "hr", func(e roster.Effect) { e.Values = slices.Clone(e.Values); done = append(done, e) }))
			sameEffects(t, preview, done)
			if len(done) != 4 || len(c.SourceRows()) > 0 || slices.Contains(c.Rules().Order, "hr") {
				t.Fatalf("%+v, order %v", done, c.Rules().Order)
			}
			must(t, c.CatchUp(t.Context()))
			u, err := c.User(t.Context(), "5")
			must(t, err)
			if u.Removed == there {
				t.Fatalf("removed: %v", u.Removed)
			}
			if both := c.user("7"); gone != roster.GoneRemove && both.User.Value(protocol.FieldPhone).First != "7" {
				t.Fatalf("the office's word: %+v", both.User)
			}
			c.settles(t)
			// Added again, it has named nobody, and what stayed said has its rank again.
			must(t, c.AddSource(t.Context(), anna, roster.SourceRow{Name: "hr", Gone: gone, Keys: []roster.Key{roster.KeyEmail}}))
			must(t, c.CatchUp(t.Context()))
			must(t, c.Check(t.Context()))
			if email := c.user("5").User.Value(protocol.FieldEmail).First; there && email != "a@example.org" {
				t.Fatalf("e-mail %q", email)
			}
			got, _ := c.feed("hr")
			wantKinds(t, got)
			c.settles(t)
		})
	}
}

// Sources are added, changed and ordered by name.
func TestSources(t *testing.T) {
	c := newCenter(t)
	ctx := t.Context()
	must(t, c.AddSource(ctx, anna, roster.SourceRow{Name: "hr", Kind: "csv", Settings: []byte(`{}`)}))
	must(t, c.AddSource(ctx, anna, roster.SourceRow{Name: "badges", Kind: "csv", Keys: []roster.Key{"email", "custom:plate"}}))
	if got := c.Rules().Order; !slices.Equal(got, []protocol.Source{"office", "hr", "badges", "readers"}) {
		t.Fatalf("order %v", got)
	}
	if r := c.sourceRow("hr"); r.Gone != roster.GoneRemoveOnly || r.Added == 0 || string(r.Settings) != "{}" {
		t.Fatalf("%+v", r)
	}
	for name, tc := range map[string]struct {
		row  roster.SourceRow
		want string
	}{
		"twice":         {roster.SourceRow{Name: "hr"}, "exists"},
		"built in":      {roster.SourceRow{Name: "office"}, "built in"},
		"no name":       {roster.SourceRow{}, "a-z"},
		"a bad name":    {roster.SourceRow{Name: "H R"}, "a-z"},
		"unknown key":   {roster.SourceRow{Name: "x", Keys: []roster.Key{"shoe_size"}}, "unknown key"},
		"unknown fate":  {roster.SourceRow{Name: "x", Gone: "shrug"}, "shrug"},
		"all at once":   {roster.SourceRow{Name: "X", Gone: "shrug"}, "a-z"},
		"absurd number": {roster.SourceRow{Name: "x", IDsFrom: 1 << 60}, "too large"},
	} {
		if err := c.AddSource(ctx, anna, tc.row); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, order := range map[string][]protocol.Source{
		"one is missing": {"office", "readers", "hr"},
		"one is unknown": {"office", "readers", "hr", "badges", "x"},
		"one is twice":   {"office", "readers", "hr", "badges", "hr"},
	} {
		rules := c.Rules()
		rules.Order = order
		if err := c.SetOrder(ctx, anna, rules); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	c.above("badges")
	must(t, c.SetSource(ctx, anna, roster.SourceRow{Name: "hr", Gone: roster.GoneKeep, IDsFrom: 500, Notify: true}))
	must(t, c.SetSource(ctx, anna, roster.SourceRow{Name: "office", Keys: []roster.Key{"email"}}))
	if err := c.SetSource(ctx, anna, roster.SourceRow{Name: "x"}); err == nil {
		t.Error("a source that is not there was changed")
	}
	c.open()
	if r := c.sourceRow("hr"); r.Gone != roster.GoneKeep || r.IDsFrom != 500 || !r.Notify || r.Kind != "csv" {
		t.Fatalf("%+v", r)
	}
	if got := c.Rules().Order[0]; got != "badges" {
		t.Fatalf("order %v", c.Rules().Order)
	}
	got, _ := c.feed("hr", row("S1", nil))
	if got[0].UserID != "500" {
		t.Fatalf("made up %s", got[0].UserID)
	}
}
