package sqlstore

import (
	"errors"
	"fmt"
	"strings"

	sqlite3 "modernc.org/sqlite/lib"

	"doorsync/cloud/roster"
)

// conn is one connection with the statements it has prepared. It is used by one
// goroutine at a time. It calls SQLite itself: what database/sql and its driver do
// beside it, a pool, locks, memory for every value and conversions by reflection,
// costs as much as many of the statements.
type conn struct {
	path  string
	n     *native
	stmts map[string]*stmt
}

func newConn(path string, pragmas ...string) (*conn, error) {
	n, err := openNative(path)
	if err != nil {
		return nil, explain(path, err)
	}
	out := &conn{path: path, n: n, stmts: map[string]*stmt{}}
	for _, p := range pragmas {
		if err := out.exec("PRAGMA " + p); err != nil {
			return nil, errors.Join(err, out.close())
		}
	}
	return out, nil
}

func (c *conn) close() error {
	for _, s := range c.stmts {
		s.finalize()
	}
	return explain(c.path, c.n.close())
}

// begin returns the statement for a query, which is prepared once per connection.
// A row of it may be being read while it is begun again, and then it is another.
func (c *conn) begin(query string) (*stmt, error) {
	s, known := c.stmts[query]
	if !known || s.busy {
		var err error
		if s, err = c.n.prepare(query); err != nil {
			return nil, explain(c.path, err)
		}
		if s.extra = known; !known {
			c.stmts[query] = s
		}
	}
	s.begin()
	return s, nil
}

// end makes the statement ready to be begun again.
func (c *conn) end(s *stmt) {
	s.reset()
	if s.extra {
		s.finalize()
	}
}

// exec runs statements once, without keeping them.
func (c *conn) exec(query string) error { return explain(c.path, c.n.exec(query)) }

// run runs a prepared statement and returns how many rows it has changed. The
// arguments are int64, string or []byte.
func (c *conn) run(query string, args ...any) (changed int, err error) {
	return c.runWith(query, func(s *stmt) {
		for _, a := range args {
			s.any(a)
		}
	})
}

// runWith is run with values that bind binds.
func (c *conn) runWith(query string, bind func(*stmt)) (changed int, err error) {
	s, err := c.begin(query)
	if err != nil {
		return 0, err
	}
	defer c.end(s)
	bind(s)
	if err := s.complete(); err != nil {
		return 0, explain(c.path, err)
	}
	for row := true; row && err == nil; {
		row, err = s.step()
	}
	if err != nil {
		return 0, explain(c.path, err)
	}
	return c.n.changed(), nil
}

// row reads the only row of a query; ok is false if there is none.
func (c *conn) row(dest []any, query string, args ...any) (ok bool, err error) {
	err = c.each(dest, func() bool { ok = true; return false }, query, args...)
	return ok, err
}

// each scans every row of a query into dest and calls fn until it returns
// false. What was scanned is the caller's to keep.
func (c *conn) each(dest []any, fn func() bool, query string, args ...any) error {
	s, err := c.begin(query)
	if err != nil {
		return err
	}
	defer c.end(s)
	for _, a := range args {
		s.any(a)
	}
	if err := s.complete(); err != nil {
		return explain(c.path, err)
	}
	for {
		row, err := s.step()
		if err == nil && row {
			err = s.scan(dest)
		}
		if err != nil || !row || !fn() {
			return explain(c.path, err)
		}
	}
}

// explain gives an error of SQLite the name of the file and what to do.
func explain(path string, err error) error {
	var se *sqliteError
	if err == nil || !errors.As(err, &se) {
		return err
	}
	switch se.code & 0xff {
	case sqlite3.SQLITE_FULL:
		return fmt.Errorf("%s: %w; make room, it goes on by itself: %w", path, roster.ErrFull, err)
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		return damaged(path, err.Error())
	default:
		return fmt.Errorf("%s: %w", path, err)
	}
}

// damaged is the error for a file that is not whole. The file is left as it is.
func damaged(path, what string) error {
	return fmt.Errorf("%s: %w (%s): stop the program, keep this file for repair, "+
		"and put the latest backup in its place; sites send again what the backup lacks",
		path, roster.ErrDamaged, strings.TrimSpace(what))
}
