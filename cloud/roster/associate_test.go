package roster_test

import (
	"slices"
	"testing"

	"doorsync/cloud/roster"
	"doorsync/protocol"
)

// Who is found by which key.
func TestCandidates(t *testing.T) {
	c := newCenter(t, "A", "B")
	ctx := t.Context()
	all := []roster.Key{
		roster.KeySyncID, roster.KeyEmail, roster.KeyFullName, roster.KeyUserID, roster.KeyEmployeeNumber, roster.KeyCredential, "custom:plate",
	}
	must(t, c.PutField(ctx, anna, protocol.Custom{Field: "custom:plate", Type: protocol.CustomText}))
	c.put("1", roster.Patch{Set: texts("email", "Anna@Example.org", "first_name", " Andrew ", "last_name", "Smith", "employee_number", "E1", "custom:plate", "B-AM 1"), Give: []protocol.Credential{protocol.Card(1)}})
	c.put("2", roster.Patch{Set: texts("email", "gone@example.org")})
	must(t, c.Delete(ctx, anna, "2"))
	c.put("3", roster.Patch{})
	c.put("3", roster.Patch{Set: texts("user_id", "4")}) // 3 stays an alias
	c.site("A").edit(protocol.Edit{UserID: "5", New: true, Values: texts("name", "JOSÉ Ruíz"), Given: []protocol.Credential{protocol.Card(5)}})
	c.site("B").edit(protocol.Edit{UserID: "5", New: true, Values: texts("name", "apart"), Given: []protocol.Credential{protocol.Card(6)}})
	older, newer := c.put("7", roster.Patch{Set: texts("email", "seven@example.org")}), c.put("8", roster.Patch{Set: texts("email", "eight@example.org")})
	must(t, c.AddSource(ctx, anna, roster.SourceRow{Name: "badges", Keys: []roster.Key{roster.KeySyncID}}))
	c.feed("badges", row("B-1", texts("user_id", "9", "email", "unselected@example.org")))
	c.addSource("hr", roster.GoneRemoveOnly, all...)
	_, err := c.Merge(ctx, anna, "7", "8")
	must(t, err)
	c.feed("hr", row("H-1", texts("user_id", "10", "phone", "1", "email", "own@example.org")))
	c.feed("hr", row("H-1", texts("user_id", "10", "phone", "1")))
	must(t, c.Survey(ctx, "hr", func(s *roster.Survey) error {
		for name, tc := range map[string]struct {
			key   roster.Key
			value string
			want  string // user ID, "" for nobody
		}{
			"e-mail whatever the case":        {roster.KeyEmail, " ANNA@example.ORG ", "1"},
			"first and last name as one":      {roster.KeyFullName, "andrew smith", "1"},
			"a reader's name, NFD":            {roster.KeyFullName, "jose\u0301 rui\u0301z", "5"},
			"user ID":                         {roster.KeyUserID, "4", "4"},
			"an alias":                        {roster.KeyUserID, "3", "4"},
			"employee number":                 {roster.KeyEmployeeNumber, "e1", "1"},
			"a custom value":                  {"custom:plate", "b-am 1", "1"},
			"a credential of the office":      {roster.KeyCredential, string(protocol.Card(1).Key()), "1"},
			"a credential of readers":         {roster.KeyCredential, string(protocol.Card(5).Key()), "5"},
			"another source's sync ID":        {roster.KeySyncID, "b-1", "9"},
			"not one's own sync ID":           {roster.KeySyncID, "H-1", ""},
			"not who was deleted":             {roster.KeyEmail, "gone@example.org", ""},
			"not who is in conflict":          {roster.KeyCredential, string(protocol.Card(6).Key()), ""},
			"not by what a source unselected": {roster.KeyEmail, "unselected@example.org", ""},
			"not by what was withdrawn":       {roster.KeyEmail, "own@example.org", ""},
			"who was merged":                  {roster.KeyEmail, "eight@example.org", "8"},
			"nobody by nothing":               {roster.KeyEmail, "  ", ""},
			"not by another key":              {roster.KeyEmail, "E1", ""},
		} {
			got := c.candidates(s, tc.key, tc.value)
			if (tc.want == "" && len(got) > 0) || (tc.want != "" && (len(got) == 0 || got[0].UserID != tc.want || got[0].By != tc.key)) {
				t.Errorf("%s: %+v", name, got)
			}
		}
		// Hashes that collide, and rows that are no longer true, find nobody.
		if _, ok, err := s.Candidate(newer.GUID, roster.KeyEmail, "someone@else"); ok || err != nil {
			t.Errorf("found: %v", err)
		}
		if got, ok, err := s.Candidate(newer.GUID, roster.KeyEmail, "eight@example.org"); !ok || err != nil || got.GUID != older.GUID {
			t.Errorf("a merged user is found as %+v, %v", got, err)
		}
		return nil
	}))
}

