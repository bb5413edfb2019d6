package sqlstore

import (
	"cmp"
	"fmt"
	"slices"

	"doorsync/cloud/roster"
)

// view reads over one connection's open transaction.
type view struct {
	c     *conn
	codec decoder
}

// decoder is the part of the codec that rows kept as one blob need.
type decoder interface {
	Marshal(v any) ([]byte, error)
	Unmarshal(b []byte, v any) error
}

// tx writes as well.
type tx struct {
	view
	s *Store // whose writing it holds
}

// userScan is where one row is read to.
type userScan struct {
	row  roster.UserRow
	head []byte
}

// sentColumns are what decides who gets a user, and what they get.
const sentColumns = "guid, revision, head, record"

func (s *userScan) sent() []any { return []any{&s.row.GUID, &s.row.Revision, &s.head, &s.row.Record} }

const headColumns = "seq, guid, sort, revision, search, head"

func (s *userScan) heads() []any {
	r := &s.row
	return []any{&r.Handle, &r.GUID, &r.Sort, &r.Revision, &r.Search, &s.head}
}

// users calls fn with every row of a query.
func (v view) users(s *userScan, dest []any, fn func(*roster.UserRow) bool, query string, args ...any) error {
	var bad error
	err := v.c.each(dest, func() bool {
		if bad = unpackHead(s.head, &s.row); bad != nil {
			bad = damaged(v.c.path, "the row of user "+s.row.GUID+" cannot be read: "+bad.Error())
			return false
		}
		return fn(&s.row)
	}, query, args...)
	return cmp.Or(err, bad)
}

// User is roster.UserReader's.
func (v view) User(guid string) (out roster.UserRow, found bool, err error) {
	var s userScan
	err = v.users(&s, append(s.heads(), &s.row.Record, &s.row.Contributions), func(u *roster.UserRow) bool {
		out, found = *u, true
		return false
	}, "SELECT "+headColumns+", record, contributions FROM users WHERE guid = ?", guid)
	return out, found, err
}

// UsersSince is roster.UserReader's.
func (v view) UsersSince(revision uint64, fn func(*roster.UserRow) bool) error {
	var s userScan
	return v.users(&s, s.sent(), fn, "SELECT "+sentColumns+" FROM users WHERE revision > ? ORDER BY revision", int64(revision))
}

// UsersFrom is roster.UserReader's.
func (v view) UsersFrom(guid string, fn func(*roster.UserRow) bool) error {
	var s userScan
	return v.users(&s, s.sent(), fn, "SELECT "+sentColumns+" FROM users WHERE guid > ? ORDER BY guid", guid)
}

// Heads is roster.UserReader's.
func (v view) Heads(sort, guid string, fn func(*roster.UserRow) bool) error {
	var s userScan
	return v.users(&s, s.heads(), fn,
		"SELECT "+headColumns+" FROM users WHERE (sort, guid) > (?, ?) ORDER BY sort, guid", sort, guid)
}

// Grave is roster.UserReader's.
func (v view) Grave(guid string) (roster.Grave, bool, error) {
	g := roster.Grave{GUID: guid}
	ok, err := v.c.row([]any{&g.Record, &g.Contributions}, "SELECT record, contributions FROM graves WHERE guid = ?", guid)
	return g, ok, err
}

// PutUsers is roster.UserWriter's.
func (t tx) PutUsers(rows []*roster.UserRow) error {
	if err := t.s.writes(len(rows)); err != nil {
		return err
	}
	for len(rows) > 0 {
		if rows[0].Handle != 0 {
			if err := t.update(rows[0]); err != nil {
				return err
			}
			rows = rows[1:]
			continue
		}
		n := slices.IndexFunc(rows, func(r *roster.UserRow) bool { return r.Handle != 0 })
		if n < 0 {
			n = len(rows)
		}
		if err := t.insert(rows[:n]); err != nil {
			return err
		}
		rows = rows[n:]
	}
	return nil
}

// insert gives new rows the handles after the last one. Nobody else writes, so
// asking SQLite for each is not needed.
func (t tx) insert(rows []*roster.UserRow) error {
	if t.s.last == 0 {
		if _, err := t.c.row([]any{&t.s.last}, "SELECT coalesce(max(seq), 0) FROM users"); err != nil {
			return err
		}
	}
	next := t.s.last
	var head []byte
	err := many(t.c, &insertUsers, rows, func(s *stmt, p **roster.UserRow) {
		r := *p
		next++
		s.int(next)
		s.text(r.GUID)
		s.text(r.Sort)
		s.int(int64(r.Revision))
		s.text(r.Search)
		head = packHead(head[:0], r)
		s.blob(head)
		s.blob(r.Record)
		s.blob(r.Contributions)
	})
	if err != nil {
		return err
	}
	for i, r := range rows {
		r.Handle = t.s.last + int64(i) + 1
	}
	t.s.last = next
	return nil
}

// update leaves the index for people alone unless the row says that its place
// there has changed.
func (t tx) update(r *roster.UserRow) error {
	n, err := t.c.run("UPDATE users SET revision=?, search=?, head=?, record=?, contributions=? WHERE seq=?",
		int64(r.Revision), r.Search, packHead(nil, r), r.Record, r.Contributions, r.Handle)
	if err := oneRow(n, err, r.GUID); err != nil {
		return err
	}
	if !r.Moved {
		return nil
	}
	_, err = t.c.run("UPDATE users SET sort=? WHERE seq=?", r.Sort, r.Handle)
	return err
}

// PutContributions is roster.UserWriter's.
func (t tx) PutContributions(rows []*roster.UserRow) error {
	for _, r := range rows {
		n, err := t.c.run("UPDATE users SET contributions=? WHERE seq=?", r.Contributions, r.Handle)
		if err := oneRow(n, err, r.GUID); err != nil {
			return err
		}
	}
	return nil
}

func oneRow(n int, err error, guid string) error {
	if err == nil && n != 1 {
		return fmt.Errorf("write user %s: no such row", guid)
	}
	return err
}

// PutGrave is roster.UserWriter's.
func (t tx) PutGrave(g roster.Grave) error {
	_, err := t.c.run("INSERT OR REPLACE INTO graves (guid, record, contributions) VALUES (?,?,?)", g.GUID, g.Record, g.Contributions)
	return err
}

// DropGrave is roster.UserWriter's.
func (t tx) DropGrave(guid string) error {
	_, err := t.c.run("DELETE FROM graves WHERE guid = ?", guid)
	return err
}
