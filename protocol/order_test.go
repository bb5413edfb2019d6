package protocol

import (
	"slices"
	"testing"
)

// TestNewestGiving: where several sources give a credential, it is as new as the
// newest of their words that give it; what takes away makes nothing newer.
func TestNewestGiving(t *testing.T) {
	rules := DefaultRules()
	old, between, fresh := Card(1), Card(2), Card(3)
	office, readers, hr := NewContribution(SourceOffice), NewContribution(SourceReaders), NewContribution("hr")
	office.SetCredential(old, Given, at(1))
	readers.SetCredential(old, Given, at(9)) // enrolled again: the newest of all
	hr.SetCredential(old, Withdrawn, at(20))
	office.SetCredential(between, Given, at(5))
	readers.SetCredential(fresh, Given, at(7))
	hr.SetCredential(fresh, Given, at(3))
	var got []string
	for _, c := range Fold([]Contribution{office, readers, hr}, rules).User(rules).Credentials {
		got = append(got, c.Number)
	}
	if want := []string{"1", "3", "2"}; !slices.Equal(got, want) {
		t.Errorf("newest first: %v, want %v", got, want)
	}
	// Of equal age: by priority of who gave it, then by key.
	office, readers = NewContribution(SourceOffice), NewContribution(SourceReaders)
	readers.SetCredential(Card(4), Given, at(1))
	office.SetCredential(Card(6), Given, at(1))
	office.SetCredential(Card(5), Given, at(1))
	got = nil
	for _, c := range Fold([]Contribution{readers, office}, rules).User(rules).Credentials {
		got = append(got, c.Number)
	}
	if want := []string{"5", "6", "4"}; !slices.Equal(got, want) {
		t.Errorf("of equal age: %v, want %v", got, want)
	}
}

// TestNamePartsOfSeveralSources: the parts stand or fall together, by the
// highest source that gave either; and of one source they stand before its whole
// name.
func TestNamePartsOfSeveralSources(t *testing.T) {
	rules := Rules{Order: []Source{SourceOffice, "hr", SourceReaders}, Settle: SettleLatest}
	for _, c := range []struct {
		name               string
		whole, first, last Source
		want               string
		heldBy             Source // of a name typed by readers
	}{
		{"first part above the whole", "hr", SourceOffice, SourceReaders, "Ada Lovelace", SourceOffice},
		{"last part above the whole", "hr", SourceReaders, SourceOffice, "Ada Lovelace", SourceOffice},
		{"both below the whole", SourceOffice, "hr", SourceReaders, "Countess", SourceOffice},
		{"of one source", "hr", "hr", "hr", "Ada Lovelace", "hr"},
		{"one part alone, above", "hr", "", SourceOffice, "Lovelace", SourceOffice},
		{"one part alone, below", SourceOffice, "", "hr", "Countess", SourceOffice},
		{"no whole name", "", "hr", SourceOffice, "Ada Lovelace", SourceOffice},
	} {
		t.Run(c.name, func(t *testing.T) {
			by := map[Source]Contribution{}
			say := func(s Source, f Field, text string) {
				if s == "" {
					return
				}
				if _, ok := by[s]; !ok {
					by[s] = NewContribution(s)
				}
				by[s].Set(f, Text(text), at(1))
			}
			say(c.whole, FieldName, "Countess")
			say(c.first, FieldFirstName, "Ada")
			say(c.last, FieldLastName, "Lovelace")
			var all []Contribution
			for _, one := range by {
				all = append(all, one)
			}
			r := Fold(all, rules)
			if got := r.User(rules).FullName(); got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
			if c.want == "Countess" {
				return
			}
			// An edit of the name that was not kept is held by whoever gave the parts.
			e := Edit{Values: map[Field]Value{FieldName: Text("Countess")}}
			if c.whole == "" {
				r.Values[FieldName] = Holding{Value: Text("Countess"), Source: SourceReaders}
				if n := r.fullName(rules); n != c.want {
					t.Fatalf("%q, want %q", n, c.want)
				}
			}
			if got := e.NotKept(r, rules); len(got) != 1 || got[0].HeldBy != c.heldBy {
				t.Errorf("not kept: %+v, want held by %s", got, c.heldBy)
			}
		})
	}
}

// TestWholeNameHeldByAnother: a typed name that lost to another whole name is
// held by who gave that.
func TestWholeNameHeldByAnother(t *testing.T) {
	office := NewContribution(SourceOffice)
	office.Set(FieldName, Text("Ada"), at(1))
	e := Edit{Values: map[Field]Value{FieldName: Text("Bob")}}
	rules := DefaultRules()
	r := Overlay(Fold([]Contribution{office}, rules), []Contribution{e.Contribution(at(2), rules)}, rules)
	if got := e.NotKept(r, rules); len(got) != 1 || got[0].HeldBy != SourceOffice {
		t.Errorf("not kept: %+v", got)
	}
}

