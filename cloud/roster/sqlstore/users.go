package sqlstore

import (
	"database/sql"
	"encoding/binary"
	"fmt"
	"strings"

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
type tx struct{ view }

const headColumns = "seq, guid, sort, revision, created, removed, foreign_rev, site, enrolled_by, changed_by, " +
	"merged_into, inactive, ids, groups, search, keys, sum"

// userScan is where one row is read to. Bytes are borrowed from the connection
// until the next row.
type userScan struct {
	row                           roster.UserRow
	ids, groups                   sql.RawBytes
	keys, sum                     sql.RawBytes
	record, contributions         sql.RawBytes
	guid, sort, search            sql.RawBytes
	site, enrolled, changed, into sql.RawBytes
}

// sentColumns are what decides who gets a user, and what they get.
const sentColumns = "guid, revision, removed, site, enrolled_by, merged_into, ids, groups, keys, sum, record"

func (s *userScan) sent() []any {
	r := &s.row
	return []any{
		&s.guid, &r.Revision, &r.Removed, &s.site, &s.enrolled, &s.into, &s.ids, &s.groups, &s.keys, &s.sum, &s.record,
	}
}

func (s *userScan) head() []any {
	r := &s.row
	return []any{
		&r.Handle, &s.guid, &s.sort, &r.Revision, &r.Created, &r.Removed, &r.Foreign, &s.site, &s.enrolled,
		&s.changed, &s.into, &r.Inactive, &s.ids, &s.groups, &s.search, &s.keys, &s.sum,
	}
}

// take moves what was scanned into the row. Record and Contributions stay
// borrowed.
func (s *userScan) take() *roster.UserRow {
	r := &s.row
	r.GUID, r.Sort, r.Search = string(s.guid), string(s.sort), string(s.search)
	r.Site, r.EnrolledBy, r.ChangedBy, r.MergedInto = string(s.site), string(s.enrolled), string(s.changed), string(s.into)
	r.IDs, r.Groups, r.Keys = split(s.ids), split(s.groups), unpackKeys(s.keys)
	copy(r.Sum[:], s.sum)
	r.Record, r.Contributions = s.record, s.contributions
	return r
}

// User is roster.UserReader's.
func (v view) User(guid string) (roster.UserRow, bool, error) {
	var s userScan
	var out roster.UserRow
	found := false
	err := v.c.each(append(s.head(), &s.record, &s.contributions), func() bool {
		out, found = *s.take(), true
		out.Record, out.Contributions = clone(out.Record), clone(out.Contributions)
		return false
	}, "SELECT "+headColumns+", record, contributions FROM users WHERE guid = ?", guid)
	return out, found, err
}

// UsersSince is roster.UserReader's.
func (v view) UsersSince(revision uint64, fn func(*roster.UserRow) bool) error {
	var s userScan
	return v.c.each(s.sent(), func() bool { return fn(s.take()) },
		"SELECT "+sentColumns+" FROM users WHERE revision > ? ORDER BY revision", int64(revision))
}

// UsersFrom is roster.UserReader's.
func (v view) UsersFrom(guid string, fn func(*roster.UserRow) bool) error {
	var s userScan
	return v.c.each(s.sent(), func() bool { return fn(s.take()) },
		"SELECT "+sentColumns+" FROM users WHERE guid > ? ORDER BY guid", guid)
}

// Heads is roster.UserReader's.
func (v view) Heads(sort, guid string, fn func(*roster.UserRow) bool) error {
	var s userScan
	return v.c.each(s.head(), func() bool { return fn(s.take()) },
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
	for _, r := range rows {
		put := t.update
		if r.Handle == 0 {
			put = t.insert
		}
		if err := put(r); err != nil {
			return err
		}
	}
	return nil
}

func (t tx) insert(r *roster.UserRow) error {
	res, err := t.c.run(`INSERT INTO users (guid, sort, revision, created, removed, foreign_rev, site, enrolled_by, changed_by,
		merged_into, inactive, ids, groups, search, keys, sum, record, contributions) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)`,
		r.GUID, r.Sort, int64(r.Revision), int64(r.Created), int64(r.Removed), int64(r.Foreign), r.Site, r.EnrolledBy, r.ChangedBy,
		r.MergedInto, r.Inactive, join(r.IDs), join(r.Groups), r.Search, packKeys(r.Keys), r.Sum[:], r.Record, blob(r.Contributions))
	if err != nil {
		return err
	}
	r.Handle, err = res.LastInsertId()
	return err
}

// update writes what edits change. The rest, and the index for people, only when
// the row says so.
func (t tx) update(r *roster.UserRow) error {
	res, err := t.c.run(`UPDATE users SET revision=?, foreign_rev=?, changed_by=?, inactive=?, ids=?, groups=?, search=?, keys=?,
		sum=?, record=?, contributions=? WHERE seq=?`,
		int64(r.Revision), int64(r.Foreign), r.ChangedBy, r.Inactive, join(r.IDs), join(r.Groups), r.Search, packKeys(r.Keys),
		r.Sum[:], r.Record, blob(r.Contributions), r.Handle)
	if err := oneRow(res, err, r.GUID); err != nil {
		return err
	}
	if !r.Moved {
		return nil
	}
	_, err = t.c.run("UPDATE users SET sort=?, created=?, removed=?, site=?, enrolled_by=?, merged_into=? WHERE seq=?",
		r.Sort, int64(r.Created), int64(r.Removed), r.Site, r.EnrolledBy, r.MergedInto, r.Handle)
	return err
}

// PutContributions is roster.UserWriter's.
func (t tx) PutContributions(rows []*roster.UserRow) error {
	for _, r := range rows {
		res, err := t.c.run("UPDATE users SET contributions=? WHERE seq=?", blob(r.Contributions), r.Handle)
		if err := oneRow(res, err, r.GUID); err != nil {
			return err
		}
	}
	return nil
}

func oneRow(res sql.Result, err error, guid string) error {
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n != 1 {
		return fmt.Errorf("write user %s: no such row (%w)", guid, err)
	}
	return nil
}

// PutGrave is roster.UserWriter's.
func (t tx) PutGrave(g roster.Grave) error {
	_, err := t.c.run("INSERT OR REPLACE INTO graves (guid, record, contributions) VALUES (?,?,?)", g.GUID, g.Record, blob(g.Contributions))
	return err
}

// DropGrave is roster.UserWriter's.
func (t tx) DropGrave(guid string) error {
	_, err := t.c.run("DELETE FROM graves WHERE guid = ?", guid)
	return err
}

// between stands between the elements of a list; control characters are in none.
const between = "\x1f"

func join(list []string) string { return strings.Join(list, between) }

func split(b []byte) []string {
	if len(b) == 0 {
		return nil
	}
	return strings.Split(string(b), between)
}

func packKeys(keys []uint64) []byte {
	out := make([]byte, 0, 8*len(keys))
	for _, k := range keys {
		out = binary.BigEndian.AppendUint64(out, k)
	}
	return out
}

func unpackKeys(b []byte) []uint64 {
	if len(b) == 0 {
		return nil
	}
	out := make([]uint64, 0, len(b)/8)
	for ; len(b) >= 8; b = b[8:] {
		out = append(out, binary.BigEndian.Uint64(b))
	}
	return out
}

// blob is never NULL.
func blob(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

func clone(b []byte) []byte { return append([]byte(nil), b...) }
