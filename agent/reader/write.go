package reader

import (
	"bytes"
	"context"
	"errors"
	"time"

	"doorsync/agent/journal"
	"doorsync/firmware-bridge/driver"
	"doorsync/protocol"
	"doorsync/protocol/wire"
)

// How often the same write is tried: a reader that says no is asked once more.
const (
	maxTries   = 5
	maxRefused = 2
)

var errNotKept = errors.New("the reader takes the write and does not hold it")

// put writes rows: first it is durable that they are about to be written, then
// they are, then it is durable what came of it.
func (l *line) put(ctx context.Context, its []item) error {
	l.rows.Lock()
	defer l.rows.Unlock()
	l.change(func(s *wire.ReaderState) { s.State = wire.ReaderSyncing })
	rows, intents, err := l.intents(its)
	if err != nil {
		return err
	}
	if err := l.commit(ctx, intents); err != nil || len(rows) == 0 {
		return err
	}
	write := make([]driver.Row, len(rows))
	for i, r := range rows {
		write[i] = *r.write
	}
	results, err := l.s.Put(ctx, write)
	if err != nil {
		return err
	}
	b := journal.Batch{Reader: l.o.Name, ReaderID: l.info.Serial}
	stands, told := map[string]standing{}, map[string]bool{}
	for i, r := range rows {
		if err := result(results, i); err != nil {
			stands[r.key], err = l.failed(&b, r, err)
			if err != nil {
				return err
			}
			continue
		}
		if err := l.written(&b, r, told); err != nil {
			return err
		}
		stands[r.key] = agrees
	}
	if err := l.commit(ctx, b); err != nil {
		return err
	}
	l.stand(stands)
	l.change(func(s *wire.ReaderState) { s.Users = l.total })
	return nil
}

// intents gathers the rows to write as they should be now, and what is
// remembered of them while they are being written.
func (l *line) intents(its []item) ([]row, journal.Batch, error) {
	b := journal.Batch{Reader: l.o.Name, ReaderID: l.info.Serial}
	var rows []row
	for _, it := range its {
		r, err := l.gather(it, nil, true)
		if err != nil {
			return nil, b, err
		}
		if r.want == nil {
			continue
		}
		if t := l.tries[r.key]; t.same(r.want) && t.n >= maxTries {
			if _, err := l.failed(&b, r, errNotKept); err != nil {
				return nil, b, err
			}
			l.stand(map[string]standing{r.key: givenUp})
			continue
		}
		m := r.mem.clone()
		m.Intent, m.User = r.want, r.user
		stored, err := l.remember(r.key, &m)
		if err != nil {
			return nil, b, err
		}
		b.Rows = append(b.Rows, stored)
		r.mem = &m
		rows = append(rows, r)
	}
	return rows, b, nil
}

// written notes a row that the reader has taken.
func (l *line) written(b *journal.Batch, r row, told map[string]bool) error {
	if r.mem.Held == nil || r.mem.Absent {
		l.total++
	}
	t := l.try(r)
	t.n, t.at = t.n+1, time.Time{}
	m := r.mem.clone()
	m.Held, m.Intent, m.User = r.want, nil, r.user
	m.Unread, m.Absent, m.Deleting, m.Waits, m.GaveUp = true, false, false, false, nil
	stored, err := l.remember(r.key, &m)
	if err != nil {
		return err
	}
	b.Rows = append(b.Rows, stored)
	l.own(r.user, r.key)
	l.unread[r.key] = true
	if len(r.mem.GaveUp) > 0 {
		b.Forget = append(b.Forget, journal.GivenUpKey{Reader: l.o.Name, Key: r.key})
	}
	if !told[r.user] {
		told[r.user] = true
		b.Drafts = append(b.Drafts, journal.Draft{Event: protocol.EventUpdatedCentral, UserID: r.user})
	}
	return nil
}

