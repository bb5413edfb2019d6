package sqlstore

import (
	"cmp"
	"strings"

	"doorsync/cloud/roster"
)

// hashValue keeps the order of hashes in SQLite's integers, which have a sign.
func hashValue(k roster.KeyHash) int64 { return int64(k ^ 1<<63) }

func storedHash(n int64) roster.KeyHash { return roster.KeyHash(n) ^ 1<<63 }

// Keys is roster.KeyReader's.
func (v view) Keys(from roster.KeyHash, fn func(roster.KeyRow) bool) error {
	var hash int64
	var guid storedGUID
	return v.c.each([]any{&hash, &guid}, func() bool { return fn(roster.KeyRow{Key: storedHash(hash), GUID: string(guid)}) },
		"SELECT hash, guid FROM keys WHERE hash >= ? ORDER BY hash, guid", hashValue(from))
}

// KeyHolders is roster.KeyReader's.
func (v view) KeyHolders(k roster.KeyHash) ([]string, error) {
	var guid storedGUID
	var out []string
	err := v.c.each([]any{&guid}, func() bool { out = append(out, string(guid)); return true },
		"SELECT guid FROM keys WHERE hash = ? ORDER BY guid", hashValue(k))
	return out, err
}

// Keys is roster.KeyReader's, of what was written so far as well.
func (t tx) Keys(from roster.KeyHash, fn func(roster.KeyRow) bool) error {
	if err := t.s.delayed.keys.flush(); err != nil {
		return err
	}
	return t.view.Keys(from, fn)
}

// KeyHolders is roster.KeyReader's, of what was written so far as well.
func (t tx) KeyHolders(k roster.KeyHash) ([]string, error) {
	if err := t.s.delayed.keys.flush(); err != nil {
		return nil, err
	}
	return t.view.KeyHolders(k)
}

// PutKeys is roster.KeyWriter's.
func (t tx) PutKeys(rows []roster.KeyRow) error { return t.s.delayed.keys.add(rows, false) }

// DropKeys is roster.KeyWriter's.
func (t tx) DropKeys(rows []roster.KeyRow) error { return t.s.delayed.keys.add(rows, true) }

// ClearKeys is roster.KeyWriter's.
func (t tx) ClearKeys() error {
	t.s.delayed.keys.forget()
	_, err := t.c.run("DELETE FROM keys")
	return err
}

func compareKeys(a, b roster.KeyRow) int {
	if order := cmp.Compare(a.Key, b.Key); order != 0 {
		return order
	}
	return strings.Compare(a.GUID, b.GUID)
}

func writeKeys(c *conn, rows []roster.KeyRow) error {
	return many(c, &putKeys, rows, func(s *stmt, r *roster.KeyRow) {
		s.int(hashValue(r.Key))
		s.guid(r.GUID)
	})
}

func dropKeys(c *conn, rows []roster.KeyRow) error {
	for i := range rows {
		_, err := c.run("DELETE FROM keys WHERE hash = ? AND guid = ?", hashValue(rows[i].Key), guidValue(rows[i].GUID))
		if err != nil {
			return err
		}
	}
	return nil
}
