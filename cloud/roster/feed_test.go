package roster_test

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"

	"doorsync/cloud/roster"
	"doorsync/protocol"
)

// The plainest of importers: it holds every row against every other.

// row makes a word of a source; the sync ID tells people apart.
func row(sync string, values map[protocol.Field]protocol.Value, more ...any) roster.Word {
	w := roster.Word{SyncID: sync, Identity: roster.IdentityOf(sync), Values: values}
	for _, m := range more {
		switch m := m.(type) {
		case protocol.Credential:
			w.Credentials = append(w.Credentials, m)
		case string:
			w.Groups = append(w.Groups, m)
		}
	}
	return w
}

func texts(pairs ...string) map[protocol.Field]protocol.Value {
	out := map[protocol.Field]protocol.Value{}
	for i := 0; i < len(pairs); i += 2 {
		out[protocol.Field(pairs[i])] = protocol.Text(pairs[i+1])
	}
	return out
}

// digest is of all that a row says.
func digest(w roster.Word) uint64 {
	keys := []string{}
	for _, f := range slices.Sorted(maps.Keys(w.Values)) {
		keys = append(keys, fmt.Sprint(f, w.Values[f].First, "|", w.Values[f].Second))
	}
	for _, c := range w.Credentials {
		keys = append(keys, string(c.Key()))
	}
	id := roster.IdentityOf(fmt.Sprint(w.SyncID, keys, w.Groups))
	return binary.BigEndian.Uint64(id[:])>>1 | 1
}

// addSource adds a source above all others.
func (c *center) addSource(name protocol.Source, gone roster.Gone, keys ...roster.Key) {
	c.t.Helper()
	must(c.t, c.AddSource(c.t.Context(), anna, roster.SourceRow{Name: name, Kind: "csv", Gone: gone, Keys: keys}))
	c.above(name)
}

// above puts a source first.
func (c *center) above(name protocol.Source) {
	c.t.Helper()
	rules := c.Rules()
	rules.Order = append([]protocol.Source{name}, slices.DeleteFunc(slices.Clone(rules.Order), func(s protocol.Source) bool { return s == name })...)
	must(c.t, c.SetOrder(c.t.Context(), anna, rules))
	must(c.t, c.CatchUp(c.t.Context()))
}

// feed imports a whole file, and returns what it did. Undecided rows are counted
// and left out.
func (c *center) feed(name protocol.Source, words ...roster.Word) ([]roster.Effect, roster.Counts) {
	c.t.Helper()
	effects, counts, err := c.tryFeed(name, false, words...)
	must(c.t, err)
	return effects, counts
}

func (c *center) tryFeed(name protocol.Source, dry bool, words ...roster.Word) ([]roster.Effect, roster.Counts, error) {
	c.t.Helper()
	for {
		in, undecided := c.plan(name, words)
		in.Dry = dry
		effects, counts, err := c.carryOut(in)
		if errors.Is(err, roster.ErrStale) {
			continue
		}
		counts.Undecided += undecided
		return effects, counts, err
	}
}

// carryOut imports as planned.
func (c *center) carryOut(in roster.Import) ([]roster.Effect, roster.Counts, error) {
	var effects []roster.Effect
	in.Effect = func(e roster.Effect) {
		e.Values = slices.Clone(e.Values)
		effects = append(effects, e)
	}
	counts, err := c.Import(c.t.Context(), anna, in)
	return effects, counts, err
}

// component is rows that are one person.
type component struct {
	rows  []int
	guids map[string]roster.Key // by which key, "" if a row named the user before
}

func (c *center) plan(name protocol.Source, words []roster.Word) (in roster.Import, undecided int) {
	c.t.Helper()
	c.tick()
	src := c.sourceRow(name)
	in = roster.Import{Source: name, Run: src.Runs + 1, Finish: func(n roster.Counts) roster.RunRow {
		return roster.RunRow{Source: name, Number: src.Runs + 1, At: c.now, Report: fmt.Append(nil, n)}
	}}
	for i := range words {
		words[i].Line, words[i].Digest = i+2, digest(words[i])
	}
	var persons []roster.Person
	must(c.t, c.Survey(c.t.Context(), name, func(s *roster.Survey) error {
		in.Revision = s.Revision()
		named := map[roster.Identity]roster.SourceUser{}
		must(c.t, s.Named(roster.Identity{}, func(u roster.SourceUser) bool { named[u.Identity] = u; return true }))
		persons, undecided = c.persons(s, src, words, named)
		return nil
	}))
	in.Persons = func(yield func(roster.Person, error) bool) {
		for _, p := range persons {
			if !yield(p, nil) {
				return
			}
		}
	}
	return in, undecided
}

func (c *center) sourceRow(name protocol.Source) roster.SourceRow {
	c.t.Helper()
	for _, r := range c.SourceRows() {
		if r.Name == name {
			return r
		}
	}
	c.t.Fatalf("no source %s", name)
	return roster.SourceRow{}
}

