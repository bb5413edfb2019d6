package protocol

import (
	"slices"
	"testing"
	"time"
)

func at(minute int) Stamp { return Stamp{Wall: int64(minute) * 60_000, Origin: "A"} }

func day(s string) time.Time {
	t, err := time.Parse("2006-01-02", s)
	if err != nil {
		panic(err)
	}
	return t
}

// The vendor's table for an imported cardholder associated with an existing one.
func TestFoldGenetecTable(t *testing.T) {
	const csv = Source("csv")
	imported := NewContribution(csv)
	for f, v := range map[Field]Value{
		FieldFirstName: Text("Andrew"), FieldLastName: Text("Smith"), FieldEmail: Text(""),
		FieldPicture: {First: "sha256:01", Second: "image/jpeg"}, FieldState: Text(StateActive),
		FieldValidity:           Validity{ActivatesAt: day("2017-10-25")}.Value(),
		FieldAntipassbackExempt: Text("true"), FieldExtendedGrant: Text("false"),
	} {
		imported.Set(f, v, at(2))
	}
	imported.SetCredential(Card(1), Given, at(2))
	imported.SetGroup("Group 1", Given, at(2))

	existing := NewContribution(SourceOffice)
	for f, v := range map[Field]Value{
		FieldFirstName: Text("Andrew"), FieldLastName: Text("Smith"), FieldEmail: Text("asmith@genetec.com"),
		FieldPicture: {}, FieldState: Text(StateInactive),
		FieldValidity:           Validity{ActivatesAt: day("2018-10-25"), ExpiresAt: day("2020-10-25")}.Value(),
		FieldAntipassbackExempt: Text("true"), FieldExtendedGrant: Text("true"),
	} {
		existing.Set(f, v, at(1))
	}
	existing.SetCredential(Card(2), Given, at(1))
	existing.SetGroup("Group 2", Given, at(1))

	rules := DefaultRules()
	rules.Order = []Source{csv, SourceOffice, SourceReaders}
	r := Fold([]Contribution{existing, imported}, rules)

	for _, row := range []struct {
		name string
		f    Field
		want Value
		held Source
	}{
		{"first name", FieldFirstName, Text("Andrew"), csv},
		{"last name", FieldLastName, Text("Smith"), csv},
		{"e-mail NULL loses", FieldEmail, Text("asmith@genetec.com"), SourceOffice},
		{"picture", FieldPicture, Value{First: "sha256:01", Second: "image/jpeg"}, csv},
		{"state", FieldState, Text(StateActive), csv},
		{"activation gives expiry NULL with it", FieldValidity, Value{First: "2017-10-25T00:00:00Z"}, csv},
		{"antipassback exemption", FieldAntipassbackExempt, Text("true"), csv},
		{"extended grant time", FieldExtendedGrant, Text("false"), csv},
	} {
		t.Run(row.name, func(t *testing.T) {
			if h := r.Values[row.f]; h.Value != row.want || h.Source != row.held {
				t.Errorf("%s = %q %q held by %s, want %q %q held by %s", row.f, h.Value.First, h.Value.Second, h.Source, row.want.First, row.want.Second, row.held)
			}
		})
	}
	u := r.User(rules)
	if !u.Has(Card(1).Key()) || !u.Has(Card(2).Key()) || len(u.Credentials) != 2 {
		t.Errorf("credentials = %v, want both cards", u.Credentials)
	}
	if !slices.Equal(u.Groups, []string{"Group 1", "Group 2"}) {
		t.Errorf("groups = %v, want both", u.Groups)
	}
	if u.FullName() != "Andrew Smith" {
		t.Errorf("name = %q", u.FullName())
	}
}

