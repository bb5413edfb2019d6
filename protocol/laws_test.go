package protocol

import (
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// The generators draw from small alphabets, so that stamps tie, sources meet on
// one field, and elements are given, withdrawn and revoked by several at once.

func genStamp() *rapid.Generator[Stamp] {
	return rapid.Custom(func(t *rapid.T) Stamp {
		return Stamp{
			Wall:    rapid.Int64Range(1, 5).Draw(t, "wall"),
			Counter: rapid.SampledFrom([]uint32{0, 1, 2, math.MaxUint32}).Draw(t, "counter"),
			Origin:  rapid.SampledFrom([]string{"", "A", "B"}).Draw(t, "origin"),
		}
	})
}

var lawFields = []Field{FieldUserID, FieldName, FieldFirstName, FieldLastName, FieldEmail, FieldValidity, FieldPIN, "custom:floor"}

func genValue(f Field) *rapid.Generator[Value] {
	return rapid.Custom(func(t *rapid.T) Value {
		v := Value{First: rapid.SampledFrom([]string{"", "a", "b", "c"}).Draw(t, "first")}
		if f == FieldValidity || f == FieldPIN {
			v.Second = rapid.SampledFrom([]string{"", "x", "y"}).Draw(t, "second")
		}
		return v
	})
}

var lawCredentials = []Credential{
	Card(1), Card(2),
	{Kind: KindCard, Format: "wiegand26", Number: "1", Bits: 26},
	Fingerprint("zk10", 3, []byte("template one")), Fingerprint("zk10", 3, []byte("template two")),
	{Kind: KindSecureCard, Format: FormatNumber, Number: "77"},
	{Kind: KindAccessOnCard, Format: FormatNumber, Number: "78"},
}

func genContribution(sources ...Source) *rapid.Generator[Contribution] {
	return rapid.Custom(func(t *rapid.T) Contribution {
		c := NewContribution(rapid.SampledFrom(sources).Draw(t, "source"))
		for range rapid.IntRange(0, 6).Draw(t, "statements") {
			f := rapid.SampledFrom(lawFields).Draw(t, "field")
			at := genStamp().Draw(t, "at")
			if rapid.Bool().Draw(t, "blank") && c.Source != SourceReaders {
				c.BlankOut(f, at)
			} else {
				c.Set(f, genValue(f).Draw(t, "value"), at)
			}
		}
		states := []Giving{Given, Given, Withdrawn, Refused}
		if c.Source == SourceOffice {
			states = append(states, Revoked)
		}
		for range rapid.IntRange(0, 4).Draw(t, "elements") {
			c.SetCredential(rapid.SampledFrom(lawCredentials).Draw(t, "credential"),
				rapid.SampledFrom(states).Draw(t, "state"), genStamp().Draw(t, "at"))
		}
		for range rapid.IntRange(0, 3).Draw(t, "memberships") {
			c.SetGroup(rapid.SampledFrom([]string{"staff", "it"}).Draw(t, "group"),
				rapid.SampledFrom([]Giving{Given, Withdrawn}).Draw(t, "state"), genStamp().Draw(t, "at"))
		}
		return c
	})
}

func genRules() *rapid.Generator[Rules] {
	return rapid.Custom(func(t *rapid.T) Rules {
		r := Rules{
			Order:     rapid.Permutation([]Source{SourceOffice, SourceReaders, "hr"}).Draw(t, "order"),
			Settle:    rapid.SampledFrom([]Settle{SettleFirst, SettleLatest}).Draw(t, "settle"),
			Overrides: map[Field][]Source{}, SettleBy: map[Field]Settle{},
			Withdraw: rapid.Bool().Draw(t, "withdraw"),
		}
		if rapid.Bool().Draw(t, "override") {
			r.Overrides[FieldPIN] = []Source{SourceReaders, SourceOffice}
		}
		if rapid.Bool().Draw(t, "settle one") {
			r.SettleBy[FieldEmail] = SettleLatest
		}
		return r
	})
}

var lawSources = []Source{SourceOffice, SourceReaders, "hr", "visitors"}

// Any order of arrival, any repetition, any grouping: same record.
func TestFoldLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rules := genRules().Draw(t, "rules")
		cs := rapid.SliceOfN(genContribution(lawSources...), 0, 6).Draw(t, "contributions")
		want := Fold(cs, rules)

		shuffled := slices.Concat(cs, cs[:len(cs)/2])
		seed := rapid.Uint64().Draw(t, "seed")
		rand.New(rand.NewPCG(seed, 1)).Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		mustEqual(t, "shuffled and repeated", want, Fold(shuffled, rules))

		cut := rapid.IntRange(0, len(cs)).Draw(t, "cut")
		mustEqual(t, "joined in two groups", want, Fold(slices.Concat(joined(cs[cut:]), joined(cs[:cut])), rules))
	})
}