func (c *center) persons(s *roster.Survey, src roster.SourceRow, words []roster.Word, named map[roster.Identity]roster.SourceUser) (out []roster.Person, undecided int) {
	comps := c.components(s, src, words, named)
	present := map[roster.Identity]bool{}
	for _, w := range words {
		present[w.Identity] = true
	}
	lost := map[string][]roster.Identity{} // by user
	for id, u := range named {
		if !present[id] && !u.Absent() && u.GUID != "" {
			lost[u.GUID] = append(lost[u.GUID], id)
		}
	}
	var later []roster.Person
	for i := 0; i < len(comps); i++ {
		comp := comps[i]
		p := roster.Person{}
		news := false
		for _, i := range comp.rows {
			u, ok := named[words[i].Identity]
			news = news || !ok || u.Digest != words[i].Digest
			p.Words = append(p.Words, words[i])
		}
		if len(comp.guids) > 1 {
			undecided++
			comps = append(comps, decided(comp, words, named)...)
			continue
		}
		for guid, by := range comp.guids {
			p.GUID, p.By, p.Lost = guid, by, lost[guid]
			delete(lost, guid)
		}
		if news || len(p.Lost) > 0 {
			later = append(later, p)
		}
	}
	for _, guid := range slices.Sorted(maps.Keys(lost)) {
		out = append(out, roster.Person{GUID: guid, Lost: lost[guid]})
	}
	return append(out, later...), undecided
}

// decided are the rows of an undecided component that named somebody before, by
// whom.
func decided(comp component, words []roster.Word, named map[roster.Identity]roster.SourceUser) (out []component) {
	for _, i := range comp.rows {
		u := named[words[i].Identity]
		if u.GUID == "" {
			continue
		}
		at := slices.IndexFunc(out, func(o component) bool { _, ok := o.guids[u.GUID]; return ok })
		if at < 0 {
			at = len(out)
			out = append(out, component{guids: map[string]roster.Key{u.GUID: ""}})
		}
		out[at].rows = append(out[at].rows, i)
	}
	return out
}

// components tells people apart. Rows that are not yet decided about stay apart
// from those that are.
func (c *center) components(s *roster.Survey, src roster.SourceRow, words []roster.Word, named map[roster.Identity]roster.SourceUser) []component {
	of := make([]int, len(words))
	guids := make([]map[string]roster.Key, len(words))
	for i, w := range words {
		of[i] = i
		guids[i] = map[string]roster.Key{}
		if u, ok := named[w.Identity]; ok {
			if u.GUID != "" {
				guids[i][u.GUID] = ""
			}
			continue
		}
		for _, k := range src.Keys {
			for _, v := range w.KeyValues(k) {
				for _, cand := range c.candidates(s, k, v) {
					if _, ok := guids[i][cand.GUID]; !ok {
						guids[i][cand.GUID] = k
					}
				}
			}
		}
	}
	for i := range words {
		for j := range i {
			if same(src, &words[i], &words[j], named) || shareGUID(guids[i], guids[j]) {
				from, to := of[i], of[j]
				for k := range of {
					if of[k] == from {
						of[k] = to
					}
				}
			}
		}
	}
	by := map[int]*component{}
	for i := range words {
		if by[of[i]] == nil {
			by[of[i]] = &component{guids: map[string]roster.Key{}}
		}
		comp := by[of[i]]
		comp.rows = append(comp.rows, i)
		for guid, k := range guids[i] {
			if old, ok := comp.guids[guid]; !ok || old != "" {
				comp.guids[guid] = k
			}
		}
	}
	out := make([]component, 0, len(by))
	for _, comp := range by {
		out = append(out, *comp)
	}
	slices.SortFunc(out, func(a, b component) int { return cmp.Compare(a.rows[0], b.rows[0]) })
	return out
}

func (c *center) candidates(s *roster.Survey, k roster.Key, v string) (out []roster.Candidate) {
	c.t.Helper()
	holders, err := s.KeyHolders(k.Hash(v))
	must(c.t, err)
	for _, guid := range holders {
		cand, ok, err := s.Candidate(guid, k, v)
		must(c.t, err)
		if ok {
			out = append(out, cand)
		}
	}
	return out
}

// same tells that keys say that two rows are one, at least one of them new.
func same(src roster.SourceRow, a, b *roster.Word, named map[roster.Identity]roster.SourceUser) bool {
	_, one := named[a.Identity]
	_, two := named[b.Identity]
	if one || two {
		return false
	}
	for _, k := range src.Keys {
		for _, v := range a.KeyValues(k) {
			for _, o := range b.KeyValues(k) {
				if roster.Fold(v) == roster.Fold(o) {
					return true
				}
			}
		}
	}
	return false
}

func shareGUID(a, b map[string]roster.Key) bool {
	for guid := range a {
		if _, ok := b[guid]; ok {
			return true
		}
	}
	return false
}

// kinds are the effects' kinds, in order.
func kinds(effects []roster.Effect) (out []roster.EffectKind) {
	for _, e := range effects {
		out = append(out, e.Kind)
	}
	return out
}

func wantKinds(t testing.TB, got []roster.Effect, want ...roster.EffectKind) {
	t.Helper()
	if !slices.Equal(kinds(got), want) {
		t.Fatalf("effects %+v, want %v", got, want)
	}
}
