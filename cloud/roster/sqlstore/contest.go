package sqlstore

import "doorsync/cloud/roster"

// Contested is roster.ContestReader's. The record of who is not contested is not
// read.
func (v view) Contested(guid string, fn func(*roster.UserRow) bool) error {
	var s userScan
	r := &s.row
	return v.users(&s, []any{&r.GUID, &r.Revision, &s.head, &r.Record, &r.Contributions}, fn,
		"SELECT guid, revision, head, iif(length(contributions) > 0, record, NULL), contributions FROM users WHERE guid > ? ORDER BY guid", guid)
}

// CountUsers is roster.ContestReader's.
func (v view) CountUsers() (n int, err error) {
	_, err = v.c.row([]any{&n}, "SELECT count(*) FROM users")
	return n, err
}
