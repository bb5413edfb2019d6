package protocol

import "testing"

// TestOfEqualStamps: two agents under one name can say two things at one time.
// Which of them stands must not depend on which came first.
func TestOfEqualStamps(t *testing.T) {
	var (
		a, b    = NewContribution(SourceOffice), NewContribution(SourceOffice)
		card    = Card(7)
		said    = func(c Contribution) Statement { return c.Values[FieldEmail].Latest }
		element = func(c Contribution) Giving { return c.Credentials[card.Key()].State }
		member  = func(c Contribution) Giving { return c.Groups["staff"].State }
	)
	a.Set(FieldEmail, Text("ada@example.org"), at(1))
	b.BlankOut(FieldEmail, at(1))
	for name, c := range map[string]Contribution{"value first": Join(a, b), "blank first": Join(b, a)} {
		if !said(c).Blank {
			t.Errorf("%s: %+v; what is held empty is the later word", name, said(c))
		}
	}
	// What takes more away stands.
	order := []Giving{Given, Withdrawn, Refused, Revoked}
	for i, less := range order {
		for _, more := range order[i:] {
			one, other := NewContribution(SourceOffice), NewContribution(SourceOffice)
			one.SetCredential(card, less, at(1))
			one.SetGroup("staff", less, at(1))
			other.SetCredential(card, more, at(1))
			other.SetGroup("staff", more, at(1))
			for _, c := range []Contribution{Join(one, other), Join(other, one), JoinShared(one, other), JoinShared(other, one)} {
				if element(c) != more || member(c) != more {
					t.Errorf("of %s and %s at one time stand %s and %s", less, more, element(c), member(c))
				}
			}
		}
	}
}

// TestSaidTwice: one contribution keeps the first word that held something and
// the latest of all, in whatever order they came.
func TestSaidTwice(t *testing.T) {
	words := []struct {
		value  Value
		minute int
	}{{Text("b"), 2}, {Text("a"), 1}, {Value{}, 4}, {Text("c"), 3}}
	for shift := range words {
		c := NewContribution(SourceOffice)
		for i := range words {
			w := words[(i+shift)%len(words)]
			c.Set(FieldEmail, w.value, at(w.minute))
		}
		if said := c.Values[FieldEmail]; said.First.Value != Text("a") || !said.Latest.Vacant() || said.Latest.Stamp != at(4) {
			t.Errorf("from word %d on: first %q, latest of %v", shift, said.First.Value.First, said.Latest.Stamp)
		}
	}
}

// TestMark: what is known by its key alone changes its standing, and keeps what
// it is; what was never named is not invented.
func TestMark(t *testing.T) {
	finger := Fingerprint("zk10", 3, []byte("template"))
	c := NewContribution(SourceReaders)
	c.Mark(finger.Key(), Revoked, at(1))
	if !c.Empty() {
		t.Errorf("a credential that nobody named came of its key: %+v", c)
	}
	c.SetCredential(finger, Given, at(2))
	c.Mark(finger.Key(), Revoked, at(1)) // earlier
	if e := c.Credentials[finger.Key()]; e.State != Given {
		t.Errorf("an earlier word stands: %s", e.State)
	}
	c.Mark(finger.Key(), Revoked, at(3))
	if e := c.Credentials[finger.Key()]; e.State != Revoked || string(e.Credential.Template) != "template" {
		t.Errorf("marked: %s, %d bytes of template", e.State, len(e.Credential.Template))
	}
	if c.Empty() {
		t.Error("a contribution that names a credential counts as empty")
	}
}

// TestTemplateBytesComeFromWhoeverHasThem: another source, or another word of
// the same one, may know a finger by its hash alone.
func TestTemplateBytesComeFromWhoeverHasThem(t *testing.T) {
	finger := Fingerprint("zk10", 3, []byte("template"))
	known := finger.Key().Credential() // no bytes
	whole := func(what string, c Credential) {
		t.Helper()
		if string(c.Template) != "template" {
			t.Errorf("%s: the bytes are lost", what)
		}
	}
	for _, order := range [][2]Credential{{finger, known}, {known, finger}} {
		office, readers := NewContribution(SourceOffice), NewContribution(SourceReaders)
		office.SetCredential(order[0], Given, at(1))
		readers.SetCredential(order[1], Given, at(2))
		r := Fold([]Contribution{readers, office}, DefaultRules())
		whole("of two sources", r.Credentials[0].Credential)
		if h, ok := r.Credential(finger.Key()); !ok || !h.Active() {
			t.Error("a finger that two sources give is not held")
		}

		one, other := NewContribution(SourceReaders), NewContribution(SourceReaders)
		one.SetCredential(order[0], Given, at(1))
		other.SetCredential(order[1], Given, at(2))
		whole("of two words", Join(one, other).Credentials[finger.Key()].Credential)
		whole("in one contribution", func() Credential {
			one.SetCredential(order[1], Given, at(3))
			return one.Credentials[finger.Key()].Credential
		}())
	}
}

