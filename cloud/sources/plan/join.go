package plan

import (
	"errors"

	"doorsync/cloud/roster"
	"doorsync/cloud/sources/spool"
)

// A tie says what has to do with a person: GUID (2 words), kind, then by kind. An
// index of a kind orders what is said about one person.
const (
	tieRow       = iota // a row of theirs that says something else than before: row
	tieSame             // a row of theirs that says what it said before: row
	tieCandidate        // a new row that a key finds them by: row, place of the key
	tieLost             // a row of theirs that is not in the file: identity (2 words)
	tieHeld             // a row of theirs is wrong: they stay as they are
)

func tie(who person, kind, a, b uint64) spool.Record {
	return spool.Record{who.hi, who.lo, kind, a, b}
}

// join holds the rows of the file against whom the source named before.
func (p *Plan) join() error {
	return p.merge(joiner{
		named: func(u roster.SourceUser, who person, rows []entry) error { return p.met(u, who, rows) },
		fresh: func(rows []entry) {
			if len(rows) == 1 && rows[0].row != Bad {
				p.fresh.Set(int(rows[0].row))
				p.New++
			} else {
				p.Held += len(rows)
			}
		},
	})
}

// entry is a record of the index.
type entry struct{ row, digest uint64 }

// joiner is told of every identity once.
type joiner struct {
	named func(u roster.SourceUser, who person, rows []entry) error // rows may be none
	fresh func(rows []entry)
}

// merge walks through the index and through whom the source names, both of them in
// order of identity.
func (p *Plan) merge(j joiner) error {
	index := newIndex(p.file.Index)
	var failed error
	n := 0
	err := p.know.Named(roster.Identity{}, func(u roster.SourceUser) bool {
		if n++; n%4096 == 0 && p.ctx.Err() != nil {
			failed = p.ctx.Err()
			return false
		}
		hi, lo := words(u.Identity)
		for index.next() && index.before(hi, lo) {
			j.fresh(index.take())
		}
		var rows []entry
		if index.next() && index.is(hi, lo) {
			rows = index.take()
		}
		var who person
		if u.GUID != "" {
			if who, failed = personOf(u.GUID); failed != nil {
				return false
			}
		}
		failed = j.named(u, who, rows)
		return failed == nil
	})
	if err != nil || failed != nil {
		return orElse(failed, err)
	}
	for index.next() {
		j.fresh(index.take())
	}
	return index.cursor.Err()
}

func orElse(err, other error) error {
	if err != nil {
		return err
	}
	return other
}

// met is about one whom the source named before.
func (p *Plan) met(u roster.SourceUser, who person, rows []entry) error {
	if who == (person{}) {
		if len(rows) == 1 && rows[0].row != Bad {
			p.pinned.Set(int(rows[0].row))
			p.New++
		}
		return nil // a decision waits for its row
	}
	if p.named.put(who) {
		p.twice.put(who)
	}
	if !u.Absent() {
		p.Known++
	}
	switch {
	case len(rows) == 0 && (u.Absent() || p.o.KeepLost):
		return nil
	case len(rows) == 0:
		p.Lost++
		hi, lo := words(u.Identity)
		return p.ties.Add(tie(who, tieLost, hi, lo))
	case len(rows) > 1 || rows[0].row == Bad:
		p.Held += len(rows)
		return p.ties.Add(tie(who, tieHeld, 0, 0))
	case rows[0].digest == u.Digest && u.Digest != 0:
		p.Unchanged++
		return nil
	}
	if u.Digest != 0 && !u.Absent() {
		p.Changed++
	}
	p.touched.Set(int(rows[0].row))
	return p.ties.Add(tie(who, tieRow, rows[0].row, 0))
}

// rest finds the other rows of people about whom something is new: what a person
// comes to is said by all of their rows.
func (p *Plan) rest() error {
	if err := p.want(); err != nil || !p.again {
		return errors.Join(err, p.same.Sort())
	}
	err := p.merge(joiner{
		named: func(u roster.SourceUser, who person, rows []entry) error {
			if who == (person{}) || len(rows) != 1 || rows[0].row == Bad || rows[0].digest != u.Digest || !p.wanted.has(who) {
				return nil
			}
			return p.same.Add(tie(who, tieSame, rows[0].row, 0))
		},
		fresh: func([]entry) {},
	})
	return errors.Join(err, p.same.Sort())
}

// want marks people whom the source may name by rows that are not tied to them yet.
// associate has marked those whom new rows were found to be.
func (p *Plan) want() error {
	// twice has some people too many. While they are few they are asked about: the
	// rows of a person who has one row are all tied already.
	const ask = 50_000
	asked := 0
	for c := p.ties.Cursor(); ; {
		who, ok := nextPerson(c)
		if !ok {
			return c.Err()
		}
		if !p.twice.has(who) {
			continue
		}
		if asked++; asked <= ask {
			rows, err := p.know.NamedBy(who.GUID())
			if err != nil {
				return err
			}
			if len(rows) < 2 {
				continue
			}
		}
		p.wanted.put(who)
		p.again = true
	}
}

// nextPerson goes to the next person of sorted ties.
func nextPerson(c *spool.Cursor) (person, bool) {
	at := person{c.Record()[0], c.Record()[1]}
	for c.Next() {
		if who := (person{c.Record()[0], c.Record()[1]}); who != at {
			return who, true
		}
	}
	return person{}, false
}

// index reads the index by identity.
type index struct {
	cursor *spool.Cursor
	loaded bool // the cursor stands at a record not yet taken
	rows   []entry
}

func newIndex(s *spool.Sorter) *index { return &index{cursor: s.Cursor()} }

func (x *index) next() bool {
	if !x.loaded {
		x.loaded = x.cursor.Next()
	}
	return x.loaded
}

func (x *index) before(hi, lo uint64) bool {
	r := x.cursor.Record()
	return r[0] < hi || r[0] == hi && r[1] < lo
}

func (x *index) is(hi, lo uint64) bool {
	r := x.cursor.Record()
	return r[0] == hi && r[1] == lo
}

// take returns the entries of the identity at which the cursor stands. The slice is
// good until the next call.
func (x *index) take() []entry {
	x.rows = x.rows[:0]
	hi, lo := x.cursor.Record()[0], x.cursor.Record()[1]
	for x.next() && x.is(hi, lo) {
		x.rows = append(x.rows, entry{x.cursor.Record()[2], x.cursor.Record()[3]})
		x.loaded = false
	}
	return x.rows
}