// Chains, several rows, several candidates: as they would come up.
func TestAssociation(t *testing.T) {
	keys := []roster.Key{roster.KeyEmail, roster.KeyFullName}
	for name, test := range map[string]func(t *testing.T, c *center){
		"a chain of new rows is one": func(t *testing.T, c *center) {
			got, _ := c.feed("hr", row("A", texts("email", "a@example.org", "first_name", "Ann")),
				row("B", texts("email", "a@example.org", "first_name", "Anna")), row("C", texts("last_name", "Anna")))
			wantKinds(t, got, roster.EffectNew)
		},
		"a chain that ends at somebody known": func(t *testing.T, c *center) {
			c.put("5", roster.Patch{Set: texts("first_name", "Anna")})
			got, _ := c.feed("hr", row("A", texts("email", "a@example.org", "phone", "1")), row("B", texts("email", "a@example.org", "last_name", "ANNA")))
			wantKinds(t, got, roster.EffectAssociated)
			if got[0].UserID != "5" || c.user("5").User.Value(protocol.FieldPhone).First != "1" {
				t.Fatalf("%+v", got)
			}
		},
		"several candidates are nobody's guess": func(t *testing.T, c *center) {
			c.put("5", roster.Patch{Set: texts("first_name", "Anna")})
			c.put("6", roster.Patch{Set: texts("email", "a@example.org")})
			if got, n := c.feed("hr", row("A", texts("email", "a@example.org", "first_name", "Anna"))); len(got) > 0 || n.Undecided != 1 {
				t.Fatalf("%+v", got)
			}
			_, err := c.Merge(t.Context(), anna, "5", "6")
			must(t, err)
			got, _ := c.feed("hr", row("A", texts("email", "a@example.org", "first_name", "Anna")))
			wantKinds(t, got, roster.EffectAssociated)
		},
		"a new row joins whom the source names": func(t *testing.T, c *center) {
			c.feed("hr", row("A", texts("email", "a@example.org", "phone", "1")))
			got, _ := c.feed("hr", row("A", texts("email", "a@example.org", "phone", "1")), row("B", texts("email", "a@example.org", "phone", "2", "title", "Dr.")))
			wantKinds(t, got, roster.EffectUpdated)
			if u := c.first().User; u.Value(protocol.FieldPhone).First != "1" || u.Value(protocol.FieldTitle).First != "Dr." {
				t.Fatalf("%+v", u)
			}
		},
		"rows of merged users are one person from then on": func(t *testing.T, c *center) {
			file := []roster.Word{row("A", texts("user_id", "5", "phone", "1")), row("B", texts("user_id", "6", "title", "Dr."))}
			c.feed("hr", slices.Clone(file)...)
			_, err := c.Merge(t.Context(), anna, "5", "6")
			must(t, err)
			c.feed("hr", slices.Clone(file)...)
			u := c.user("6")
			if u.ID != "5" || u.User.Value(protocol.FieldPhone).First != "1" || u.User.Value(protocol.FieldTitle).First != "Dr." {
				t.Fatalf("%+v", u.User)
			}
			if got, _ := c.feed("hr", slices.Clone(file)...); len(got) > 0 {
				t.Fatalf("again: %+v", got)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCenter(t, "A")
			c.addSource("hr", roster.GoneRemoveOnly, keys...)
			test(t, c)
			c.settles(t)
		})
	}
}

// The index of keys is made of who is there, in several transactions, while
// edits go on.
func TestReindex(t *testing.T) {
	c := newCenter(t, "A")
	for i := range 700 {
		v := exported(i, "").Values
		c.put(v[protocol.FieldUserID].First, roster.Patch{Set: texts("email", v[protocol.FieldEmail].First)})
	}
	must(t, c.AddSource(t.Context(), anna, roster.SourceRow{Name: "hr", Keys: []roster.Key{roster.KeyEmail}}))
	if !c.Reindexing() {
		t.Fatal("nothing to do")
	}
	must(t, c.ReindexOnce(t.Context()))
	c.put("1000000", roster.Patch{Set: texts("email", "early@example.org")})
	c.put("1000699", roster.Patch{Set: texts("email", "late@example.org")})
	c.open() // interrupted
	if !c.Reindexing() {
		t.Fatal("forgotten")
	}
	must(t, c.Reindex(t.Context()))
	must(t, c.Check(t.Context()))
	c.put("1000006", roster.Patch{Set: texts("email", "other@example.org")})
	c.site("A").edit(protocol.Edit{UserID: "1000007", Given: []protocol.Credential{protocol.Card(1)}})
	must(t, c.Delete(t.Context(), anna, "1000008"))
	must(t, c.Survey(t.Context(), "hr", func(s *roster.Survey) error {
		for i, want := range map[int]int{6: 0, 7: 1, 8: 0, 9: 1} {
			guids, err := s.KeyHolders(roster.KeyEmail.Hash(exported(i, "").Values[protocol.FieldEmail].First))
			if err != nil || len(guids) != want {
				t.Errorf("the index has %v for user %d, %v", guids, i, err)
			}
		}
		for value, want := range map[string]int{
			"early@example.org": 1, "late@example.org": 1, "first0.last0@example.org": 0, "first5.last5@example.org": 1,
		} {
			if got := c.candidates(s, roster.KeyEmail, value); len(got) != want {
				t.Errorf("%s: %+v", value, got)
			}
		}
		return nil
	}))
	must(t, c.SetSource(t.Context(), anna, roster.SourceRow{Name: "hr"}))
	if c.Reindexing() {
		t.Fatal("no keys are in use")
	}
	n := 0
	must(t, c.store.View(t.Context(), func(v roster.View) error { return v.Keys(0, func(roster.KeyRow) bool { n++; return true }) }))
	if n > 0 {
		t.Fatalf("%d rows are left", n)
	}
}