// TestJoinSharedChangesNeither: who shares maps must not find them changed.
func TestJoinSharedChangesNeither(t *testing.T) {
	say := func(f Field, text string, card uint64, group string, minute int) Contribution {
		c := NewContribution(SourceReaders)
		c.Set(f, Text(text), at(minute))
		c.SetCredential(Card(card), Given, at(minute))
		c.SetGroup(group, Given, at(minute))
		return c
	}
	a, b := say(FieldEmail, "a", 1, "staff", 1), say(FieldPhone, "b", 2, "it", 2)
	before, after := dump(a), dump(b)
	both := JoinShared(a, b)
	if dump(a) != before || dump(b) != after {
		t.Error("joining changed what was joined")
	}
	if dump(both) != dump(Join(a, b)) {
		t.Errorf("shared: %s; apart: %s", dump(both), dump(Join(a, b)))
	}
	// A contribution that came without maps gets some.
	if got := JoinShared(Contribution{Source: SourceReaders}, b); dump(got) != dump(Join(NewContribution(SourceReaders), b)) {
		t.Errorf("of nothing: %s", dump(got))
	}
	got := JoinShared(Contribution{Source: SourceReaders}, Contribution{Source: SourceReaders})
	got.Set(FieldEmail, Text("c"), at(1)) // a nil map would panic
	got.SetCredential(Card(1), Given, at(1))
	got.SetGroup("staff", Given, at(1))
}

// TestOverlayValuesOfNothing: a user new at the site has no record to lay over.
func TestOverlayValuesOfNothing(t *testing.T) {
	c := NewContribution(SourceReaders)
	c.Set(FieldName, Text("Ada"), at(1))
	if got := OverlayValues(nil, c, DefaultRules()); len(got) != 1 || got[FieldName].Value != Text("Ada") || got[FieldName].Source != SourceReaders {
		t.Errorf("%+v", got)
	}
}

// TestSources: an override stands before the rest of the order, which loses
// nobody and names nobody twice.
func TestSources(t *testing.T) {
	r := Rules{
		Order:     []Source{"hr", SourceOffice, SourceReaders},
		Overrides: map[Field][]Source{FieldPIN: {SourceReaders, "hr"}},
	}
	for f, want := range map[Field][]Source{
		FieldPIN: {SourceReaders, "hr", SourceOffice}, FieldEmail: {"hr", SourceOffice, SourceReaders},
	} {
		got := r.Sources(f)
		for i := range want {
			if len(got) != len(want) || got[i] != want[i] {
				t.Fatalf("%s: %v, want %v", f, got, want)
			}
			if i > 0 && r.compare(f, got[i-1], got[i]) >= 0 {
				t.Errorf("%s: %s is not before %s", f, got[i-1], got[i])
			}
			if r.compare(f, got[i], "stranger") >= 0 {
				t.Errorf("%s: a source that nobody ordered stands before %s", f, got[i])
			}
		}
	}
	if r.compare(FieldPIN, "ada", "bob") >= 0 || r.compare(FieldPIN, "bob", "bob") != 0 {
		t.Error("sources that nobody ordered are not in the order of their names")
	}
}

// TestEditEmpty: whatever an edit says makes it one.
func TestEditEmpty(t *testing.T) {
	if !(Edit{UserID: "1", Refused: []CredentialKey{"k"}}).Empty() {
		t.Error("an edit that says nothing counts as one")
	}
	for name, e := range map[string]Edit{
		"enrollment": {New: true}, "value": {Values: map[Field]Value{FieldName: Text("Ada")}},
		"credential": {Given: []Credential{Card(1)}}, "removal": {Withdrawn: []CredentialKey{Card(1).Key()}}, "group": {Groups: []string{"staff"}},
	} {
		if e.Empty() {
			t.Errorf("%s: counts as nothing", name)
		}
	}
}

// TestWithdrawnAndGroupsOfAnEdit: removals count only where the rules let them;
// the user ID of an edit is not a value that readers give.
func TestWithdrawnAndGroupsOfAnEdit(t *testing.T) {
	e := Edit{
		UserID: "9", Values: map[Field]Value{FieldUserID: Text("10"), FieldName: Text("Ada")},
		Withdrawn: []CredentialKey{Card(3).Key()}, Groups: []string{"staff"},
	}
	c := e.Contribution(at(4), Rules{})
	if _, ok := c.Values[FieldUserID]; ok || len(c.Values) != 1 || len(c.Credentials) != 0 {
		t.Errorf("%+v", c)
	}
	if m := c.Groups["staff"]; m.State != Given || m.Stamp != at(4) {
		t.Errorf("group: %+v", m)
	}
	if w := e.Contribution(at(4), Rules{Withdraw: true}).Credentials[Card(3).Key()]; w.State != Withdrawn || w.Credential.Number != "3" {
		t.Errorf("withdrawn: %+v", w)
	}
	e.New = true
	if v := e.Contribution(at(4), Rules{}).Values[FieldUserID].Latest.Value; v != Text("9") {
		t.Errorf("the ID of a newcomer is %q", v.First)
	}
	if got, want := e.String(), "name, user_id, -card …3, +group staff"; got != want {
		t.Errorf("shown as %q, want %q", got, want)
	}
}
