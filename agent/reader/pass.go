package reader

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"doorsync/agent/journal"
	"doorsync/firmware-bridge/driver"
	"doorsync/protocol"
	"doorsync/protocol/wire"
)

// cause is why a reader's whole table is compared.
type cause string

const (
	causeConnect  cause = "connect"
	causeInterval cause = "interval"
	causeOrder    cause = "order"
	causeSign     cause = "sign" // of a change that the reader does not name
	causeUsers    cause = "users"
)

// chunk is how many rows are looked after in one transaction.
const chunk = 100

// table compares the reader's whole table with what it should hold, and makes
// it hold that. Orders that wait are done with it.
func (l *line) table(ctx context.Context, c cause) error {
	orders, order := l.takeOrders()
	l.tableAt, l.turnsAt = time.Time{}, time.Time{}
	err := l.compare(ctx, c, len(orders) > 0, order)
	answer(orders, err)
	if err == nil {
		l.journalWait = 0
	}
	return err
}

func (l *line) compare(ctx context.Context, c cause, ordered bool, order Order) error {
	if ordered {
		if err := l.tell(ctx, l.info.Serial, protocol.EventSyncRequested, order.By); err != nil {
			return err
		}
		for _, t := range l.tries {
			t.at = time.Time{} // no waiting while somebody waits
		}
	}
	p := l.policy(ordered)
	p.deletes, p.whole, p.ordered = order.ConfirmDeletes, true, ordered
	p.restore = order.Restore || (!l.o.Leave && c != causeSign && c != causeUsers)
	l.sub.Take()
	cards := l.inbox.take().cards
	read, err := l.peekLog(ctx)
	if err != nil {
		return err
	}
	if _, logs := l.s.(driver.Logger); !logs {
		read.drafts = cardDrafts(cards)
	}
	have, err := l.list(ctx)
	if err != nil {
		return err
	}
	found, err := l.scan(ctx, have)
	if err != nil {
		return err
	}
	if c != causeSign && c != causeUsers {
		l.deleted = 0
	}
	if p.mass = found.massive(); p.mass {
		p.restore = p.restore || !l.o.Leave
	}
	if err := l.tellScan(ctx, found, p); err != nil {
		return err
	}
	reading := func(context.Context, []item) (map[string]*driver.Row, error) { return have, nil }
	if err := l.settle(ctx, found.items, reading, p); err != nil {
		return err
	}
	l.resyncAt, l.pollAt = time.Now().Add(l.o.Resync), time.Now().Add(l.o.Poll)
	l.settled(true, l.note)
	if err := l.keep(ctx, read); err != nil || !ordered {
		return err
	}
	return l.tellOutcome(ctx)
}

// tellOutcome journals what came of an order.
func (l *line) tellOutcome(ctx context.Context) error {
	st := l.State()
	if st.State == wire.ReaderInSync {
		return l.tell(ctx, l.info.Serial, protocol.EventReaderSynced, fmt.Sprintf("%d users", st.Users))
	}
	detail := fmt.Sprintf("%d to add, %d to update, %d to delete, %d deletes held, %d given up",
		st.Add, st.Update, st.Delete, st.Held, st.GivenUp)
	return l.tell(ctx, l.info.Serial, protocol.EventReaderDiffers, detail)
}

// policy is what the mode allows; an order moves everything, whatever the mode.
func (l *line) policy(ordered bool) policy {
	mode := l.mode()
	l.note = ""
	p := policy{exchange: mode != wire.ModeOff || ordered, takes: mode != wire.ModeAll}
	if mode == wire.ModeGroups && len(l.groups) == 0 {
		p.exchange = false
		l.note = "the sync mode is groups, and no group reaches this reader: set groups or doors in its configuration"
	}
	l.mode0 = mode
	l.waiting = l.firstRoster() && !ordered
	p.enrolls = p.takes && !l.waiting
	if l.waiting {
		l.note = "users that nobody knows wait until the center's users are here"
	}
	return p
}

// firstRoster reports whether the site is about to hear of the center's users
// for the first time: until then somebody unknown may be known to the center.
func (l *line) firstRoster() bool {
	wait := l.o.FirstRoster
	if wait == 0 {
		return false
	}
	st := l.o.Journal.State()
	switch {
	case st.Roster != "" && (st.Cursor == nil || st.Revision > 0):
		return false
	case st.Roster != "":
		wait *= 10 // it is coming
	}
	left := time.Until(l.started.Add(wait))
	if left > 0 && (l.tableAt.IsZero() || time.Until(l.tableAt) > left) {
		l.tableAt = time.Now().Add(left)
	}
	return left > 0
}

// list reads the whole table.
func (l *line) list(ctx context.Context) (map[string]*driver.Row, error) {
	rows, err := l.s.List(ctx)
	if err != nil {
		return nil, err
	}
	if err := l.online(ctx, l.info); err != nil {
		return nil, err
	}
	have := make(map[string]*driver.Row, len(rows))
	for i := range rows {
		have[rows[i].Key] = &rows[i]
	}
	l.total = len(have)
	clear(l.unread)
	l.change(func(s *wire.ReaderState) { s.Users = len(have) })
	return have, nil
}

