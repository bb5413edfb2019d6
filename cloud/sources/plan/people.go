package plan

import (
	"doorsync/cloud/roster"
	"doorsync/cloud/sources/spool"
)

// A fact says what belongs to a group of rows: first row of the group, kind, then
// by kind. Facts are ties in order of groups.
const (
	factRow       = iota // a row of the person: row, GUID (2 words)
	factCandidate        // a new row found to be the person: row, GUID (2 words), place of the key
	factLink             // a new row that says a key like a changed one: row, changed row, place of the key
	factLost             // the person has lost a row: identity (2 words), GUID (2 words)
	factHeld             // the person stays as they are: 0, GUID (2 words)
)

// tied is all that is tied to one person.
type tied struct {
	who        person
	rows       []uint64 // theirs, in the file
	same       []uint64 // of them, those that say what they said
	changed    int      // of them, those that say something else
	candidates []row    // new rows found to be theirs
	lost       [][2]uint64
	held       bool
}

// people goes through sorted ties, person by person.
type people struct {
	a, b       *spool.Cursor
	hasA, hasB bool
	at         tied
	plan       *Plan
	failed     error
}

func (p *Plan) people() *people {
	out := &people{a: p.ties.Cursor(), b: p.same.Cursor(), plan: p}
	out.hasA, out.hasB = out.a.Next(), out.b.Next()
	return out
}

func (p *people) err() error { return orElse(p.failed, orElse(p.a.Err(), p.b.Err())) }

// next loads the next person and reports whether there is one.
func (p *people) next() bool {
	r := p.peek()
	if r == nil || p.failed != nil {
		return false
	}
	t := &p.at
	*t = tied{who: person{r[0], r[1]}, rows: t.rows[:0], same: t.same[:0], candidates: t.candidates[:0], lost: t.lost[:0]}
	for ; r != nil && (person{r[0], r[1]}) == t.who; r = p.peek() {
		t.add(r)
		p.advance()
	}
	p.failed = p.settle(t)
	return p.failed == nil
}

func (t *tied) add(r *spool.Record) {
	switch r[2] {
	case tieRow:
		t.rows = append(t.rows, r[3])
		t.changed++
	case tieSame:
		t.rows, t.same = append(t.rows, r[3]), append(t.same, r[3])
	case tieCandidate:
		t.candidates = append(t.candidates, row{r[3], r[4]})
	case tieLost:
		t.lost = append(t.lost, [2]uint64{r[3], r[4]})
	case tieHeld:
		t.held = true
	}
}

// settle leaves out whoever is a candidate only by what the source itself said
// before, if none of their rows says it in this file. Who has no row in it is kept:
// that is how a person is found whom the file now names otherwise.
func (p *people) settle(t *tied) error {
	kept := t.candidates[:0]
	for _, c := range t.candidates {
		own := c.key&1 == 1
		c.key >>= 1
		if own && len(t.rows) > 0 && !t.held {
			still, err := p.plan.sayAlike(c, t.same)
			if err != nil {
				return err
			}
			if !still {
				continue
			}
		}
		kept = append(kept, c)
	}
	t.candidates = kept
	return nil
}

// sayAlike reports whether one of some rows says the key as a new row does.
func (p *Plan) sayAlike(c row, same []uint64) (bool, error) {
	if len(same) == 0 {
		return false, nil
	}
	k := p.o.Keys[c.key]
	w, err := p.file.Rows.At(int(c.row))
	if err != nil {
		return false, err
	}
	said := map[string]bool{}
	for _, v := range w.KeyValues(k) {
		said[roster.Fold(v)] = true
	}
	for _, r := range same {
		if w, err = p.file.Rows.At(int(r)); err != nil {
			return false, err
		}
		for _, v := range w.KeyValues(k) {
			if said[roster.Fold(v)] {
				return true, nil
			}
		}
	}
	return false, nil
}

// new reports whether anything is to be done about the person.
func (t *tied) new() bool { return t.changed > 0 || len(t.candidates) > 0 || len(t.lost) > 0 }

// gone reports whether no row of the file is about the person.
func (t *tied) gone() bool {
	return len(t.lost) > 0 && len(t.rows) == 0 && len(t.candidates) == 0 && !t.held
}

// peek is the earlier one of the two cursors' records, nil at the end.
func (p *people) peek() *spool.Record {
	switch {
	case p.hasA && (!p.hasB || p.a.Record().Compare(p.b.Record()) <= 0):
		return p.a.Record()
	case p.hasB:
		return p.b.Record()
	}
	return nil
}

func (p *people) advance() {
	if p.peek() == p.a.Record() {
		p.hasA = p.a.Next()
	} else {
		p.hasB = p.b.Next()
	}
}

// unite joins the rows of each person.
func (p *Plan) unite() error {
	all := p.people()
	for all.next() {
		t := &all.at
		switch {
		case !t.new():
			continue
		case t.gone():
			p.Gone++
			continue
		}
		first := -1
		join := func(row uint64) {
			if first < 0 {
				first = int(row)
			}
			p.groups.Join(first, int(row))
		}
		for _, row := range t.rows {
			join(row)
		}
		for _, c := range t.candidates {
			join(c.row)
		}
	}
	return all.err()
}

// establish makes facts of ties, now that it is known which rows belong together.
func (p *Plan) establish() error {
	all := p.people()
	for all.next() {
		if t := &all.at; t.new() && !t.gone() {
			if err := p.state(t); err != nil {
				return err
			}
		}
	}
	if err := all.err(); err != nil {
		return err
	}
	if err := p.links.Sort(); err != nil {
		return err
	}
	c := p.links.Cursor()
	for c.Next() {
		r := c.Record()
		if err := p.facts.Add(spool.Record{p.root(r[0]), factLink, r[0], r[1], r[2]}); err != nil {
			return err
		}
	}
	return c.Err()
}

func (p *Plan) root(row uint64) uint64 { return uint64(p.groups.First(int(row))) }

// state adds the facts about one person.
func (p *Plan) state(t *tied) error {
	var first uint64
	if len(t.rows) > 0 {
		first = p.root(t.rows[0])
	} else if len(t.candidates) > 0 {
		first = p.root(t.candidates[0].row)
	} else {
		return nil // held by a row that is wrong, nothing else is known
	}
	add := func(kind, a, b, c, d uint64) error { return p.facts.Add(spool.Record{first, kind, a, b, c, d}) }
	for _, row := range t.rows {
		if err := add(factRow, row, t.who.hi, t.who.lo, 0); err != nil {
			return err
		}
	}
	for _, c := range t.candidates {
		if err := add(factCandidate, c.row, t.who.hi, t.who.lo, c.key); err != nil {
			return err
		}
	}
	for _, id := range t.lost {
		if err := add(factLost, id[0], id[1], t.who.hi, t.who.lo); err != nil {
			return err
		}
	}
	if t.held {
		return add(factHeld, 0, t.who.hi, t.who.lo, 0)
	}
	return nil
}
