package sqlstore

import (
	"bytes"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func openConn(t testing.TB, schema string) *conn {
	t.Helper()
	c, err := newConn(filepath.Join(t.TempDir(), "conn.db"))
	must(t, err)
	t.Cleanup(func() { must(t, c.close()) })
	must(t, c.exec(schema))
	return c
}

// What is bound is what is read, of any size, by statements that are used again.
func TestValues(t *testing.T) {
	c := openConn(t, "CREATE TABLE v (n INTEGER, s TEXT, b BLOB) STRICT")
	long := rapid.SampledFrom([]int{0, 1, blockSize - 1, blockSize, blockSize + 1, 3 * blockSize, mostKept + 1})
	rapid.Check(t, func(r *rapid.T) {
		n, size := rapid.Int64().Draw(r, "number"), long.Draw(r, "size")
		text := rapid.StringN(0, 9, -1).Draw(r, "text") + strings.Repeat("ä", size/2)
		blob := bytes.Repeat([]byte{byte(n)}, long.Draw(r, "blob"))
		if changed, err := c.run("INSERT INTO v VALUES (?,?,?)", n, text, blob); err != nil || changed != 1 {
			r.Fatalf("%d rows: %v", changed, err)
		}
		var n2 int64
		var text2 string
		var blob2 []byte
		ok, err := c.row([]any{&n2, &text2, &blob2}, "SELECT n, s, b FROM v WHERE rowid = ? AND s = ?", c.n.lastID(), text)
		if !ok || err != nil || n2 != n || text2 != text || !bytes.Equal(blob2, blob) {
			r.Fatalf("found %v, %v: %d %d bytes %d bytes", ok, err, n2, len(text2), len(blob2))
		}
	})
}

// No blob is stored as an empty one, and NULL is read as nothing.
func TestNothing(t *testing.T) {
	c := openConn(t, "CREATE TABLE v (s TEXT NOT NULL, b BLOB NOT NULL) STRICT")
	_, err := c.run("INSERT INTO v VALUES (?,?)", "", []byte(nil))
	must(t, err)
	text, blob, guid, n := "before", []byte("before"), storedGUID("before"), int64(7)
	ok, err := c.row([]any{&text, &blob, &guid, &n}, "SELECT s, b, NULL, NULL FROM v")
	must(t, err)
	if !ok || text != "" || len(blob) != 0 || guid != "" {
		t.Errorf("%v: %q %q %q", ok, text, blob, guid)
	}
}

// A statement may be begun while a row of it is being read.
func TestNestedStatements(t *testing.T) {
	c := openConn(t, "CREATE TABLE v (n INTEGER); INSERT INTO v VALUES (1), (2), (3)")
	var pairs int
	var walk func(depth int) error
	walk = func(depth int) error {
		var n int64
		var inner error
		err := c.each([]any{&n}, func() bool {
			if pairs++; depth > 0 {
				inner = walk(depth - 1)
			}
			return inner == nil
		}, "SELECT n FROM v WHERE n < ?", int64(10))
		return errors.Join(err, inner)
	}
	for range 2 {
		pairs = 0
		if err := walk(2); err != nil || pairs != 3+9+27 {
			t.Errorf("%d rows: %v", pairs, err)
		}
	}
	// Nothing is held any more: the table can go.
	must(t, c.exec("DROP TABLE v"))
}

// What does not fit is an error, and the statement can be used again.
func TestStatementErrors(t *testing.T) {
	c := openConn(t, "CREATE TABLE v (n INTEGER PRIMARY KEY, s TEXT NOT NULL) STRICT; INSERT INTO v VALUES (1, 'one')")
	var n int64
	var text string
	const query = "SELECT n FROM v WHERE n = ?"
	for _, test := range []struct {
		name, want string
		do         func() error
	}{
		{"no such table", "no such table: w", func() error { return c.exec("DELETE FROM w") }},
		{"no such column", "no such column: m", func() error { _, err := c.run("SELECT m FROM v"); return err }},
		{"a value too few", "0 values for 1", func() error { _, err := c.row([]any{&n}, query); return err }},
		{"a value too many", "column index out of range", func() error { _, err := c.row([]any{&n}, query, int64(1), "x"); return err }},
		{"a value of no type", "of type bool", func() error { _, err := c.row([]any{&n}, query, true); return err }},
		{"a column too many", "1 columns, wanted 2", func() error { _, err := c.row([]any{&n, &text}, query, int64(1)); return err }},
		{"text for a number", "column 0 is of type", func() error { _, err := c.row([]any{&n}, "SELECT s FROM v"); return err }},
		{"a number for text", "column 0 is of type", func() error { _, err := c.row([]any{&text}, query, int64(1)); return err }},
		{"twice", "UNIQUE constraint failed", func() error { _, err := c.run("INSERT INTO v VALUES (?,?)", int64(1), "x"); return err }},
	} {
		t.Run(test.name, func(t *testing.T) {
			if err := test.do(); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v", err)
			}
			if ok, err := c.row([]any{&n}, query, int64(1)); !ok || err != nil || n != 1 {
				t.Errorf("afterwards: %v %v", ok, err)
			}
		})
	}
}
