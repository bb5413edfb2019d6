package plan

import (
	"cmp"
	"slices"

	"doorsync/cloud/roster"
	"doorsync/cloud/sources/spool"
)

// group is the facts about rows that belong together.
type group struct {
	first int
	facts []spool.Record
}

// factReader goes through the facts, group by group.
type factReader struct {
	c   *spool.Cursor
	has bool
	at  group
}

func (p *Plan) factReader() *factReader {
	f := &factReader{c: p.facts.Cursor()}
	f.has = f.c.Next()
	return f
}

// next loads the next group and reports whether there is one.
func (f *factReader) next() bool {
	if !f.has {
		return false
	}
	f.at = group{int(f.c.Record()[0]), f.at.facts[:0]}
	for f.has && int(f.c.Record()[0]) == f.at.first {
		f.at.facts = append(f.at.facts, *f.c.Record())
		f.has = f.c.Next()
	}
	return true
}

// of returns the facts about the group of a first row. It must be asked in order.
func (f *factReader) of(first int) group {
	for f.at.first < first || f.at.facts == nil {
		if !f.next() {
			break
		}
	}
	if f.at.first == first {
		return f.at
	}
	return group{first: first}
}

// about is whom a fact is about, nobody for a link.
func about(f *spool.Record) person {
	switch f[1] {
	case factRow, factCandidate, factHeld:
		return person{f[3], f[4]}
	case factLost:
		return person{f[4], f[5]}
	}
	return person{}
}

// people are those whom the facts are about, in the order of GUIDs.
func (g *group) people() []person {
	var out []person
	for i := range g.facts {
		if who := about(&g.facts[i]); who != (person{}) && !slices.Contains(out, who) {
			out = append(out, who)
		}
	}
	slices.SortFunc(out, func(a, b person) int { return cmp.Or(cmp.Compare(a.hi, b.hi), cmp.Compare(a.lo, b.lo)) })
	return out
}

// rowsOf are the rows of a person that the source named before.
func (g *group) rowsOf(who person) []int {
	var out []int
	for i := range g.facts {
		if f := &g.facts[i]; f[1] == factRow && about(f) == who {
			out = append(out, int(f[2]))
		}
	}
	return out
}

// lost are the rows that a person has no more.
func (g *group) lost(who person) []roster.Identity {
	var out []roster.Identity
	for i := range g.facts {
		if f := &g.facts[i]; f[1] == factLost && about(f) == who {
			out = append(out, identity(f[2], f[3]))
		}
	}
	return out
}

// held reports whether a wrong row keeps a person as they are.
func (g *group) held(who person) bool {
	return slices.ContainsFunc(g.facts, func(f spool.Record) bool { return f[1] == factHeld && about(&f) == who })
}

// by is the key by which new rows were found to be the person.
func (g *group) by(who person, keys []roster.Key) roster.Key {
	rows := g.rowsOf(who)
	for i := range g.facts {
		switch f := &g.facts[i]; {
		case f[1] == factCandidate && about(f) == who:
			return keys[f[5]]
		case f[1] == factLink && slices.Contains(rows, int(f[3])):
			return keys[f[4]]
		}
	}
	return ""
}

// members are the rows of a group, in order.
func (p *Plan) members(first int) []int {
	out := append([]int{first}, p.groups.Rest(first)...)
	slices.Sort(out)
	return out
}
