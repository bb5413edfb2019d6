package roster

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"doorsync/protocol"
)

// note adds a line of the office's own to the log.
func (w *work) note(a Actor, event protocol.Event, u *user, detail string) {
	w.meta.Number++
	e := Event{
		ID: newEntryID(w.now.UnixMilli()), Epoch: w.meta.Roster, Number: w.meta.Number, At: w.now, Arrived: w.now,
		Event: event, Detail: detail, Actor: a.String(),
	}
	if u != nil {
		e.GUID, e.UserID = u.row.GUID, u.record.UserID()
	}
	w.events = append(w.events, e)
}

func newEntryID(ms int64) protocol.EntryID {
	var id protocol.EntryID
	_, _ = rand.Read(id[:]) // never fails
	var t [8]byte
	binary.BigEndian.PutUint64(t[:], uint64(ms))
	copy(id[:6], t[2:])
	return id
}

// Events lists the log.
func (r *Roster) Events(ctx context.Context, q EventQuery) ([]Event, error) {
	f := EventFilter{Reader: q.Reader, Event: q.Event, After: q.After, Oldest: q.Oldest}
	if !q.Since.IsZero() {
		f.SinceMS = q.Since.UnixMilli()
	}
	if !q.Until.IsZero() {
		f.UntilMS = q.Until.UnixMilli()
	}
	switch q.Site {
	case "":
	case "-":
		office := ""
		f.Site = &office
	default:
		f.Site = &q.Site
	}
	limit := cmp.Or(max(q.Limit, 0), defaultLimit)
	var out []Event
	err := r.store.View(ctx, func(v View) (err error) {
		if f.Users, err = r.namesOf(v, q.User); err != nil {
			return err
		}
		return v.Events(f, func(e *Event) bool {
			out = append(out, *e)
			return len(out) < limit && ctx.Err() == nil
		})
	})
	if err = cmp.Or(err, ctx.Err()); err != nil {
		return nil, fmt.Errorf("list events: %w", err)
	}
	return out, nil
}

// namesOf are all user IDs under which events may speak of a user; a user ID
// that nobody has is only itself.
func (r *Roster) namesOf(v View, user string) ([]string, error) {
	if user == "" {
		return nil, nil
	}
	row, err := locate(v, user)
	if errors.Is(err, ErrNotFound) {
		return []string{user}, nil
	}
	if err != nil {
		return nil, err
	}
	shown, err := r.view(v, row)
	if err != nil {
		return nil, err
	}
	out := append([]string{shown.ID}, shown.Aliases...)
	if user != row.GUID && !slices.Contains(out, user) {
		out = append(out, user)
	}
	return out, nil
}
