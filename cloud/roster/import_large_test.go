package roster_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"doorsync/cloud/roster"
	"doorsync/protocol"
)

// An import that is written in many parts is one all the same: memory follows
// the store after it, sites keep up, and when its commit fails nothing happened.
func TestLargeImport(t *testing.T) {
	const people = 1600 // enough for the import to stop asking the store about new ones
	c := newCenter(t, "A")
	f := &failing{Store: c.store}
	c.store = f
	c.open()
	a := c.site("A")
	c.addSource("hr", roster.GoneRemoveOnly, roster.KeyEmail)
	for i := range 20 { // known before, under IDs and cards that the file has too
		c.put(fmt.Sprint(1_000_000+i), roster.Patch{Set: texts("email", fmt.Sprintf("first%d.last%d@example.org", i, i))})
		c.put(fmt.Sprint("x", i), roster.Patch{Give: []protocol.Credential{protocol.Card(uint64(5_001_500 + i))}})
	}
	c.put("1001550", roster.Patch{}) // a user ID of the file
	a.pull()
	_, err := c.SiteDigest(t.Context(), "A") // kept from now on
	must(t, err)
	first := func(phone string, n int) []roster.Word {
		out := make([]roster.Word, n)
		for i := range out {
			p := phone
			if i%10 > 0 {
				p = "1"
			}
			out[i] = exported(i, p)
		}
		// Of people in another part, who are new too.
		out[1590].Credentials = out[1060].Credentials
		out[1591].Values[protocol.FieldUserID] = out[1061].Values[protocol.FieldUserID]
		return out
	}
	before := c.dump()
	f.fail = true
	if _, _, err := c.tryLarge("hr", false, first("1", people)); !errors.Is(err, errCommit) {
		t.Fatalf("a failed commit went unnoticed: %v", err)
	}
	f.fail = false
	a.agree() // by the digests in memory
	if after := c.dump(); after != before {
		t.Fatal("a failed commit left something")
	}
	dry, _, err := c.tryLarge("hr", true, first("1", people))
	must(t, err)
	got, counts, err := c.tryLarge("hr", false, first("1", people))
	must(t, err)
	sameEffects(t, dry, got)
	if counts.New != people-20 || counts.Associated != 20 || counts.Refused != 23 {
		t.Fatalf("%+v", counts)
	}
	must(t, c.Check(t.Context()))
	a.pull()
	a.agree()
	a.edit(protocol.Edit{UserID: "1000500", Values: texts("phone", "2")}) // of somebody who is not in the cache
	for _, phone := range []string{"2", "3"} {
		_, counts, err = c.tryLarge("hr", false, first(phone, people-5))
		must(t, err)
		if counts.Updated != 160 || counts.New != 0 {
			t.Fatalf("%+v", counts)
		}
		a.pull()
		a.agree()
		must(t, c.Check(t.Context()))
	}
	if counts, err := c.PreviewRemoveSource(t.Context(), "hr", nil); err != nil || counts.Removed != people-20-5 {
		t.Fatalf("%+v, %v", counts, err)
	}
	revision := c.Revision()
	c.open()
	if c.Revision() != revision {
		t.Fatal("memory is not what the store says")
	}
	a.agree()
}

// tryLarge is tryFeed for files whose people have an e-mail address of their own.
func (c *center) tryLarge(name protocol.Source, dry bool, words []roster.Word) ([]roster.Effect, roster.Counts, error) {
	c.t.Helper()
	in := roster.Import{Source: name, Run: c.sourceRow(name).Runs + 1, Dry: dry}
	var persons []roster.Person
	must(c.t, c.Survey(c.t.Context(), name, func(s *roster.Survey) error {
		in.Revision = s.Revision()
		named := map[roster.Identity]roster.SourceUser{}
		must(c.t, s.Named(roster.Identity{}, func(u roster.SourceUser) bool { named[u.Identity] = u; return true }))
		for i := range words {
			p := roster.Person{Words: words[i : i+1]}
			u, ok := named[words[i].Identity]
			delete(named, words[i].Identity)
			switch found := c.candidates(s, roster.KeyEmail, words[i].Values[protocol.FieldEmail].First); {
			case ok && u.Digest == words[i].Digest:
				continue
			case ok:
				p.GUID = u.GUID
			case len(found) > 0:
				p.GUID, p.By = found[0].GUID, roster.KeyEmail
			}
			persons = append(persons, p)
		}
		var gone []roster.Person
		for id, u := range named {
			if !u.Absent() {
				gone = append(gone, roster.Person{GUID: u.GUID, Lost: []roster.Identity{id}})
			}
		}
		persons = slices.Concat(gone, persons)
		return nil
	}))
	in.Persons = func(yield func(roster.Person, error) bool) {
		for _, p := range persons {
			if !yield(p, nil) {
				return
			}
		}
	}
	return c.carryOut(in)
}

// What comes up while persons are read ends the import, and leaves nothing.
func TestImportEndsEarly(t *testing.T) {
	c := newCenter(t, "A")
	c.SpillAt(2)
	c.addSource("hr", roster.GoneRemoveOnly)
	broken := errors.New("the spool cannot be read")
	before := c.dump()
	for name, tc := range map[string]struct {
		last roster.Person
		err  error
		want error
	}{
		"reading fails":       {roster.Person{}, broken, broken},
		"an unknown value":    {roster.Person{Words: []roster.Word{row("S", texts("shoe", "44"))}}, nil, roster.ErrInvalid},
		"a state that is not": {roster.Person{Words: []roster.Word{row("S", texts("state", "asleep"))}}, nil, roster.ErrInvalid},
		"a bad credential":    {roster.Person{Words: []roster.Word{row("S", nil, protocol.Credential{Kind: protocol.KindCard, Number: "x"})}}, nil, roster.ErrInvalid},
		"a bad group":         {roster.Person{Words: []roster.Word{row("S", nil, "a\nb")}}, nil, roster.ErrInvalid},
		"nobody":              {roster.Person{}, nil, roster.ErrInvalid},
		"somebody unheard of": {roster.Person{GUID: "x", Words: []roster.Word{row("S", nil)}}, nil, roster.ErrStale},
	} {
		t.Run(name, func(t *testing.T) {
			in := roster.Import{Source: "hr", Run: 1, Revision: c.Revision(), Persons: func(yield func(roster.Person, error) bool) {
				for i := range 5 {
					if !yield(roster.Person{Words: []roster.Word{exported(i, "1")}}, nil) {
						return
					}
				}
				yield(tc.last, tc.err)
			}}
			if _, _, err := c.carryOut(in); !errors.Is(err, tc.want) {
				t.Fatal(err)
			}
			if after := c.dump(); after != before {
				t.Fatal("something was left")
			}
		})
	}
	if _, _, err := c.carryOut(roster.Import{Source: "x"}); !errors.Is(err, roster.ErrNotFound) {
		t.Fatal(err)
	}
}
