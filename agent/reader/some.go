package reader

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"doorsync/firmware-bridge/driver"
	"doorsync/protocol/wire"
)

// users looks after the rows of the users that changed at the site.
func (l *line) users(ctx context.Context) (cause, error) {
	ids, all := l.sub.Take()
	if all || len(ids) > maxSome || l.mode() != l.mode0 || (l.waiting && !l.firstRoster()) {
		return causeUsers, nil
	}
	var its []item
	var f found
	for _, id := range ids {
		more, err := l.keysOf(id, &f)
		if err != nil {
			return "", err
		}
		for _, it := range more { // somebody who was renumbered changed under both IDs
			if !slices.ContainsFunc(its, func(o item) bool { return o.key == it.key }) {
				its = append(its, it)
			}
		}
	}
	if l.get == nil && l.strangers(its) {
		return causeUsers, nil // look at what is there before it is written over
	}
	if len(its) > 0 {
		if err := l.some(ctx, its); err != nil {
			return "", err
		}
	}
	return "", l.tellScan(ctx, f, l.policy(false))
}

// strangers reports whether the reader holds rows under these keys that nobody
// knew when they were seen. They are not remembered.
func (l *line) strangers(its []item) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.ContainsFunc(its, func(it item) bool { return l.open[it.key] == unknown })
}

// maxSome is how many users are looked after one by one: beyond it, reading the
// whole table is cheaper.
const maxSome = 500

// keysOf are the rows that a user has or should have.
func (l *line) keysOf(id string, f *found) ([]item, error) {
	view, ok, err := l.user(id)
	if err != nil {
		return nil, err
	}
	keys := map[string]bool{}
	ids := []string{id}
	if ok {
		ids = append(ids, view.IDs...)
		rows, out := l.rowsOf(view)
		for i := range rows {
			keys[rows[i].Key] = true
		}
		if err := l.newsOf(f, view.User.ID, out); err != nil {
			return nil, err
		}
	}
	for _, id := range ids {
		maps.Copy(keys, l.owners[id])
		if mem, err := l.recall(id); err != nil {
			return nil, err
		} else if mem != nil {
			keys[id] = true
		}
	}
	out := make([]item, 0, len(keys))
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		out = append(out, item{key, view.User.ID})
	}
	return out, nil
}

func (l *line) newsOf(f *found, user, out string) error {
	before, err := l.recall(leftKey(user))
	if err != nil {
		return err
	}
	left := map[string]*memory{}
	if before != nil {
		left[leftKey(user)] = before
	}
	return l.news(f, user, out, left)
}

// some looks after some rows, as soon as something is known to have changed.
func (l *line) some(ctx context.Context, its []item) error {
	if err := l.settle(ctx, its, l.ask, l.policy(false)); err != nil {
		return err
	}
	l.change(func(s *wire.ReaderState) { s.Users = max(l.total, 0) })
	l.settled(false, l.note)
	return nil
}

// ask reads rows before they are written, so that an edit made at the reader is
// not overwritten. nil: the reader has no way to show single rows, and is taken
// to hold what it held.
func (l *line) ask(ctx context.Context, its []item) (map[string]*driver.Row, error) {
	if l.get == nil {
		return nil, nil
	}
	keys := make([]string, len(its))
	for i, it := range its {
		keys[i] = it.key
	}
	rows, err := l.get.Get(ctx, keys)
	if err != nil {
		return nil, err
	}
	have := make(map[string]*driver.Row, len(rows))
	for i := range rows {
		have[rows[i].Key] = &rows[i]
	}
	return have, nil
}

// retryAt is when the next failed write is tried again.
func (l *line) retryAt() time.Time {
	var next time.Time
	for _, t := range l.tries {
		if !t.at.IsZero() && (next.IsZero() || t.at.Before(next)) {
			next = t.at
		}
	}
	return next
}

// retries are the rows whose writes are tried again now.
func (l *line) retries(now time.Time) []item {
	var out []item
	for key, t := range l.tries {
		if !t.at.IsZero() && !now.Before(t.at) {
			t.at = time.Time{}
			out = append(out, item{key: key, user: t.user})
		}
	}
	slices.SortFunc(out, func(a, b item) int { return strings.Compare(a.key, b.key) })
	return out
}