// The vendor's cases for edits made at a device.
func TestFoldBioStarCases(t *testing.T) {
	last := DefaultRules()
	first := Rules{Order: []Source{SourceReaders, SourceOffice}, Settle: SettleLatest}
	office := func() Contribution {
		c := NewContribution(SourceOffice)
		c.Set(FieldUserID, Text("4"), at(1))
		c.Set(FieldName, Text("Anna Meyer"), at(1))
		c.Set(FieldValidity, Validity{ExpiresAt: day("2030-01-01")}.Value(), at(1))
		c.SetCredential(Card(10), Given, at(1))
		return c
	}
	reader := func() Contribution {
		c := NewContribution(SourceReaders)
		c.Set(FieldName, Text("Anna M."), at(1))
		return c
	}
	for _, tc := range []struct {
		name   string
		rules  Rules
		before []Contribution
		edit   Edit
		field  Field
		want   Value
		card   uint64
		kept   bool
	}{
		{"new user reaches", last, nil, Edit{New: true, UserID: "9", Values: map[Field]Value{FieldName: Text("Ben")}}, FieldName, Text("Ben"), 0, true},
		{"new credential reaches", last, []Contribution{office()}, Edit{Given: []Credential{Card(11)}}, FieldName, Text("Anna Meyer"), 11, true},
		{"vacant value is filled", last, []Contribution{office()}, Edit{Values: map[Field]Value{FieldPIN: Text("1234")}}, FieldPIN, Text("1234"), 10, true},
		{"another expiry does not reach", last, []Contribution{office()}, Edit{Values: map[Field]Value{FieldValidity: Validity{ExpiresAt: day("2031-01-01")}.Value()}}, FieldValidity, Validity{ExpiresAt: day("2030-01-01")}.Value(), 10, false},
		{"another name does not reach", last, []Contribution{office()}, Edit{Values: map[Field]Value{FieldName: Text("Anne")}}, FieldName, Text("Anna Meyer"), 10, false},
		{"not even over a reader's name", last, []Contribution{reader()}, Edit{Values: map[Field]Value{FieldName: Text("Anne")}}, FieldName, Text("Anna M."), 0, false},
		{"readers first: expiry reaches", first, []Contribution{office()}, Edit{Values: map[Field]Value{FieldValidity: Validity{ExpiresAt: day("2031-01-01")}.Value()}}, FieldValidity, Validity{ExpiresAt: day("2031-01-01")}.Value(), 10, true},
		{"readers first: name reaches", first, []Contribution{office()}, Edit{Values: map[Field]Value{FieldName: Text("Anne")}}, FieldName, Text("Anne"), 10, true},
		{"readers first, latest: name over a reader's name", first, []Contribution{reader()}, Edit{Values: map[Field]Value{FieldName: Text("Anne")}}, FieldName, Text("Anne"), 0, true},
		{"smart card at the center is no obstacle", last, []Contribution{withSmartCard(office())}, Edit{Values: map[Field]Value{FieldPIN: Text("1234")}}, FieldPIN, Text("1234"), 10, true},
		{"empty at a reader says nothing", first, []Contribution{office()}, Edit{Values: map[Field]Value{FieldName: {}}}, FieldName, Text("Anna Meyer"), 10, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			base := Fold(tc.before, tc.rules)
			r := Overlay(base, []Contribution{tc.edit.Contribution(at(5), tc.rules)}, tc.rules)
			u := r.User(tc.rules)
			if u.Value(tc.field) != tc.want {
				t.Errorf("%s = %q %q, want %q %q", tc.field, u.Value(tc.field).First, u.Value(tc.field).Second, tc.want.First, tc.want.Second)
			}
			if tc.card != 0 && !u.Has(Card(tc.card).Key()) {
				t.Errorf("card %d is missing", tc.card)
			}
			if notKept := tc.edit.NotKept(r, tc.rules); (len(notKept) == 0) != tc.kept {
				t.Errorf("not kept = %v, want kept: %v", notKept, tc.kept)
			}
		})
	}
}

func withSmartCard(c Contribution) Contribution {
	c.SetCredential(Credential{Kind: KindSecureCard, Format: FormatNumber, Number: "77"}, Given, at(1))
	c.SetCredential(Credential{Kind: KindAccessOnCard, Format: FormatNumber, Number: "78"}, Given, at(1))
	return c
}

