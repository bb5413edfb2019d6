package plan

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"doorsync/cloud/roster"
	"doorsync/protocol"
)

// detailed is of how many undecided rows the candidates are told.
const detailed = 1000

// decide finds the rows of which nobody can tell whose they are, and marks those
// where something is to be done.
func (p *Plan) decide() error {
	facts := p.factReader()
	for row := range p.file.Rows.Len() {
		if !p.fresh.Has(row) && !p.touched.Has(row) && !p.pinned.Has(row) {
			continue
		}
		p.emit.Set(p.groups.First(row))
	}
	for facts.next() {
		p.emit.Set(facts.at.first) // who only lost a row says less than before
		if err := p.weigh(&facts.at); err != nil {
			return err
		}
	}
	if err := facts.c.Err(); err != nil {
		return err
	}
	return p.crowds()
}

// weigh looks whether the new rows of a group are one person's.
func (p *Plan) weigh(g *group) error {
	people := g.people()
	held := slices.ContainsFunc(people, g.held)
	if !held && len(people) < 2 {
		return nil
	}
	for _, row := range p.members(g.first) {
		if !p.fresh.Has(row) {
			continue
		}
		p.stuck.Set(row)
		if held {
			p.Held++
			continue
		}
		p.Undecided++
		if err := p.tell(g, row); err != nil {
			return err
		}
	}
	return nil
}

// crowds finds new rows that share a value with so many others that it names
// nobody, such as the address of a whole office.
func (p *Plan) crowds() error {
	for row := range p.file.Rows.Len() {
		if !p.fresh.Has(row) || p.stuck.Has(row) || p.groups.First(row) != row {
			continue
		}
		all := p.members(row)
		fresh := slices.DeleteFunc(all, func(r int) bool { return !p.fresh.Has(r) })
		if len(fresh) <= most {
			continue
		}
		for _, r := range fresh {
			p.stuck.Set(r)
			p.Undecided++
			if p.Undecided > detailed {
				continue
			}
			w, err := p.file.Rows.At(r)
			if err != nil {
				return err
			}
			e := undecided(&w)
			e.Text = fmt.Sprintf("%d new rows share values that are set to identify people (%s); that many are not taken for one person. "+
				"Correct the file, or take that key off the source", len(fresh), p.shown())
			p.o.Undecided(e)
		}
	}
	return nil
}

// shown lists the keys for people.
func (p *Plan) shown() string {
	names := make([]string, len(p.o.Keys))
	for i, k := range p.o.Keys {
		names[i] = string(k)
	}
	return strings.Join(names, ", ")
}

func undecided(w *roster.Word) roster.Effect {
	return roster.Effect{
		Kind: roster.EffectUndecided, Line: w.Line,
		SyncID: cmp.Or(w.SyncID, w.Values[protocol.FieldEmail].First),
		UserID: w.Values[protocol.FieldUserID].First,
		Name:   protocol.User{Values: w.Values}.FullName(),
	}
}

// tell lists who an undecided row may be.
func (p *Plan) tell(g *group, row int) error {
	if p.Undecided > detailed {
		return nil
	}
	w, err := p.file.Rows.At(row)
	if err != nil {
		return err
	}
	e := undecided(&w)
	for _, who := range g.people() {
		c, err := p.candidate(g, who)
		if err != nil {
			return err
		}
		e.Candidates = append(e.Candidates, c)
	}
	e.Text = "several users may be this person, and nothing was guessed; merge them, or decide who it is"
	p.o.Undecided(e)
	return nil
}

// candidate says who somebody is by the key that found them.
func (p *Plan) candidate(g *group, who person) (roster.Candidate, error) {
	for i := range g.facts {
		f := &g.facts[i]
		if f[1] != factCandidate || about(f) != who {
			continue
		}
		w, err := p.file.Rows.At(int(f[2]))
		if err != nil {
			return roster.Candidate{}, err
		}
		k := p.o.Keys[f[5]]
		for _, value := range w.KeyValues(k) {
			if c, ok, err := p.know.Candidate(who.GUID(), k, value); err != nil || ok {
				return c, err
			}
		}
	}
	out := roster.Candidate{GUID: who.GUID(), By: g.by(who, p.o.Keys)}
	for _, row := range g.rowsOf(who) {
		w, err := p.file.Rows.At(row)
		if err != nil {
			return out, err
		}
		out.Name = cmp.Or(out.Name, protocol.User{Values: w.Values}.FullName())
		out.UserID = cmp.Or(out.UserID, w.Values[protocol.FieldUserID].First)
	}
	return out, nil
}
