package roster_test

import (
	"slices"
	"strings"
	"testing"

	"doorsync/cloud/roster"
	"doorsync/protocol"
)

// The vendor's table for an imported cardholder who is associated with an
// existing one, cell by cell, through the import and the store.
func TestGenetecTable(t *testing.T) {
	c := newCenter(t, "A")
	existing := c.put("7", roster.Patch{
		Set: map[protocol.Field]protocol.Value{
			protocol.FieldFirstName: protocol.Text("Andrew"), protocol.FieldLastName: protocol.Text("Smith"),
			protocol.FieldEmail: protocol.Text("asmith@example.org"), protocol.FieldState: protocol.Text(protocol.StateInactive),
			protocol.FieldValidity:           {First: "2018-10-25T00:00:00Z", Second: "2020-10-25T00:00:00Z"},
			protocol.FieldAntipassbackExempt: protocol.Text("true"), protocol.FieldExtendedGrant: protocol.Text("true"),
		},
		Give: []protocol.Credential{protocol.Card(2)}, Join: []string{"Group 2"},
	})
	c.addSource("hr", roster.GoneRemoveOnly, roster.KeyFullName)
	got, counts := c.feed("hr", row("789", map[protocol.Field]protocol.Value{
		protocol.FieldFirstName: protocol.Text("Andrew"), protocol.FieldLastName: protocol.Text("Smith"), protocol.FieldEmail: {},
		protocol.FieldPicture: {First: "sha256:01", Second: "image/jpeg"}, protocol.FieldState: protocol.Text(protocol.StateActive),
		protocol.FieldValidity:           {First: "2017-10-25T00:00:00Z"},
		protocol.FieldAntipassbackExempt: protocol.Text("true"), protocol.FieldExtendedGrant: protocol.Text("false"),
	}, protocol.Card(1), "Group 1"))
	wantKinds(t, got, roster.EffectAssociated)
	if counts.Associated != 1 || got[0].By != roster.KeyFullName || got[0].GUID != existing.GUID {
		t.Errorf("associated %+v by %+v", counts, got)
	}
	for _, reopened := range []bool{false, true} {
		if reopened {
			c.open()
		}
		u := c.user("7")
		for _, cell := range []struct {
			name string
			f    protocol.Field
			want protocol.Value
		}{
			{"first name", protocol.FieldFirstName, protocol.Text("Andrew")},
			{"last name", protocol.FieldLastName, protocol.Text("Smith")},
			{"e-mail", protocol.FieldEmail, protocol.Text("asmith@example.org")},
			{"picture", protocol.FieldPicture, protocol.Value{First: "sha256:01", Second: "image/jpeg"}},
			{"state", protocol.FieldState, protocol.Text(protocol.StateActive)},
			{"activation and expiration", protocol.FieldValidity, protocol.Value{First: "2017-10-25T00:00:00Z"}},
			{"antipassback exemption", protocol.FieldAntipassbackExempt, protocol.Text("true")},
			{"extended grant time", protocol.FieldExtendedGrant, protocol.Text("false")},
		} {
			if v := u.User.Value(cell.f); v != cell.want {
				t.Errorf("%s: %q %q, want %q %q", cell.name, v.First, v.Second, cell.want.First, cell.want.Second)
			}
		}
		if u.GUID != existing.GUID {
			t.Errorf("GUID %s, want %s", u.GUID, existing.GUID)
		}
		if len(u.User.Credentials) != 2 || !u.User.Has(protocol.Card(1).Key()) || !u.User.Has(protocol.Card(2).Key()) {
			t.Errorf("credentials %v", u.User.Credentials)
		}
		if !slices.Equal(u.User.Groups, []string{"Group 1", "Group 2"}) {
			t.Errorf("groups %v", u.User.Groups)
		}
	}
}