// Taking away, as merge rules it.
func TestFoldTakingAway(t *testing.T) {
	rules := DefaultRules()
	office, readers := NewContribution(SourceOffice), NewContribution(SourceReaders)
	office.Set(FieldEmail, Text("anna@example.com"), at(1))
	readers.Set(FieldPIN, Text("1234"), at(1))
	office.SetCredential(Card(1), Given, at(1))
	readers.SetCredential(Card(1), Given, at(2))
	readers.SetCredential(Card(2), Given, at(2))

	t.Run("an element leaves only when every source withdrew it", func(t *testing.T) {
		o := office.Clone()
		o.SetCredential(Card(1), Withdrawn, at(3))
		if u := Fold([]Contribution{o, readers}, rules).User(rules); !u.Has(Card(1).Key()) {
			t.Error("card 1 left though readers give it")
		}
		r := readers.Clone()
		r.SetCredential(Card(1), Withdrawn, at(3))
		if u := Fold([]Contribution{o, r}, rules).User(rules); u.Has(Card(1).Key()) {
			t.Error("card 1 stayed though nobody gives it")
		}
	})
	t.Run("a revoked credential opens nothing, newer enrollments included", func(t *testing.T) {
		o, r := office.Clone(), readers.Clone()
		o.SetCredential(Card(2), Revoked, at(3))
		r.SetCredential(Card(2), Given, at(9))
		if u := Fold([]Contribution{o, r}, rules).User(rules); u.Has(Card(2).Key()) {
			t.Error("card 2 is revoked and still opens")
		}
		o.SetCredential(Card(2), Withdrawn, at(10))
		if u := Fold([]Contribution{o, r}, rules).User(rules); !u.Has(Card(2).Key()) {
			t.Error("card 2 was allowed again and does not open")
		}
	})
	t.Run("a blank value is held empty against lower sources", func(t *testing.T) {
		o := office.Clone()
		o.BlankOut(FieldPIN, at(3))
		r := Fold([]Contribution{o, readers}, rules)
		if u := r.User(rules); !u.Value(FieldPIN).IsNull() {
			t.Error("blanked PIN is still given to readers")
		}
		if h := r.Values[FieldPIN]; !h.Blank || h.Source != SourceOffice {
			t.Errorf("blank is held by %q, blank=%v", h.Source, h.Blank)
		}
	})
	t.Run("NULL withdraws the source's own word only", func(t *testing.T) {
		o := office.Clone()
		o.Set(FieldPIN, Text("9999"), at(2))
		o.Set(FieldPIN, Value{}, at(3))
		if u := Fold([]Contribution{o, readers}, rules).User(rules); u.Value(FieldPIN) != Text("1234") {
			t.Error("the readers' PIN did not come back")
		}
	})
	t.Run("a refused credential is not given", func(t *testing.T) {
		r := readers.Clone()
		r.SetCredential(Card(3), Refused, at(4))
		if u := Fold([]Contribution{r}, rules).User(rules); u.Has(Card(3).Key()) {
			t.Error("a refused card opens")
		}
	})
	t.Run("removal at a reader takes nothing away unless the rules say so", func(t *testing.T) {
		e := Edit{Withdrawn: []CredentialKey{Card(2).Key()}}
		if u := Fold([]Contribution{readers, e.Contribution(at(5), rules)}, rules).User(rules); !u.Has(Card(2).Key()) {
			t.Error("card 2 left")
		}
		with := rules
		with.Withdraw = true
		if u := Fold([]Contribution{readers, e.Contribution(at(5), with)}, with).User(with); u.Has(Card(2).Key()) {
			t.Error("card 2 stayed")
		}
	})
}