// failed notes a write that did not come about: it is tried again later, or
// given up.
func (l *line) failed(b *journal.Batch, r row, why error) (standing, error) {
	t := l.try(r)
	if why != errNotKept {
		t.n++
	}
	open := stale
	switch {
	case r.want == nil:
		open = surplus
	case r.have == nil:
		open = missing
	}
	if t.n < maxTries && (!errors.Is(why, driver.ErrRefused) || t.n < maxRefused) {
		t.at = time.Now().Add(firstWait << (t.n - 1))
		return open, nil
	}
	l.log.Warn("gave up a write", "user", r.user, "error", why)
	m := r.mem.clone()
	m.GaveUp, m.Intent = t.sum, nil
	stored, err := l.remember(r.key, &m)
	if err != nil {
		return open, err
	}
	b.Rows = append(b.Rows, stored)
	b.GivenUp = append(b.GivenUp, journal.GivenUp{
		GivenUpKey: journal.GivenUpKey{Reader: l.o.Name, Key: r.key},
		UserID:     r.user, Reason: why.Error(), Tries: t.n, Want: t.sum,
	})
	b.Drafts = append(b.Drafts, journal.Draft{Event: protocol.EventGivenUp, UserID: r.user, Detail: why.Error()})
	delete(l.tries, r.key)
	return givenUp, nil
}

// try is the count for what is being written to a row; new content counts from
// nothing.
func (l *line) try(r row) *try {
	if t := l.tries[r.key]; t.same(r.want) {
		return t
	}
	t := &try{sum: goneUp, user: r.user}
	if r.want != nil {
		t.sum = sum(*r.want)
	}
	l.tries[r.key] = t
	return t
}

func (t *try) same(want *driver.Held) bool {
	switch {
	case t == nil:
		return false
	case want == nil:
		return bytes.Equal(t.sum, goneUp)
	default:
		return bytes.Equal(t.sum, sum(*want))
	}
}

// remove deletes rows, in the same three steps as put.
func (l *line) remove(ctx context.Context, its []item) error {
	l.rows.Lock()
	defer l.rows.Unlock()
	l.change(func(s *wire.ReaderState) { s.State = wire.ReaderSyncing })
	b := journal.Batch{Reader: l.o.Name, ReaderID: l.info.Serial}
	var rows []row
	var keys []string
	for _, it := range its {
		r, err := l.gather(it, nil, true)
		if err != nil {
			return err
		}
		m := r.mem.clone()
		m.Deleting, m.Waits = true, false
		stored, err := l.remember(r.key, &m)
		if err != nil {
			return err
		}
		b.Rows = append(b.Rows, stored)
		r.mem, r.want = &m, nil
		rows, keys = append(rows, r), append(keys, r.key)
	}
	if err := l.commit(ctx, b); err != nil {
		return err
	}
	results, err := l.s.Delete(ctx, keys)
	if err != nil {
		return err
	}
	return l.removed(ctx, rows, results)
}

// removed notes what came of deletes.
func (l *line) removed(ctx context.Context, rows []row, results driver.Results) error {
	b := journal.Batch{Reader: l.o.Name, ReaderID: l.info.Serial}
	stands := map[string]standing{}
	for i, r := range rows {
		if err := result(results, i); err != nil {
			stands[r.key], err = l.failed(&b, r, err)
			if err != nil {
				return err
			}
			continue
		}
		l.total--
		delete(l.tries, r.key)
		stands[r.key] = agrees
		b.Rows = append(b.Rows, journal.Row{Key: r.key})
		b.Drafts = append(b.Drafts, journal.Draft{Event: protocol.EventRemovedCentral, UserID: r.user})
	}
	if err := l.commit(ctx, b); err != nil {
		return err
	}
	l.stand(stands)
	l.change(func(s *wire.ReaderState) { s.Users = max(l.total, 0) })
	return nil
}

func result(results driver.Results, i int) error {
	if i < len(results) {
		return results[i]
	}
	return nil
}