// What one row after another does.
func TestImportRules(t *testing.T) {
	anna := func(more ...any) roster.Word {
		return row("S1", texts("first_name", "Anna", "last_name", "Meyer"), more...)
	}
	for name, test := range map[string]func(t *testing.T, c *center){
		"a new user gets a free number": func(t *testing.T, c *center) {
			c.put("100000", roster.Patch{})
			got, _ := c.feed("hr", anna(), row("S2", nil))
			wantKinds(t, got, roster.EffectNew, roster.EffectNew)
			if got[0].UserID != "100001" || got[1].UserID != "100002" {
				t.Fatalf("numbers %s and %s", got[0].UserID, got[1].UserID)
			}
			if c.user("100001").User.FullName() != "Anna Meyer" {
				t.Fatal("the name is lost")
			}
		},
		"an empty person is one": func(t *testing.T, c *center) {
			got, _ := c.feed("hr", row("S1", nil))
			wantKinds(t, got, roster.EffectNew)
			c.user(got[0].UserID)
		},
		"a file says the user ID, and changes it": func(t *testing.T, c *center) {
			c.feed("hr", row("S1", texts("user_id", "77", "email", "a@example.org")))
			got, _ := c.feed("hr", row("S1", texts("user_id", "78", "email", "a@example.org")))
			wantKinds(t, got, roster.EffectUpdated)
			u := c.user("77") // the old one goes on finding
			if u.ID != "78" || !slices.Equal(u.Aliases, []string{"77"}) {
				t.Fatalf("ID %s, aliases %v", u.ID, u.Aliases)
			}
		},
		"a file that no longer says the user ID leaves it": func(t *testing.T, c *center) {
			c.feed("hr", row("S1", texts("user_id", "77")))
			c.feed("hr", row("S1", texts("email", "a@example.org")))
			if c.user("77").ID != "77" {
				t.Fatal("the user ID is lost")
			}
		},
		"a user ID that somebody else has is refused, the rest is taken": func(t *testing.T, c *center) {
			c.put("77", roster.Patch{})
			got, counts := c.feed("hr", row("S1", texts("user_id", "77", "email", "a@example.org")))
			wantKinds(t, got, roster.EffectRefused, roster.EffectNew)
			if got[0].Holder != "77" || counts.Refused != 1 {
				t.Fatalf("%+v", got)
			}
			if c.user(got[1].UserID).User.Value(protocol.FieldEmail).First != "a@example.org" {
				t.Fatal("the rest was lost")
			}
			_, err := c.Put(t.Context(), roster.Actor{}, "77", roster.Patch{Set: texts("user_id", "79")})
			must(t, err)
			must(t, c.Delete(t.Context(), roster.Actor{}, "79"))
			got, _ = c.feed("hr", row("S1", texts("user_id", "77", "email", "a@example.org")))
			wantKinds(t, got, roster.EffectUpdated)
			if c.user("77").User.Value(protocol.FieldEmail).First != "a@example.org" {
				t.Fatal("a user ID that has become free is not taken with the next import")
			}
		},
		"exactly the words": func(t *testing.T, c *center) {
			c.feed("hr", row("S1", texts("email", "a@example.org", "phone", "1"), protocol.Card(1), protocol.Card(2), "staff", "it"))
			id := c.first().ID
			got, _ := c.feed("hr", row("S1", texts("phone", "2"), protocol.Card(2), "it"))
			wantKinds(t, got, roster.EffectUpdated)
			want := []roster.ValueChange{
				{What: "email", Old: "a@example.org"},
				{What: "phone", Old: "1", New: "2"},
				{What: "card …1", Old: "given"},
				{What: "group staff", Old: "member"},
			}
			if !slices.Equal(got[0].Values, want) {
				t.Fatalf("changes %+v", got[0].Values)
			}
			u := c.user(id).User
			if u.Value(protocol.FieldEmail).First != "" || u.Has(protocol.Card(1).Key()) || !slices.Equal(u.Groups, []string{"it"}) {
				t.Fatalf("still says what it no longer says: %+v", u)
			}
		},
		"what others gave stays": func(t *testing.T, c *center) {
			c.feed("hr", row("S1", texts("user_id", "5"), protocol.Card(1), "staff"))
			c.put("5", roster.Patch{Give: []protocol.Credential{protocol.Card(1)}, Join: []string{"staff"}})
			c.feed("hr", row("S1", texts("user_id", "5")))
			if u := c.user("5").User; !u.Has(protocol.Card(1).Key()) || !slices.Contains(u.Groups, "staff") {
				t.Fatalf("what the office gave was taken: %+v", u)
			}
		},
		"a value that is not kept is told with who holds it": func(t *testing.T, c *center) {
			c.feed("hr", row("S1", texts("user_id", "5")))
			rules := c.Rules()
			rules.Order = []protocol.Source{"office", "hr", "readers"}
			must(t, c.SetOrder(t.Context(), roster.Actor{}, rules))
			c.put("5", roster.Patch{Set: texts("email", "office@example.org")})
			got, _ := c.feed("hr", row("S1", texts("user_id", "5", "email", "hr@example.org")))
			wantKinds(t, got, roster.EffectUpdated)
			want := []roster.ValueChange{{What: "email", Old: "office@example.org", New: "hr@example.org", HeldBy: "office"}}
			if !slices.Equal(got[0].Values, want) {
				t.Fatalf("%+v", got[0].Values)
			}
		},
		"a PIN is masked": func(t *testing.T, c *center) {
			got, _ := c.feed("hr", row("S1", map[protocol.Field]protocol.Value{protocol.FieldPIN: {First: "4711", Second: "digits"}}))
			for _, v := range got[0].Values {
				if strings.Contains(v.New, "4711") {
					t.Fatal("the PIN is told")
				}
			}
			if got[0].Values[1].What != "pin" || c.user(got[0].UserID).User.Value(protocol.FieldPIN).First != "4711" {
				t.Fatalf("%+v", got[0].Values)
			}
		},
		"validity is one": func(t *testing.T, c *center) {
			c.put("5", roster.Patch{Set: map[protocol.Field]protocol.Value{protocol.FieldValidity: {First: "2020-01-01T00:00:00Z", Second: "2021-01-01T00:00:00Z"}}})
			must(t, c.SetSource(t.Context(), roster.Actor{}, roster.SourceRow{Name: "hr", Keys: []roster.Key{roster.KeyUserID}}))
			got, _ := c.feed("hr", row("S1", map[protocol.Field]protocol.Value{protocol.FieldUserID: protocol.Text("5"), protocol.FieldValidity: {Second: "2030-01-01T00:00:00Z"}}))
			wantKinds(t, got, roster.EffectAssociated)
			if v := c.user("5").User.Value(protocol.FieldValidity); v != (protocol.Value{Second: "2030-01-01T00:00:00Z"}) {
				t.Fatalf("%q %q", v.First, v.Second)
			}
		},
		"two rows of one person: the first has the value, both give": func(t *testing.T, c *center) {
			must(t, c.SetSource(t.Context(), roster.Actor{}, roster.SourceRow{Name: "hr", Keys: []roster.Key{roster.KeyEmail}}))
			got, _ := c.feed("hr",
				row("S1", texts("email", "a@example.org", "phone", "1"), protocol.Card(1), "staff"),
				row("S2", texts("email", "A@Example.org", "phone", "2", "department", "IT"), protocol.Card(2), "it"))
			wantKinds(t, got, roster.EffectNew)
			u := c.user(got[0].UserID).User
			if u.Value(protocol.FieldPhone).First != "1" || u.Value(protocol.FieldDepartment).First != "IT" || len(u.Credentials) != 2 || len(u.Groups) != 2 {
				t.Fatalf("%+v", u)
			}
			got, _ = c.feed("hr", row("S2", texts("email", "a@example.org", "phone", "2", "department", "IT"), protocol.Card(2), "it"))
			wantKinds(t, got, roster.EffectUpdated)
			if u := c.user(got[0].UserID).User; u.Value(protocol.FieldPhone).First != "2" || len(u.Credentials) != 1 {
				t.Fatalf("with one row left: %+v", u)
			}
		},
		"groups are known by one spelling": func(t *testing.T, c *center) {
			c.put("5", roster.Patch{Join: []string{"Staff"}})
			got, _ := c.feed("hr", row("S1", nil, " STAFF "))
			if g := c.user(got[0].UserID).User.Groups; !slices.Equal(g, []string{"Staff"}) {
				t.Fatalf("groups %v", g)
			}
			c.open()
			got, _ = c.feed("hr", row("S1", nil, "staff"))
			wantKinds(t, got)
		},
		"who the office deleted stays deleted": func(t *testing.T, c *center) {
			c.feed("hr", row("S1", texts("user_id", "5")))
			must(t, c.Delete(t.Context(), roster.Actor{}, "5"))
			got, _ := c.feed("hr", row("S1", texts("user_id", "5")))
			wantKinds(t, got)
			got, _ = c.feed("hr", row("S1", texts("user_id", "5", "phone", "1")))
			wantKinds(t, got, roster.EffectWarning)
			if got[0].UserID != "5" || !strings.Contains(got[0].Text, "restore") {
				t.Fatalf("%+v", got)
			}
			got, _ = c.feed("hr", row("S1", texts("user_id", "5", "phone", "1")))
			wantKinds(t, got)
			_, err := c.Restore(t.Context(), roster.Actor{}, "5")
			must(t, err)
			got, _ = c.feed("hr", row("S1", texts("user_id", "5", "phone", "1")))
			wantKinds(t, got, roster.EffectUpdated)
		},
		"who left the file after the office deleted them comes back as somebody new": func(t *testing.T, c *center) {
			c.feed("hr", row("S1", texts("user_id", "5")))
			old := c.user("5").GUID
			must(t, c.Delete(t.Context(), roster.Actor{}, "5"))
			got, _ := c.feed("hr")
			wantKinds(t, got)
			got, _ = c.feed("hr", row("S1", texts("user_id", "5")))
			wantKinds(t, got, roster.EffectNew)
			if c.user("5").GUID == old {
				t.Fatal("the deleted user came back")
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCenter(t, "A")
			c.addSource("hr", roster.GoneRemoveOnly)
			test(t, c)
			c.settles(t)
		})
	}
}

// first is the first user.
func (c *center) first() roster.UserView {
	c.t.Helper()
	page, err := c.Users(c.t.Context(), roster.Query{Limit: 1})
	must(c.t, err)
	return page.Users[0]
}

// settles holds memory against the store, a site against the rules, and every
// record against what was contributed.
func (c *center) settles(t testing.TB) {
	t.Helper()
	s := c.site("A")
	s.pull()
	s.agree()
	c.holdAgainstRules(t, s)
	revision := c.Revision()
	c.open()
	if c.Revision() != revision {
		t.Fatal("memory is not what the store says")
	}
	s.agree()
	must(t, c.Reindex(t.Context()))
	must(t, c.Check(t.Context()))
}
