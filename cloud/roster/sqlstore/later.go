package sqlstore

import (
	"slices"

	"doorsync/cloud/roster"
	"doorsync/protocol"
)

// Rows in no order, under hashes of addresses or numbers of cards, would touch a
// page of their table each, and a large transaction would move each of these
// pages between memory and log over and over. So a transaction that writes many
// such rows keeps them, and writes them in order, many to a page.
const (
	soon = 4096    // so many rows of a table are written at once; few edits have more
	most = 1 << 17 // so many wait; with four tables they take about 50 MB
)

// later is one table whose rows may wait. R is a row, or what of it tells which
// row to drop.
type later[R any] struct {
	compare    func(a, b R) int // by key
	put, drop  func([]R) error
	soon, most int
	waiting    []change[R]
	seen       int // rows of this transaction
}

type change[R any] struct {
	row  R
	seq  int32 // in order of arrival
	drop bool
}

// add puts or drops rows, now or in order later.
func (l *later[R]) add(rows []R, drop bool) error {
	if l.seen += len(rows); l.seen <= l.soon {
		return l.write(rows, drop)
	}
	if l.waiting == nil {
		l.waiting = make([]change[R], 0, l.most+l.soon)
	}
	for _, r := range rows {
		l.waiting = append(l.waiting, change[R]{r, int32(len(l.waiting)), drop})
	}
	if len(l.waiting) < l.most {
		return nil
	}
	return l.flush()
}

func (l *later[R]) write(rows []R, drop bool) error {
	switch {
	case len(rows) == 0:
		return nil
	case drop:
		return l.drop(rows)
	default:
		return l.put(rows)
	}
}

// flush writes what waits. Whoever reads the table calls it first.
func (l *later[R]) flush() error {
	w := l.waiting
	if len(w) == 0 {
		return nil
	}
	// In order of arrival under each key, so that the last word on a row holds.
	slices.SortFunc(w, func(a, b change[R]) int {
		if order := l.compare(a.row, b.row); order != 0 {
			return order
		}
		return int(a.seq - b.seq)
	})
	some := make([]R, 0, min(len(w), together*32))
	drop := false // what some are for
	for _, c := range w {
		if c.drop != drop || len(some) == cap(some) {
			if err := l.write(some, drop); err != nil {
				return err
			}
			some, drop = some[:0], c.drop
		}
		some = append(some, c.row)
	}
	clear(w)
	l.waiting = w[:0]
	return l.write(some, drop)
}

func (l *later[R]) forget() { l.waiting, l.seen = nil, 0 }

// delayed are the tables of which rows wait in a transaction.
type delayed struct {
	c       *conn
	named   later[roster.NamedUser]
	namers  later[roster.NamedUser] // the index of named by user
	keys    later[roster.KeyRow]
	holders later[roster.HolderRow]
	// held is where the last word on a credential stands among the rows that
	// wait: holders are asked for all the time.
	held map[protocol.CredentialKey]int
}

func newDelayed(c *conn) *delayed {
	d := &delayed{c: c}
	d.named = later[roster.NamedUser]{compare: compareNamed, put: d.writeNamed, drop: d.dropNamed}
	d.namers = later[roster.NamedUser]{
		compare: compareNamers,
		put:     func(rows []roster.NamedUser) error { return writeNamers(c, rows) },
		drop:    func(rows []roster.NamedUser) error { return dropNamers(c, rows) },
	}
	d.keys = later[roster.KeyRow]{
		compare: compareKeys,
		put:     func(rows []roster.KeyRow) error { return writeKeys(c, rows) },
		drop:    func(rows []roster.KeyRow) error { return dropKeys(c, rows) },
	}
	d.holders = later[roster.HolderRow]{
		compare: compareHolders,
		put:     func(rows []roster.HolderRow) error { return writeHolders(c, rows) },
		drop:    func(rows []roster.HolderRow) error { return dropHolders(c, rows) },
	}
	d.limit(soon, most)
	return d
}

func (d *delayed) limit(soon, most int) {
	d.named.soon, d.namers.soon, d.keys.soon, d.holders.soon = soon, soon, soon, soon
	d.named.most, d.namers.most, d.keys.most, d.holders.most = most, most, most, most
}

// flush writes everything that waits, before a commit.
func (d *delayed) flush() error {
	if err := d.named.flush(); err != nil { // which fills namers
		return err
	}
	if err := d.namers.flush(); err != nil {
		return err
	}
	if err := d.keys.flush(); err != nil {
		return err
	}
	return d.holders.flush()
}

// forget begins anew, after a transaction.
func (d *delayed) forget() {
	d.named.forget()
	d.namers.forget()
	d.keys.forget()
	d.holders.forget()
	d.held = nil
}

// changeHolders is add for credentials.
func (d *delayed) changeHolders(rows []roster.HolderRow, drop bool) error {
	if err := d.holders.add(rows, drop); err != nil {
		return err
	}
	n := len(d.holders.waiting)
	if n == 0 {
		clear(d.held)
		return nil
	}
	if d.held == nil {
		d.held = make(map[protocol.CredentialKey]int, d.holders.most)
	}
	for i, r := range rows {
		d.held[r.Key] = n - len(rows) + i
	}
	return nil
}

// holder is who has a credential according to a row that waits.
func (d *delayed) holder(k protocol.CredentialKey) (guid string, held, waits bool) {
	i, ok := d.held[k]
	if !ok {
		return "", false, false
	}
	c := d.holders.waiting[i]
	return c.row.GUID, !c.drop, true
}
