package roster_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"doorsync/cloud/roster"
	"doorsync/protocol"
)

// people makes a file: few people with few values, so that they meet those of
// others.
func people(rt *rapid.T, label string) []roster.Word {
	var out []roster.Word
	for _, n := range rapid.SliceOfNDistinct(rapid.IntRange(1, 6), 0, 5, rapid.ID).Draw(rt, label) {
		w := row(fmt.Sprint("S", n), values(rt))
		if rapid.Bool().Draw(rt, "has an e-mail") {
			w.Values[protocol.FieldEmail] = protocol.Text(rapid.SampledFrom([]string{"a@example.org", "b@example.org", "c@example.org", "d@example.org"}).Draw(rt, "e-mail"))
		}
		if rapid.IntRange(0, 2).Draw(rt, "has a user ID") == 0 {
			w.Values[protocol.FieldUserID] = protocol.Text(rapid.SampledFrom(ids).Draw(rt, "user ID"))
		}
		if rapid.IntRange(0, 3).Draw(rt, "has a state") == 0 {
			w.Values[protocol.FieldState] = protocol.Text(rapid.SampledFrom([]string{protocol.StateActive, protocol.StateInactive}).Draw(rt, "state"))
		}
		w.Credentials = rapid.SliceOfNDistinct(rapid.SampledFrom(cards), 0, 2, protocol.Credential.Key).Draw(rt, "cards")
		w.Groups = slices.Clone(groups[:rapid.IntRange(0, 2).Draw(rt, "groups")])
		out = append(out, w)
	}
	return out
}

func anyGone(rt *rapid.T) roster.Gone {
	return rapid.SampledFrom([]roster.Gone{roster.GoneKeep, roster.GoneRemoveOnly, roster.GoneRemove, roster.GoneDeactivateOnly, roster.GoneDeactivate}).Draw(rt, "gone")
}

func anyKeys(rt *rapid.T) []roster.Key {
	all := []roster.Key{roster.KeyEmail, roster.KeyUserID, roster.KeyCredential, roster.KeyFullName, roster.KeySyncID}
	return rapid.SliceOfNDistinct(rapid.SampledFrom(all), 0, 2, rapid.ID).Draw(rt, "keys")
}

// A dry run tells in every line what the run does, and leaves nothing. The same
// file again changes nothing.
func TestImportLaws(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w, end := newWorld(t)
		defer end()
		w.SpillAt(rapid.SampledFrom([]int{1, 2, 512}).Draw(rt, "spill"))
		w.addSource("hr", anyGone(rt), anyKeys(rt)...)
		for range rapid.IntRange(0, 4).Draw(rt, "before") {
			w.office(rt)
		}
		for range rapid.IntRange(1, 3).Draw(rt, "files") {
			file := people(rt, "people")
			must(t, w.Reindex(t.Context()))
			before := w.dump()
			dry, counts, err := w.tryFeed("hr", true, slices.Clone(file)...)
			must(t, err)
			if after := w.dump(); after != before {
				rt.Fatalf("a dry run left something:\n%s\n%s", before, after)
			}
			w.fail.fail = true
			if _, _, err := w.tryFeed("hr", false, slices.Clone(file)...); !errors.Is(err, errCommit) {
				rt.Fatalf("a failed commit went unnoticed: %v", err)
			}
			w.fail.fail = false
			run, ran := w.feed("hr", slices.Clone(file)...)
			sameEffects(rt, dry, run)
			if counts != ran {
				rt.Fatalf("counted %+v dry, %+v on the run", counts, ran)
			}
			w.again(rt, file)
			must(t, w.Check(t.Context()))
		}
		w.settled(rt)
	})
}

// again imports a file whose every row is taken for new though nothing is.
func (w *world) again(rt *rapid.T, file []roster.Word) {
	revision := w.Revision()
	in, _ := w.plan("hr", slices.Clone(file))
	var named []roster.Person
	must(w.t, w.Survey(w.t.Context(), "hr", func(s *roster.Survey) error {
		byGUID := map[string]*roster.Person{}
		for i, word := range file {
			word.Line, word.Digest = i+2, digest(word)
			u, ok, err := s.NamedOne(word.Identity)
			must(w.t, err)
			if !ok || u.GUID == "" {
				continue // undecided
			}
			if byGUID[u.GUID] == nil {
				byGUID[u.GUID] = &roster.Person{GUID: u.GUID}
			}
			byGUID[u.GUID].Words = append(byGUID[u.GUID].Words, word)
		}
		for _, guid := range slices.Sorted(maps.Keys(byGUID)) {
			named = append(named, *byGUID[guid])
		}
		return nil
	}))
	in.Persons = func(yield func(roster.Person, error) bool) {
		for _, p := range named {
			if !yield(p, nil) {
				return
			}
		}
	}
	effects, counts, err := w.carryOut(in)
	must(w.t, err)
	counts.Refused, counts.Warnings = 0, 0 // told as long as they last
	if counts != (roster.Counts{}) || w.Revision() != revision {
		rt.Fatalf("the same again: %+v, revision %d after %d", effects, w.Revision(), revision)
	}
}

// In whatever order sources are imported, people come out the same.
func TestOrderOfImports(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		// Every person has an e-mail address of their own in every file, and every
		// card is one person's, or it would matter who comes first.
		files := map[protocol.Source][]roster.Word{}
		names := []protocol.Source{"hr", "badges", "leases"}
		for _, name := range names {
			for _, n := range rapid.SliceOfNDistinct(rapid.IntRange(1, 4), 0, 4, rapid.ID).Draw(rt, string(name)) {
				word := row(fmt.Sprint(name, n), values(rt))
				word.Values[protocol.FieldEmail] = protocol.Text(fmt.Sprintf("p%d@example.org", n))
				for k := range 2 {
					if rapid.Bool().Draw(rt, "card") {
						word.Credentials = append(word.Credentials, protocol.Card(uint64(10*n+k)))
					}
				}
				word.Groups = slices.Clone(groups[:rapid.IntRange(0, 2).Draw(rt, "groups")])
				files[name] = append(files[name], word)
			}
		}
		run := func(order []protocol.Source) string {
			w, end := newWorld(t)
			defer end()
			for _, name := range names {
				w.addSource(name, roster.GoneRemoveOnly, roster.KeyEmail)
			}
			for _, name := range order {
				if _, counts := w.feed(name, slices.Clone(files[name])...); counts.Undecided+counts.Refused > 0 {
					rt.Fatalf("%+v", counts)
				}
			}
			must(t, w.Check(t.Context()))
			return w.inEffect()
		}
		one := run(names)
		if two := run(rapid.Permutation(names).Draw(rt, "order")); one != two {
			rt.Fatalf("imported in another order:\n%s\n%s", one, two)
		}
	})
}

// inEffect is what everybody comes to, without what was made up.
func (c *center) inEffect() string {
	page, err := c.Users(c.t.Context(), roster.Query{Limit: 1000})
	must(c.t, err)
	var out []string
	for _, u := range page.Users {
		var b strings.Builder
		for _, f := range slices.Sorted(maps.Keys(u.User.Values)) {
			v := u.User.Values[f]
			fmt.Fprint(&b, f, "=", v.First, "/", v.Second, " ")
		}
		var keys []string
		for _, cr := range u.User.Credentials {
			keys = append(keys, string(cr.Key()))
		}
		slices.Sort(keys)
		out = append(out, fmt.Sprint(b.String(), keys, u.User.Groups))
	}
	slices.Sort(out)
	return strings.Join(out, "\n")
}
