package reader

import (
	"context"
	"slices"
	"time"

	"doorsync/agent/journal"
	"doorsync/firmware-bridge/driver"
	"doorsync/protocol"
)

// reading reads some rows of the reader; nil rows mean that it did not.
type reading func(context.Context, []item) (map[string]*driver.Row, error)

// settle looks after rows: what was edited at the reader is journaled first,
// then the reader is given what it should hold.
func (l *line) settle(ctx context.Context, its []item, read reading, p policy) error {
	var puts, dels []item
	for part := range slices.Chunk(its, chunk) {
		have, err := read(ctx, part)
		if err != nil {
			return err
		}
		more, gone, err := l.hear(ctx, part, have, p)
		if err != nil {
			return err
		}
		puts, dels = append(puts, more...), append(dels, gone...)
	}
	dels, err := l.cap(ctx, dels, p)
	if err != nil {
		return err
	}
	for part := range slices.Chunk(dels, chunk) {
		if err := l.remove(ctx, part); err != nil {
			return err
		}
	}
	for part := range slices.Chunk(puts, chunk) {
		if err := l.put(ctx, part); err != nil {
			return err
		}
	}
	l.readBack()
	return nil
}

// hear journals what was edited in some rows, remembers them, and says which
// must be written and which deleted.
func (l *line) hear(ctx context.Context, its []item, have map[string]*driver.Row, p policy) (puts, dels []item, err error) {
	l.rows.Lock()
	defer l.rows.Unlock()
	b := journal.Batch{Reader: l.o.Name, ReaderID: l.info.Serial}
	stands := map[string]standing{}
	var again []item
	counted := 0
	sort := func(r row, v verdict) {
		stands[r.key] = v.open
		switch {
		case v.put && !l.later(r):
			puts = append(puts, item{r.key, r.user})
		case v.del && !l.later(r):
			dels = append(dels, item{r.key, r.user})
		}
	}
	for _, it := range its {
		r, v, err := l.consider(it, have, p)
		if err != nil {
			return nil, nil, err
		}
		if err := l.record(&b, r, v); err != nil {
			return nil, nil, err
		}
		if !p.whole {
			counted += v.mem.count() - r.mem.count()
		}
		if v.edit != nil {
			again = append(again, it)
			continue
		}
		sort(r, v)
	}
	if err := l.commit(ctx, b); err != nil {
		return nil, nil, err
	}
	l.total += counted
	for _, it := range again {
		r, v, err := l.consider(it, have, p)
		if err != nil {
			return nil, nil, err
		}
		sort(r, v)
	}
	l.stand(stands)
	return puts, dels, nil
}

// consider judges one row.
func (l *line) consider(it item, have map[string]*driver.Row, p policy) (row, verdict, error) {
	r, err := l.gather(it, have[it.key], have == nil)
	if err != nil {
		return row{}, verdict{}, err
	}
	cardOnly, err := l.adopt(&r, &p)
	if err != nil {
		return row{}, verdict{}, err
	}
	v := judge(r, p)
	if v.event == protocol.EventEnrolled {
		l.enroll(&v, cardOnly)
	}
	return r, v, nil
}

// adopt names somebody whose card nobody knows, in a table without user IDs,
// after the card, or leaves the card alone. A revoked one does not stay.
func (l *line) adopt(r *row, p *policy) (cardOnly bool, err error) {
	if r.read == nil || r.read.User.ID != "" || r.known || r.mem != nil {
		return false, nil
	}
	cards := r.read.User.OfKind(protocol.KindCard)
	if l.revoked(r.have) {
		p.enrolls, r.barred = false, true
		return true, nil
	}
	if l.o.LeaveCards || len(cards) == 0 {
		p.enrolls = false
		return true, nil
	}
	view, ok, err := l.user(cards[0].Number)
	if err != nil {
		return true, err
	}
	if ok && !view.Removed {
		p.enrolls = false // that ID is somebody else's
	}
	r.user = cards[0].Number
	return true, nil
}

// enroll completes the edit of somebody new.
func (l *line) enroll(v *verdict, cardOnly bool) {
	e := v.edit
	if cardOnly && e.Values[protocol.FieldName].IsNull() {
		e.Values[protocol.FieldName] = protocol.Text("Card " + e.UserID)
	}
	switch {
	case l.o.EnrollmentGroup != "":
		e.Groups = []string{l.o.EnrollmentGroup}
	case !l.reaches(protocol.User{}):
		v.detail = "has no access group yet: stays on this reader"
	}
	if !cardOnly && l.o.OwnID != nil && !l.o.OwnID(e.UserID) {
		v.detail = joinText(v.detail, "the user ID is outside this site's range")
	}
}

func joinText(a, b string) string {
	if a == "" {
		return b
	}
	return a + "; " + b
}

// record adds to a transaction what a verdict says to journal and to remember.
func (l *line) record(b *journal.Batch, r row, v verdict) error {
	if v.event != "" {
		b.Drafts = append(b.Drafts, journal.Draft{Event: v.event, UserID: r.user, Edit: v.edit, Detail: v.detail})
	}
	if r.read != nil && (v.open == agrees || v.edit != nil) || v.event == protocol.EventDeletedReader {
		delete(l.tries, r.key)
	}
	before, err := l.remember(r.key, r.mem)
	if err != nil {
		return err
	}
	after, err := l.remember(r.key, v.mem)
	if err != nil {
		return err
	}
	if string(before.Held) != string(after.Held) {
		b.Rows = append(b.Rows, after)
	}
	if r.mem != nil && len(r.mem.GaveUp) > 0 && (v.mem == nil || len(v.mem.GaveUp) == 0) {
		b.Forget = append(b.Forget, journal.GivenUpKey{Reader: l.o.Name, Key: r.key})
	}
	if v.mem != nil {
		l.own(v.mem.User, r.key)
	}
	return nil
}

// commit appends a batch, unless there is nothing in it.
func (l *line) commit(ctx context.Context, b journal.Batch) error {
	if len(b.Drafts)+len(b.Rows)+len(b.GivenUp)+len(b.Forget) == 0 {
		return nil
	}
	_, err := l.o.Journal.Append(ctx, b)
	return journalError(err)
}

// later reports whether the row is tried again at another time.
func (l *line) later(r row) bool {
	t := l.tries[r.key]
	return t != nil && !t.at.IsZero() && t.same(r.want)
}

// readBack has rows that were just written read again, so that what the reader
// made of them is known before anybody edits them there.
func (l *line) readBack() {
	if len(l.unread) == 0 {
		return
	}
	if l.get == nil {
		l.tableWithin(readBackAfter)
		return
	}
	for key := range l.unread {
		l.inbox.look(item{key: key})
	}
	clear(l.unread)
}

// readBackAfter is how long after a write the whole table of a reader is read
// that cannot show single rows.
const readBackAfter = 30 * time.Second
