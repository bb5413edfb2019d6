package protocol

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func TestUserName(t *testing.T) {
	for _, c := range []struct{ whole, first, last, want string }{
		{"Ada L.", "Ada", "Lovelace", "Ada L."}, {"", "Ada", "Lovelace", "Ada Lovelace"}, {"", " Ada ", "", "Ada"}, {"", "", " Lovelace", "Lovelace"}, {"", "", "", ""},
	} {
		u := User{Values: map[Field]Value{FieldName: Text(c.whole), FieldFirstName: {First: c.first}, FieldLastName: {First: c.last}}}
		if got := u.FullName(); got != c.want {
			t.Errorf("%+v: %q", c, got)
		}
	}
}

func TestUserState(t *testing.T) {
	for state, want := range map[string]bool{"": true, StateActive: true, StateInactive: false} {
		if got := (User{Values: map[Field]Value{FieldState: Text(state)}}).Active(); got != want {
			t.Errorf("state %q: active %v", state, got)
		}
	}
}

// TestCloneSharesNothing: whoever changes a copy changes nobody else's user.
func TestCloneSharesNothing(t *testing.T) {
	u := User{
		ID: "1", Values: map[Field]Value{FieldName: Text("Ada")}, Groups: []string{"staff"},
		Credentials: []Credential{Card(1), Fingerprint("zk10", 2, []byte("t")), Card(2)},
	}
	c := u.Clone()
	c.Values[FieldName], c.Groups[0], c.Credentials[0] = Text("Bob"), "it", Card(9)
	if u.FullName() != "Ada" || u.Groups[0] != "staff" || !u.Has(Card(1).Key()) || u.Has(Card(9).Key()) {
		t.Errorf("%+v", u)
	}
	if cards := u.OfKind(KindCard); len(cards) != 2 || cards[0].Number != "1" || cards[1].Number != "2" {
		t.Errorf("cards: %v", cards)
	}
	if faces := u.OfKind(KindFace); faces != nil {
		t.Errorf("faces: %v", faces)
	}
}

// TestValidityIncludes: from the activation on, up to and without the expiry;
// an open end is open.
func TestValidityIncludes(t *testing.T) {
	from, to := day("2026-01-01"), day("2026-02-01")
	for _, c := range []struct {
		name  string
		v     Validity
		at    time.Time
		in    bool
		turns time.Time
	}{
		{"before", Validity{from, to}, from.Add(-1), false, from},
		{"at the activation", Validity{from, to}, from, true, to},
		{"at the expiry", Validity{from, to}, to, false, time.Time{}},
		{"just before it", Validity{from, to}, to.Add(-1), true, to},
		{"never expires", Validity{ActivatesAt: from}, to, true, time.Time{}},
		{"always been active", Validity{ExpiresAt: to}, from, true, to},
		{"no ends", Validity{}, from, true, time.Time{}},
	} {
		if got := c.v.Includes(c.at); got != c.in {
			t.Errorf("%s: %v", c.name, got)
		}
		if got := c.v.Turns(c.at); !got.Equal(c.turns) {
			t.Errorf("%s: turns at %v, want %v", c.name, got, c.turns)
		}
	}
	for text, part := range map[string]Value{"activates_at": {First: "soon"}, "expires_at": {Second: "late"}} {
		if _, err := ParseValidity(part); err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// TestShow: what people see of a value, and never of a secret.
func TestShow(t *testing.T) {
	for _, c := range []struct {
		f    Field
		v    Value
		want string
	}{
		{FieldPIN, Value{First: "1234", Second: "digits"}, "****"},
		{FieldPIN, Value{}, ""},
		{FieldValidity, Value{First: "2026-01-01"}, "2026-01-01 .. never expires"},
		{FieldValidity, Value{}, ""},
		{FieldPicture, Value{First: "abc", Second: "image/png"}, "abc (image/png)"},
		{FieldEmail, Text("ada@example.org"), "ada@example.org"},
	} {
		if got := c.f.Show(c.v); got != c.want {
			t.Errorf("%s: %q, want %q", c.f, got, c.want)
		}
	}
	if v := (Value{First: " a ", Second: "\tb\n"}).Trimmed(); v != (Value{First: "a", Second: "b"}) {
		t.Errorf("trimmed to %q, %q", v.First, v.Second)
	}
}

// TestNamesOfThings: everything built in is known, has a name for people, and
// nothing else is taken for it.
func TestNamesOfThings(t *testing.T) {
	for _, f := range Fields() {
		if !f.Known() {
			t.Errorf("%s is not known", f)
		}
	}
	for f, want := range map[Field]bool{"custom:floor": true, "custom:": false, "floor": false, "": false} {
		if f.Known() != want {
			t.Errorf("%q: known %v", f, !want)
		}
	}
	for _, e := range Events() {
		if !e.Known() || e.Title() == string(e) || e.Title() == "" {
			t.Errorf("%s: %q", e, e.Title())
		}
	}
	if later := Event("from_the_future"); later.Known() || later.Title() != "from_the_future" {
		t.Errorf("%q, known %v", later.Title(), later.Known())
	}
	if !slices.Contains(Events(), EventEnrolled) || !slices.IsSorted(Events()) {
		t.Errorf("events: %v", Events())
	}
	for _, k := range Kinds() {
		if bio := k == KindFingerprint || k == KindFace; k.Biometric() != bio {
			t.Errorf("%s: biometric %v", k, !bio)
		}
	}
	if e := (Entry{Stamp: at(3)}); !e.Time().Equal(time.UnixMilli(180_000)) {
		t.Errorf("time of an entry: %v", e.Time())
	}
	if !(Stamp{}).IsZero() || at(1).IsZero() || (Stamp{Origin: "A"}).IsZero() {
		t.Error("which stamp is none")
	}
}

// TestCredentialKeys: a key names the credential again, and shows no more of it
// than the credential does.
func TestCredentialKeys(t *testing.T) {
	face := Credential{Kind: KindFace, Format: "f1", Slot: 1, Template: []byte("template")}
	for _, c := range []struct {
		cr    Credential
		shown string
		key   string
	}{
		{Card(123456), "card …3456", "card …3456"},
		{Card(12), "card …12", "card …12"},
		{Fingerprint("zk10", 3, []byte("template")), "fingerprint 3 (zk10)", "fingerprint 3 (zk10)"},
		{face, "face (f1)", "face 1 (f1)"},
	} {
		again := c.cr.Key().Credential()
		if again.Key() != c.cr.Key() || again.Kind != c.cr.Kind || again.Format != c.cr.Format || again.Slot != c.cr.Slot || again.Number != c.cr.Number {
			t.Errorf("%s became %+v", c.shown, again)
		}
		if c.cr.String() != c.shown || c.cr.Key().String() != c.key {
			t.Errorf("shown as %q and %q, want %q and %q", c.cr.String(), c.cr.Key().String(), c.shown, c.key)
		}
	}
	if got := CredentialKey("whatever").String(); got != "credential" {
		t.Errorf("what is no key is shown as %q", got)
	}
	if Card(123456).Size() >= face.Size()+100 || face.Size() <= (Credential{Kind: KindFace}).Size() {
		t.Error("a template takes no memory")
	}
}
