package plan

import (
	"iter"
	"slices"

	"doorsync/cloud/roster"
)

// Persons are the people about whom the source says something else than before:
// those whom it no longer names, by GUID, then the others by their first line. It
// may be asked for several times.
func (p *Plan) Persons() iter.Seq2[roster.Person, error] {
	return func(yield func(roster.Person, error) bool) {
		e := &emitter{p: p, yield: yield}
		e.gone()
		if !e.ended {
			e.present()
		}
	}
}

type emitter struct {
	p     *Plan
	yield func(roster.Person, error) bool
	ended bool
}

func (e *emitter) put(one roster.Person) {
	if !e.ended {
		e.ended = !e.yield(one, nil)
	}
}

// fail ends with an error, if it is one.
func (e *emitter) fail(err error) {
	if err != nil && !e.ended {
		e.yield(roster.Person{}, err)
		e.ended = true
	}
}

func (e *emitter) gone() {
	all := e.p.people()
	for !e.ended && all.next() {
		t := &all.at
		if !t.gone() {
			continue
		}
		one := roster.Person{GUID: t.who.GUID()}
		for _, id := range t.lost {
			one.Lost = append(one.Lost, identity(id[0], id[1]))
		}
		e.put(one)
	}
	e.fail(all.err())
}

func (e *emitter) present() {
	scan, facts := e.p.file.Rows.Scan(), e.p.factReader()
	for !e.ended && scan.Next() {
		row := scan.Row()
		if !e.p.emit.Has(row) {
			continue
		}
		w, err := scan.Word()
		if err != nil {
			e.fail(err)
			return
		}
		g := facts.of(row)
		if err := facts.c.Err(); err != nil {
			e.fail(err)
			return
		}
		if err := e.group(&w, &g); err != nil {
			e.fail(err)
			return
		}
	}
	e.fail(scan.Err())
}

// group puts out whoever the rows of a group are. w is its first row.
func (e *emitter) group(w *roster.Word, g *group) error {
	p := e.p
	members := p.members(g.first)
	fresh := slices.DeleteFunc(slices.Clone(members), func(row int) bool {
		return p.stuck.Has(row) || !p.fresh.Has(row) && !p.pinned.Has(row)
	})
	people := g.people()
	if len(people) == 0 {
		return e.person(w, g, roster.Person{}, fresh)
	}
	for _, who := range people {
		rows := g.rowsOf(who)
		lost := g.lost(who)
		if len(people) == 1 {
			rows = append(rows, fresh...)
			slices.Sort(rows)
		}
		changed := len(lost) > 0 || slices.ContainsFunc(rows, func(row int) bool { return p.touched.Has(row) || p.fresh.Has(row) })
		if g.held(who) || len(rows) == 0 || !changed {
			continue // nobody knows what has become of them
		}
		one := roster.Person{GUID: who.GUID(), Lost: lost}
		if len(people) == 1 && len(fresh) > 0 {
			one.By = g.by(who, p.o.Keys)
		}
		if err := e.person(w, g, one, rows); err != nil {
			return err
		}
	}
	return nil
}

// person puts out one with the words of rows.
func (e *emitter) person(w *roster.Word, g *group, one roster.Person, rows []int) error {
	if len(rows) == 0 {
		return nil
	}
	for _, row := range rows {
		if row == g.first {
			one.Words = append(one.Words, *w)
			continue
		}
		other, err := e.p.file.Rows.At(row)
		if err != nil {
			return err
		}
		one.Words = append(one.Words, other)
	}
	e.put(one)
	return nil
}