// Names come whole from readers and in two parts from elsewhere.
func TestRecordName(t *testing.T) {
	rules := DefaultRules()
	parts := func(s Source, first, last string) Contribution {
		c := NewContribution(s)
		c.Set(FieldFirstName, Text(first), at(1))
		c.Set(FieldLastName, Text(last), at(1))
		return c
	}
	whole := NewContribution(SourceReaders)
	whole.Set(FieldName, Text("A. Smith"), at(2))
	latest := Rules{Order: []Source{SourceReaders, SourceOffice}, Settle: SettleLatest}
	for _, tc := range []struct {
		name  string
		rules Rules
		cs    []Contribution
		want  string
	}{
		{"parts joined and trimmed", rules, []Contribution{parts(SourceOffice, " Andrew ", " Smith")}, "Andrew Smith"},
		{"all in the first name", rules, []Contribution{parts(SourceOffice, "Andrew Smith", "")}, "Andrew Smith"},
		{"all in the last name", rules, []Contribution{parts(SourceOffice, "", "Andrew Smith")}, "Andrew Smith"},
		{"whole where nobody gave parts", rules, []Contribution{whole}, "A. Smith"},
		{"office's parts before the reader's whole", rules, []Contribution{whole, parts(SourceOffice, "Andrew", "Smith")}, "Andrew Smith"},
		{"reader's whole before office's parts", latest, []Contribution{whole, parts(SourceOffice, "Andrew", "Smith")}, "A. Smith"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := Fold(tc.cs, tc.rules).User(tc.rules).FullName(); got != tc.want {
				t.Errorf("name = %q, want %q", got, tc.want)
			}
		})
	}
}

// A reader with room for one card keeps the newest, then the one of the source
// with priority.
func TestRecordNewestCredentialFirst(t *testing.T) {
	rules := DefaultRules()
	office, readers := NewContribution(SourceOffice), NewContribution(SourceReaders)
	office.SetCredential(Card(1), Given, at(1))
	readers.SetCredential(Card(2), Given, at(5))
	office.SetCredential(Card(3), Given, at(5))
	u := Fold([]Contribution{office, readers}, rules).User(rules)
	want := []CredentialKey{Card(3).Key(), Card(2).Key(), Card(1).Key()}
	for i, c := range u.Credentials {
		if c.Key() != want[i] {
			t.Errorf("credential %d is %v, want %v", i, c, want[i])
		}
	}
}

// What one priority override does, and what it leaves alone.
func TestRulesOverride(t *testing.T) {
	rules := DefaultRules()
	rules.Overrides[FieldPIN] = []Source{SourceReaders, SourceOffice}
	office, readers := NewContribution(SourceOffice), NewContribution(SourceReaders)
	for _, f := range []Field{FieldPIN, FieldPhone} {
		office.Set(f, Text("1"), at(1))
		readers.Set(f, Text("2"), at(2))
	}
	r := Fold([]Contribution{office, readers}, rules)
	if r.Values[FieldPIN].Source != SourceReaders || r.Values[FieldPhone].Source != SourceOffice {
		t.Errorf("PIN held by %s, phone by %s", r.Values[FieldPIN].Source, r.Values[FieldPhone].Source)
	}
}

// A clock far ahead is not believed; one slightly ahead is. An edit that is
// taken in as of its arrival comes after all that the center has seen.
func TestArrived(t *testing.T) {
	now := day("2026-11-22")
	ahead := func(d time.Duration) Stamp { return Stamp{Wall: now.Add(d).UnixMilli(), Counter: 3, Origin: "A"} }
	for name, c := range map[string]struct {
		stamp, last, want Stamp
	}{
		"behind":                        {ahead(-time.Hour), ahead(0), ahead(-time.Hour)},
		"slightly ahead":                {ahead(4 * time.Minute), ahead(0), ahead(4 * time.Minute)},
		"far ahead":                     {ahead(6 * time.Minute), ahead(-time.Hour), Stamp{Wall: now.UnixMilli(), Origin: "A"}},
		"far ahead, after another":      {ahead(6 * time.Minute), ahead(0), Stamp{Wall: now.UnixMilli(), Counter: 4, Origin: "A"}},
		"the center's clock set back":   {ahead(6 * time.Hour), ahead(5 * time.Hour), Stamp{Wall: ahead(5 * time.Hour).Wall, Counter: 4, Origin: "A"}},
		"as far as the center has seen": {ahead(5 * time.Hour), ahead(5 * time.Hour), ahead(5 * time.Hour)},
	} {
		got, moved := Arrived(c.stamp, c.last, now)
		if got != c.want || moved != (c.want != c.stamp) {
			t.Errorf("%s: got %v, moved %v, want %v", name, got, moved, c.want)
		}
	}
}
