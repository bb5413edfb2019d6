package sqlstore

import (
	"cmp"
	"math"
	"strings"
	"time"

	"doorsync/cloud/roster"
	"doorsync/protocol"
	"doorsync/protocol/wire"
)

// Known is roster.LogReader's.
func (v view) Known(site string, from uint64, fn func(protocol.EntryID)) error {
	var rest []byte
	var e roster.Event
	var bad error
	err := v.c.each([]any{&rest}, func() bool {
		if bad = v.event(rest, &e); bad == nil {
			fn(e.ID)
		}
		return bad == nil
	}, "SELECT rest FROM events WHERE site = ? AND number >= ?", site, int64(from))
	return cmp.Or(err, bad)
}

// event reads what is packed of an event.
func (v view) event(rest []byte, e *roster.Event) error {
	if err := unpackEvent(rest, e); err != nil {
		return damaged(v.c.path, "an event cannot be read: "+err.Error())
	}
	return nil
}

const eventColumns = "site, number, at, arrived, event, reader, user_id, rest"

// AddEvents is roster.LogWriter's.
func (t tx) AddEvents(events []roster.Event) error {
	var rest []byte
	return many(t.c, &addEvents, events, func(s *stmt, e *roster.Event) {
		s.text(e.Site)
		s.int(int64(e.Number))
		s.int(e.At.UnixMilli())
		s.int(e.Arrived.UnixMilli())
		s.text(string(e.Event))
		s.text(e.Reader)
		s.text(e.UserID)
		rest = packEvent(rest[:0], e)
		s.blob(rest)
	})
}

// Events is roster.LogReader's.
func (v view) Events(q roster.EventFilter, fn func(*roster.Event) bool) error {
	from, err := v.arrivedFrom(q.SinceMS)
	if err != nil {
		return err
	}
	where, args := eventWhere(q, from)
	order := "DESC"
	if q.Oldest {
		order = "ASC"
	}
	var e roster.Event
	var rest []byte
	var at, arrived int64
	var event string
	var bad error
	dest := []any{&e.Seq, &e.Site, &e.Number, &at, &arrived, &event, &e.Reader, &e.UserID, &rest}
	err = v.c.each(dest, func() bool {
		if bad = v.event(rest, &e); bad != nil {
			return false
		}
		e.At, e.Arrived, e.Event = time.UnixMilli(at).UTC(), time.UnixMilli(arrived).UTC(), protocol.Event(event)
		return fn(&e)
	}, "SELECT seq, "+eventColumns+" FROM events"+where+" ORDER BY seq "+order, args...)
	return cmp.Or(err, bad)
}

// maxAhead is how far ahead of the center's a site's clock may be for its events
// to be found by when they happened.
const maxAhead = 25 * 60 * 60 * 1000

// arrivedFrom is the first event that can have happened at a time or later. What
// arrives is in order of seq, and nothing arrives before it happens, clocks
// aside: so no index over the time is needed.
func (v view) arrivedFrom(since int64) (uint64, error) {
	if since == 0 {
		return 0, nil
	}
	var low, high uint64
	if _, err := v.c.row([]any{&high}, "SELECT coalesce(max(seq), 0) + 1 FROM events"); err != nil {
		return 0, err
	}
	for low < high {
		mid := low + (high-low)/2
		arrived := int64(math.MaxInt64)
		_, err := v.c.row([]any{&arrived}, "SELECT arrived FROM events WHERE seq >= ? ORDER BY seq LIMIT 1", int64(mid))
		if err != nil {
			return 0, err
		}
		if arrived < since-maxAhead {
			low = mid + 1
		} else {
			high = mid
		}
	}
	return low, nil
}

// eventWhere is the condition for a filter and its arguments. What people type
// only ever becomes an argument.
func eventWhere(q roster.EventFilter, from uint64) (string, []any) {
	var conds []string
	var args []any
	add := func(cond string, values ...any) { conds, args = append(conds, cond), append(args, values...) }
	if q.SinceMS != 0 {
		add("at >= ? AND seq >= ?", q.SinceMS, int64(from))
	}
	if q.UntilMS != 0 {
		add("at < ?", q.UntilMS)
	}
	if len(q.Users) > 0 {
		values := make([]any, len(q.Users))
		for i, u := range q.Users {
			values[i] = u
		}
		add("user_id <> '' AND user_id IN ("+marks(len(values), "?")+")", values...)
	}
	if q.Site != nil {
		add("site = ?", *q.Site)
	}
	if q.Reader != "" {
		add("reader = ?", q.Reader)
	}
	if q.Event != "" {
		add("event = ?", string(q.Event))
	}
	switch {
	case q.After != 0 && q.Oldest:
		add("seq > ?", int64(q.After))
	case q.After != 0:
		add("seq < ?", int64(q.After))
	}
	if len(conds) == 0 {
		return "", nil
	}
	return " WHERE " + strings.Join(conds, " AND "), args
}

// Verdicts is roster.LogReader's.
func (v view) Verdicts(site, epoch string, after, upTo uint64) ([]wire.Verdict, error) {
	var one wire.Verdict
	var event string
	var out []wire.Verdict
	err := v.c.each([]any{&one.Number, &event, &one.UserID, &one.Detail}, func() bool {
		one.Event = protocol.Event(event)
		out = append(out, one)
		return true
	}, "SELECT number, event, user_id, detail FROM verdicts WHERE site = ? AND epoch = ? AND number > ? AND number <= ? ORDER BY number, rowid",
		site, epoch, int64(after), int64(upTo))
	return out, err
}

// AddVerdicts is roster.LogWriter's.
func (t tx) AddVerdicts(rows []roster.VerdictRow) error {
	return many(t.c, &addVerdicts, rows, func(s *stmt, r *roster.VerdictRow) {
		s.text(r.Site)
		s.text(r.Epoch)
		s.int(int64(r.Verdict.Number))
		s.text(string(r.Verdict.Event))
		s.text(r.Verdict.UserID)
		s.text(r.Verdict.Detail)
	})
}

// DropVerdicts is roster.LogWriter's.
func (t tx) DropVerdicts(site, epoch string, upTo uint64) error {
	_, err := t.c.run("DELETE FROM verdicts WHERE site = ? AND epoch = ? AND number <= ?", site, epoch, int64(upTo))
	return err
}