// found is what a look at the whole table came to.
type found struct {
	items      []item
	left       []journal.Draft // what the reader cannot hold, where that is news
	leftRows   []journal.Row
	remembered int
	gone       int // rows remembered and wanted that are not there
}

// massive reports whether so many rows are missing that nobody deleted them one
// by one: the reader was reset.
func (f found) massive() bool { return f.gone > 10 && 5*f.gone > f.remembered }

// scan goes through all users and all rows and finds those that must be looked
// after. It changes nothing.
func (l *line) scan(ctx context.Context, have map[string]*driver.Row) (found, error) {
	mems, left, err := l.recallAll()
	if err != nil {
		return found{}, err
	}
	var f found
	seen := make(map[string]bool, len(have))
	clear(l.owners)
	for key, m := range mems {
		l.own(m.User, key)
		if m.Held != nil {
			f.remembered++
		}
	}
	err = l.o.Journal.Users(ctx, func(v journal.View) error {
		rows, out := l.rowsOf(v)
		for i := range rows {
			key := rows[i].Key
			seen[key] = true
			f.look(item{key, v.User.ID}, have[key], mems[key], &rows[i])
		}
		return l.news(&f, v.User.ID, out, left)
	})
	if err != nil {
		return found{}, err
	}
	for key := range left { // of users who are no more
		f.leftRows = append(f.leftRows, journal.Row{Key: key})
	}
	l.rest(&f, have, mems, seen)
	l.standOnly(f.keys())
	return f, nil
}

// look notes a row that should be there, unless it is just as remembered and
// wanted.
func (f *found) look(it item, have *driver.Row, mem *memory, want *driver.Row) {
	if have == nil {
		if mem != nil && mem.Held != nil && !mem.Absent && !mem.Deleting {
			f.gone++
		}
	} else if h := have.Lean(); mem.settled(h) && mem.User == it.user && sameHeld(h, mem.expected(want.Lean())) {
		return
	}
	f.items = append(f.items, it)
}

// settled reports whether the row was last seen just so and nothing is under way.
func (m *memory) settled(h driver.Held) bool {
	return m != nil && m.Held != nil && m.Intent == nil && !m.Deleting && !m.Absent && !m.Unread &&
		len(m.GaveUp) == 0 && sameHeld(*m.Held, h)
}

// rest adds the rows that nobody's record asks for.
func (l *line) rest(f *found, have map[string]*driver.Row, mems map[string]*memory, seen map[string]bool) {
	extra := map[string]bool{}
	for key := range have {
		extra[key] = !seen[key]
	}
	for key := range mems {
		extra[key] = !seen[key]
	}
	for _, key := range slices.Sorted(maps.Keys(extra)) {
		if extra[key] {
			f.items = append(f.items, item{key: key})
		}
	}
}

func (f found) keys() map[string]bool {
	out := make(map[string]bool, len(f.items))
	for _, it := range f.items {
		out[it.key] = true
	}
	return out
}

// news compares what the reader cannot hold of a user with what was journaled,
// and takes the user off left.
func (l *line) news(f *found, user, out string, left map[string]*memory) error {
	key := leftKey(user)
	before := left[key]
	delete(left, key)
	if (before == nil && out == "") || (before != nil && before.LeftOut == out) {
		return nil
	}
	stored, err := l.remember(key, &memory{LeftOut: out})
	if err != nil {
		return err
	}
	f.leftRows = append(f.leftRows, stored)
	if out != "" {
		f.left = append(f.left, journal.Draft{Event: protocol.EventLeftOut, UserID: user, Detail: out})
	}
	return nil
}

// tellScan journals what a look at the whole table showed.
func (l *line) tellScan(ctx context.Context, f found, p policy) error {
	drafts := f.left
	if p.mass && p.exchange {
		detail := fmt.Sprintf("%d of %d users are missing", f.gone, f.remembered)
		if l.o.Leave {
			detail += "; sync --restore gives them back"
		}
		drafts = append(drafts, journal.Draft{Event: protocol.EventReaderDiffers, Detail: detail})
	}
	if !p.exchange || len(drafts)+len(f.leftRows) == 0 {
		return nil
	}
	for len(drafts)+len(f.leftRows) > 0 {
		d, r := min(len(drafts), chunk), min(len(f.leftRows), chunk)
		b := journal.Batch{Reader: l.o.Name, ReaderID: l.info.Serial, Drafts: drafts[:d], Rows: f.leftRows[:r]}
		if _, err := l.o.Journal.Append(ctx, b); err != nil {
			return journalError(err)
		}
		drafts, f.leftRows = drafts[d:], f.leftRows[r:]
	}
	return nil
}

// own notes that a row belongs to a user, for rows that are not named after the
// user.
func (l *line) own(user, key string) {
	if user == "" || user == key || strings.HasPrefix(key, leftPrefix) {
		return
	}
	if l.owners[user] == nil {
		l.owners[user] = map[string]bool{}
	}
	l.owners[user][key] = true
}