// TestGiversInOrder: records are compared by their bytes, so who gives what
// stands in one order, whatever came first.
func TestGiversInOrder(t *testing.T) {
	var all []Contribution
	for _, s := range []Source{"readers", "hr", "office"} {
		c := NewContribution(s)
		for _, n := range []uint64{2, 1} {
			c.SetCredential(Card(n), Given, at(1))
		}
		c.SetGroup("staff", Given, at(1))
		c.SetGroup("it", Given, at(1))
		all = append(all, c)
	}
	sources := func(by []Giver) (out []Source) {
		for _, g := range by {
			out = append(out, g.Source)
		}
		return out
	}
	want := []Source{"hr", "office", "readers"}
	r := Fold(all, DefaultRules())
	for i, number := range []string{"1", "2"} {
		if h := r.Credentials[i]; h.Credential.Number != number || !slices.Equal(sources(h.By), want) {
			t.Errorf("credential %d is %s by %v", i, h.Credential.Number, sources(h.By))
		}
	}
	for i, name := range []string{"it", "staff"} {
		if h := r.Groups[i]; h.Group != name || !slices.Equal(sources(h.By), want) {
			t.Errorf("group %d is %s by %v", i, h.Group, sources(h.By))
		}
	}
	again := unfold(r)
	for i := range want {
		if again[i].Source != want[i] {
			t.Errorf("taken apart again: %v", again[i].Source)
		}
	}
}

// TestStampOrder: by time, then by count, then by the name of the site.
func TestStampOrder(t *testing.T) {
	order := []Stamp{
		{Wall: 1, Counter: 9, Origin: "Z"}, {Wall: 2, Counter: 0, Origin: "Z"}, {Wall: 2, Counter: 1, Origin: "A"}, {Wall: 2, Counter: 1, Origin: "B"}, {Wall: 3},
	}
	for i, a := range order {
		for k, b := range order {
			if got := a.Compare(b); (got < 0) != (i < k) || (got > 0) != (i > k) {
				t.Errorf("%v and %v: %d", a, b, got)
			}
		}
	}
}

// TestValuesAreTrimmed: blanks around a value are no part of it, and nothing but
// blanks says nothing.
func TestValuesAreTrimmed(t *testing.T) {
	c := NewContribution(SourceOffice)
	c.Set(FieldEmail, Value{First: " ada@example.org\t"}, at(1))
	c.Set(FieldPhone, Value{First: "  "}, at(1))
	if v := c.Values[FieldEmail].Latest.Value; v.First != "ada@example.org" {
		t.Errorf("%q", v.First)
	}
	if !c.Values[FieldPhone].Latest.Vacant() {
		t.Error("blanks count as a value")
	}
	c.SetGroup("staff", Given, at(5))
	c.SetGroup("staff", Withdrawn, at(3))
	if m := c.Groups["staff"]; m.State != Given || m.Stamp != at(5) {
		t.Errorf("an earlier word on a group stands: %+v", m)
	}
}

// TestUserOfARecord: what readers are given has one name and one ID, and a name
// that was blanked does not come back by another way of saying it.
func TestUserOfARecord(t *testing.T) {
	rules := DefaultRules()
	office, readers := NewContribution(SourceOffice), NewContribution(SourceReaders)
	readers.Set(FieldUserID, Text("7"), at(1))
	readers.Set(FieldName, Text("Ada"), at(1))
	office.BlankOut(FieldFirstName, at(2))
	u := Fold([]Contribution{office, readers}, rules).User(rules)
	if v, ok := u.Values[FieldName]; ok {
		t.Errorf("the office holds the name empty, and readers are given %q", v.First)
	}
	if _, ok := u.Values[FieldUserID]; ok || u.ID != "7" {
		t.Errorf("the ID is %q, and among the values: %v", u.ID, ok)
	}
	for n := range uint64(5) {
		readers.SetCredential(Card(10+n), Given, at(1))
	}
	r := Fold([]Contribution{readers}, rules)
	for n := range uint64(5) {
		if h, ok := r.Credential(Card(10 + n).Key()); !ok || h.Credential.Number != Card(10+n).Number {
			t.Errorf("card %d is not found", 10+n)
		}
	}
	if _, ok := r.Credential(Card(9).Key()); ok {
		t.Error("a card that nobody has is found")
	}
}

// TestArrivedWithTheClock: a stamp no later than what the center has seen is
// believed, however far both are ahead of its wall clock.
func TestArrivedWithTheClock(t *testing.T) {
	now := day("2026-01-01")
	ahead := Stamp{Wall: now.Add(2 * MaxAhead).UnixMilli(), Counter: 3, Origin: "A"}
	last := Stamp{Wall: ahead.Wall, Counter: 9, Origin: "B"}
	if got, moved := Arrived(ahead, last, now); moved || got != ahead {
		t.Errorf("%v became %v", ahead, got)
	}
	last.Wall--
	if got, moved := Arrived(ahead, last, now); !moved || got.Compare(last) <= 0 || got.Origin != "A" {
		t.Errorf("%v became %v", ahead, got)
	}
}

// TestSeen: a clock that meets a later stamp goes on from it, and never goes back.
func TestSeen(t *testing.T) {
	for _, c := range []struct{ last, foreign, want Stamp }{
		{at(1), at(2), at(2)}, {at(2), at(1), at(2)}, {at(1), at(1), at(1)}, {Stamp{}, at(1), at(1)},
	} {
		if got := Seen(c.last, c.foreign); got != c.want {
			t.Errorf("%v having seen %v is %v", c.last, c.foreign, got)
		}
	}
}