// Folding only what a word speaks of is folding all, and changes no argument.
func TestRefoldLaw(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rules := genRules().Draw(t, "rules")
		cs := joined(rapid.SliceOfN(genContribution(lawSources...), 0, 6).Draw(t, "contributions"))
		was := Fold(cs, rules)
		was.GUID, was.Site = "g", "A"
		word := genContribution(lawSources...).Draw(t, "word")
		if rapid.Bool().Draw(t, "values alone") {
			clear(word.Credentials)
			clear(word.Groups)
		}
		old := NewContribution(word.Source)
		after := slices.Clone(cs)
		i, known := slices.BinarySearchFunc(cs, word.Source, func(c Contribution, s Source) int { return strings.Compare(string(c.Source), string(s)) })
		if known {
			old = cs[i]
			after[i] = JoinShared(old, word)
		} else {
			after = slices.Insert(after, i, JoinShared(old, word))
		}
		mustEqual(t, "joined", Join(old, word), after[i])

		want := Fold(after, rules)
		want.GUID, want.Site = "g", "A"
		mustEqual(t, "record", want, Refold(was, after, word, rules))
		again := Fold(cs, rules)
		again.GUID, again.Site = "g", "A"
		mustEqual(t, "what was", again, was)
	})
}

// overlay(fold(C), E) is fold(C with E), for the edits of one site.
func TestOverlayLaw(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rules := genRules().Draw(t, "rules")
		cs := rapid.SliceOfN(genContribution(lawSources...), 0, 6).Draw(t, "contributions")
		var edits []Contribution
		for range rapid.IntRange(0, 4).Draw(t, "edits") {
			edits = append(edits, genEdit().Draw(t, "edit").Contribution(genStamp().Draw(t, "at"), rules))
		}
		mustEqual(t, "overlay", Fold(slices.Concat(cs, edits), rules), Overlay(Fold(cs, rules), edits, rules))
		// In two steps, as a site does that restarts in between.
		half := len(edits) / 2
		mustEqual(t, "overlay in two steps", Overlay(Fold(cs, rules), edits, rules),
			Overlay(Overlay(Fold(cs, rules), edits[:half], rules), edits[half:], rules))
	})
}

func genEdit() *rapid.Generator[Edit] {
	return rapid.Custom(func(t *rapid.T) Edit {
		e := Edit{UserID: rapid.SampledFrom([]string{"4", "5"}).Draw(t, "id"), New: rapid.Bool().Draw(t, "new"), Values: map[Field]Value{}}
		for range rapid.IntRange(0, 3).Draw(t, "values") {
			f := rapid.SampledFrom(lawFields).Draw(t, "field")
			e.Values[f] = genValue(f).Draw(t, "value")
		}
		e.Given = rapid.SliceOfN(rapid.SampledFrom(lawCredentials), 0, 2).Draw(t, "given")
		for _, c := range rapid.SliceOfN(rapid.SampledFrom(lawCredentials), 0, 2).Draw(t, "withdrawn") {
			e.Withdrawn = append(e.Withdrawn, c.Key())
		}
		if len(e.Given) > 0 && rapid.Bool().Draw(t, "refused") {
			e.Refused = []CredentialKey{e.Given[0].Key()}
		}
		return e
	})
}

// Joining is a semilattice, and changes neither argument.
func TestJoinLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := genContribution(rapid.SampledFrom(lawSources).Draw(t, "source"))
		a, b, c := g.Draw(t, "a"), g.Draw(t, "b"), g.Draw(t, "c")
		before := a.Clone()
		mustEqual(t, "commutative", Join(a, b), Join(b, a))
		mustEqual(t, "associative", Join(Join(a, b), c), Join(a, Join(b, c)))
		mustEqual(t, "idempotent", Join(a, a), a.Clone())
		mustEqual(t, "arguments unchanged", before, a)
	})
}

// A stamp made after another was seen is later, whatever the wall clock does,
// and stamps of two origins are never equal.
func TestClockLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var last Stamp
		for range rapid.IntRange(1, 20).Draw(t, "steps") {
			if rapid.Bool().Draw(t, "sees") {
				last = Seen(last, genStamp().Draw(t, "foreign"))
			}
			now := Stamp{Wall: rapid.Int64Range(1, 6).Draw(t, "wall")}.Time()
			next := Next(last, now, "A")
			if next.Compare(last) <= 0 {
				t.Fatalf("next stamp %v is not later than %v", next, last)
			}
			last = next
		}
	})
}

func mustEqual(t *rapid.T, what string, want, got any) {
	t.Helper()
	if !reflect.DeepEqual(want, got) {
		t.Fatalf("%s: want %s, got %s", what, dump(want), dump(got))
	}
}

// dump prints what String hides; the values of these tests are invented.
func dump(v any) string {
	switch r := v.(type) {
	case Record:
		var out strings.Builder
		for f, h := range r.Values {
			out.WriteString(fmt.Sprintf("%s={%q %q blank=%v %s %v} ", f, h.Value.First, h.Value.Second, h.Blank, h.Source, h.Stamp))
		}
		return out.String() + fmt.Sprintf("credentials=%+v groups=%+v", r.Credentials, r.Groups)
	default:
		return fmt.Sprintf("%+v", v)
	}
}
