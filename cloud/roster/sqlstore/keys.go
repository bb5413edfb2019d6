package sqlstore

import "doorsync/cloud/roster"

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

// PutKeys is roster.KeyWriter's.
func (t tx) PutKeys(rows []roster.KeyRow) error {
	return many(t.c, &putKeys, rows, func(args []any, r *roster.KeyRow) []any {
		return append(args, hashValue(r.Key), guidValue(r.GUID))
	})
}

// DropKeys is roster.KeyWriter's.
func (t tx) DropKeys(rows []roster.KeyRow) error {
	for _, r := range rows {
		if _, err := t.c.run("DELETE FROM keys WHERE hash = ? AND guid = ?", hashValue(r.Key), guidValue(r.GUID)); err != nil {
			return err
		}
	}
	return nil
}

// ClearKeys is roster.KeyWriter's.
func (t tx) ClearKeys() error {
	_, err := t.c.run("DELETE FROM keys")
	return err
}
