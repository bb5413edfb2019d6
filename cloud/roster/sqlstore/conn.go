package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"doorsync/cloud/roster"
)

// conn is one connection with the statements it has prepared. It is used by one
// goroutine at a time.
type conn struct {
	path  string
	c     *sql.Conn
	stmts map[string]*sql.Stmt
}

// background is the context of all statements: a transaction ends by its own
// logic, and a cancelable context costs a goroutine a statement.
var background = context.Background()

func newConn(db *sql.DB, path string, pragmas ...string) (*conn, error) {
	c, err := db.Conn(background)
	if err != nil {
		return nil, explain(path, err)
	}
	out := &conn{path: path, c: c, stmts: map[string]*sql.Stmt{}}
	for _, p := range pragmas {
		if err := out.exec("PRAGMA " + p); err != nil {
			return nil, errors.Join(err, out.close())
		}
	}
	return out, nil
}

func (c *conn) close() error {
	var errs []error
	for _, s := range c.stmts {
		errs = append(errs, s.Close())
	}
	return errors.Join(append(errs, c.c.Close())...)
}

// prepared returns the statement for a query, prepared once per connection.
func (c *conn) prepared(query string) (*sql.Stmt, error) {
	if s, ok := c.stmts[query]; ok {
		return s, nil
	}
	s, err := c.c.PrepareContext(background, query)
	if err != nil {
		return nil, explain(c.path, err)
	}
	c.stmts[query] = s
	return s, nil
}

// exec runs a statement once, without keeping it.
func (c *conn) exec(query string) error {
	_, err := c.c.ExecContext(background, query)
	return explain(c.path, err)
}

// run runs a prepared statement.
func (c *conn) run(query string, args ...any) (sql.Result, error) {
	s, err := c.prepared(query)
	if err != nil {
		return nil, err
	}
	res, err := s.ExecContext(background, args...)
	return res, explain(c.path, err)
}

// row reads the only row of a query; ok is false if there is none.
func (c *conn) row(dest []any, query string, args ...any) (ok bool, err error) {
	err = c.each(dest, func() bool { ok = true; return false }, query, args...)
	return ok, err
}

// each scans every row of a query into dest and calls fn until it returns
// false.
func (c *conn) each(dest []any, fn func() bool, query string, args ...any) error {
	s, err := c.prepared(query)
	if err != nil {
		return err
	}
	rows, err := s.QueryContext(background, args...)
	if err != nil {
		return explain(c.path, err)
	}
	for rows.Next() {
		if err = rows.Scan(dest...); err != nil || !fn() {
			break
		}
	}
	return explain(c.path, errors.Join(err, rows.Err(), rows.Close()))
}

// explain gives an error of SQLite the name of the file and what to do.
func explain(path string, err error) error {
	var se *sqlite.Error
	if err == nil || !errors.As(err, &se) {
		return err
	}
	switch se.Code() & 0xff {
	case sqlite3.SQLITE_FULL:
		return fmt.Errorf("%s: %w; make room, it goes on by itself: %w", path, roster.ErrFull, err)
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		return damaged(path, err.Error())
	case sqlite3.SQLITE_CONSTRAINT:
		return fmt.Errorf("%s: %w", path, err)
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
