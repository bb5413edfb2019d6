package roster_test

import (
	"database/sql"
	"path/filepath"
	"testing"
	"time"

	_ "modernc.org/sqlite"
)

// raw is SQLite doing nothing but commits of 1 KiB rows, as durable as the
// roster's: what its figures are held against.
type raw struct {
	b    *testing.B
	conn *sql.Conn
	put  *sql.Stmt
	next int
}

func newRaw(b *testing.B) *raw {
	b.Helper()
	db, err := sql.Open("sqlite", filepath.Join(b.TempDir(), "raw.db"))
	must(b, err)
	conn, err := db.Conn(b.Context())
	must(b, err)
	for _, q := range []string{"PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL", "CREATE TABLE rows (k INTEGER PRIMARY KEY, v BLOB)"} {
		_, err := conn.ExecContext(b.Context(), q)
		must(b, err)
	}
	put, err := conn.PrepareContext(b.Context(), "INSERT OR REPLACE INTO rows (k, v) VALUES (?, ?)")
	must(b, err)
	b.Cleanup(func() { must(b, put.Close()); must(b, conn.Close()); must(b, db.Close()) })
	return &raw{b: b, conn: conn, put: put}
}

// commit writes n rows of 1 KiB in one transaction.
func (r *raw) commit(n int) time.Duration {
	began := time.Now()
	_, err := r.conn.ExecContext(r.b.Context(), "BEGIN IMMEDIATE")
	must(r.b, err)
	for range n {
		r.next++
		_, err := r.put.ExecContext(r.b.Context(), r.next*7919%10_000, make([]byte, 1024))
		must(r.b, err)
	}
	_, err = r.conn.ExecContext(r.b.Context(), "COMMIT")
	must(r.b, err)
	return time.Since(began)
}
