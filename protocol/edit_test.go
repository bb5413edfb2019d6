package protocol

import (
	"maps"
	"slices"
	"testing"
)

func TestEditContribution(t *testing.T) {
	rules := DefaultRules()
	e := Edit{
		UserID: "4", New: true,
		Values:    map[Field]Value{FieldName: Text(" Anna "), FieldUserID: Text("99"), FieldEmail: {}},
		Given:     []Credential{Card(1), Card(2)},
		Refused:   []CredentialKey{Card(2).Key()},
		Withdrawn: []CredentialKey{Card(3).Key()},
		Groups:    []string{"staff"},
	}
	c := e.Contribution(at(1), rules)
	t.Run("speaks for readers", func(t *testing.T) {
		if c.Source != SourceReaders {
			t.Errorf("source %s", c.Source)
		}
	})
	t.Run("a new user brings the user ID, nothing else may", func(t *testing.T) {
		if got := c.Values[FieldUserID].Latest.Value; got != Text("4") {
			t.Errorf("user ID %q", got.First)
		}
		known := e
		known.New = false
		if _, ok := known.Contribution(at(1), rules).Values[FieldUserID]; ok {
			t.Error("an edit of a known user states a user ID")
		}
	})
	t.Run("values are trimmed and empty ones say nothing", func(t *testing.T) {
		if got := c.Values[FieldName].Latest.Value; got != Text("Anna") {
			t.Errorf("name %q", got.First)
		}
		if _, ok := c.Values[FieldEmail]; ok {
			t.Error("an empty e-mail says something")
		}
	})
	t.Run("a refused credential is remembered and not given", func(t *testing.T) {
		if c.Credentials[Card(1).Key()].State != Given || c.Credentials[Card(2).Key()].State != Refused {
			t.Errorf("credentials %v", c.Credentials)
		}
	})
	t.Run("a removal counts only where the rules say so", func(t *testing.T) {
		if _, ok := c.Credentials[Card(3).Key()]; ok {
			t.Error("card 3 is withdrawn by default")
		}
		rules.Withdraw = true
		if e.Contribution(at(1), rules).Credentials[Card(3).Key()].State != Withdrawn {
			t.Error("card 3 is not withdrawn")
		}
	})
	t.Run("a group the site names is given", func(t *testing.T) {
		if c.Groups["staff"].State != Given {
			t.Errorf("groups %v", slices.Collect(maps.Keys(c.Groups)))
		}
	})
}

// A withdrawal that came before the template it names must not cost the bytes.
func TestJoinKeepsTemplateBytes(t *testing.T) {
	finger := Fingerprint("zk10", 3, []byte("template"))
	rules := DefaultRules()
	rules.Withdraw = true
	gone := Edit{Withdrawn: []CredentialKey{finger.Key()}}.Contribution(at(5), rules)
	back := Edit{Given: []Credential{finger}}.Contribution(at(1), rules)
	again := Edit{Given: []Credential{finger}}.Contribution(at(9), rules)
	if u := Fold([]Contribution{gone, back}, rules).User(rules); u.Has(finger.Key()) {
		t.Error("a finger withdrawn later is given")
	}
	u := Fold([]Contribution{again, gone}, rules).User(rules)
	if len(u.Credentials) != 1 || string(u.Credentials[0].Template) != "template" {
		t.Errorf("credentials %v", u.Credentials)
	}
}

// The journal names every value that an edit did not change, and who holds it.
func TestEditNotKept(t *testing.T) {
	rules := DefaultRules()
	office := NewContribution(SourceOffice)
	office.Set(FieldFirstName, Text("Anna"), at(1))
	office.Set(FieldPIN, Text("1234"), at(1))
	e := Edit{Values: map[Field]Value{FieldName: Text("Anne"), FieldPIN: Text("9999"), FieldPhone: Text("12"), FieldState: Text(StateInactive)}}
	got := e.NotKept(Overlay(Fold([]Contribution{office}, rules), []Contribution{e.Contribution(at(2), rules)}, rules), rules)
	want := []NotKept{{Field: FieldName, HeldBy: SourceOffice}, {Field: FieldPIN, HeldBy: SourceOffice}}
	if !slices.Equal(got, want) {
		t.Errorf("not kept %v, want %v", got, want)
	}
}

func TestCredentialValid(t *testing.T) {
	for _, tc := range []struct {
		name string
		c    Credential
		ok   bool
	}{
		{"card", Card(6543), true},
		{"card without number", Credential{Kind: KindCard}, false},
		{"card with leading zero", Credential{Kind: KindCard, Number: "012"}, false},
		{"card in hex", Credential{Kind: KindCard, Number: "1f"}, false},
		{"finger", Fingerprint("zk10", 9, []byte{1}), true},
		{"eleventh finger", Fingerprint("zk10", 10, []byte{1}), false},
		{"finger without template", Fingerprint("zk10", 1, nil), false},
		{"template of no format", Fingerprint("", 1, []byte{1}), false},
		{"smart card", Credential{Kind: KindSecureCard, Number: "77"}, true},
		{"PIN", Credential{Kind: KindPIN, Number: "1234"}, false},
		{"unknown kind", Credential{Kind: "retina", Number: "1"}, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if err := tc.c.Valid(); (err == nil) != tc.ok {
				t.Errorf("error %v", err)
			}
		})
	}
}

func TestValidity(t *testing.T) {
	for text, want := range map[string]string{"2026-11-22": "2026-11-22T00:00:00Z", "2026-11-22T08:00:00+01:00": "2026-11-22T07:00:00Z", "": ""} {
		v, err := ParseValidity(Value{First: text})
		if err != nil || v.Value().First != want {
			t.Errorf("%q became %q, %v", text, v.Value().First, err)
		}
	}
	if _, err := ParseValidity(Value{Second: "22.11.2026"}); err == nil {
		t.Error("22.11.2026 was taken for a date")
	}
	if got := FieldValidity.Show(Validity{ExpiresAt: day("2027-01-01")}.Value()); got != "always .. 2027-01-01T00:00:00Z" {
		t.Error(got)
	}
}
