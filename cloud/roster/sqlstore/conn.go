package sqlstore

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"strings"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"doorsync/cloud/roster"
)

// conn is one connection with the statements it has prepared. It is used by one
// goroutine at a time. It speaks to the driver itself: what database/sql does
// beside it, a pool and conversions by reflection, costs as much as many of the
// statements.
type conn struct {
	path  string
	c     driver.Conn
	stmts map[string]driver.Stmt
	args  []driver.NamedValue // of the statement that is begun
}

// background is the context of all statements: a transaction ends by its own
// logic, and a cancelable context costs a goroutine a statement.
var background = context.Background()

func newConn(path string, pragmas ...string) (*conn, error) {
	c, err := new(sqlite.Driver).Open(path)
	if err != nil {
		return nil, explain(path, err)
	}
	out := &conn{path: path, c: c, stmts: map[string]driver.Stmt{}}
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
func (c *conn) prepared(query string) (driver.Stmt, error) {
	if s, ok := c.stmts[query]; ok {
		return s, nil
	}
	s, err := c.c.Prepare(query)
	if err != nil {
		return nil, explain(c.path, err)
	}
	c.stmts[query] = s
	return s, nil
}

// exec runs statements once, without keeping them.
func (c *conn) exec(query string) error {
	_, err := c.c.(driver.ExecerContext).ExecContext(background, query, nil)
	return explain(c.path, err)
}

// run runs a prepared statement.
func (c *conn) run(query string, args ...any) (driver.Result, error) {
	s, err := c.prepared(query)
	if err != nil {
		return nil, err
	}
	res, err := s.(driver.StmtExecContext).ExecContext(background, c.bind(args))
	return res, explain(c.path, err)
}

// bind numbers the arguments. They are int64, string, []byte or bool.
func (c *conn) bind(args []any) []driver.NamedValue {
	c.args = c.args[:0]
	for i, a := range args {
		c.args = append(c.args, driver.NamedValue{Ordinal: i + 1, Value: a})
	}
	return c.args
}

// row reads the only row of a query; ok is false if there is none.
func (c *conn) row(dest []any, query string, args ...any) (ok bool, err error) {
	err = c.each(dest, func() bool { ok = true; return false }, query, args...)
	return ok, err
}

// each scans every row of a query into dest and calls fn until it returns
// false. What was scanned is the caller's to keep.
func (c *conn) each(dest []any, fn func() bool, query string, args ...any) error {
	s, err := c.prepared(query)
	if err != nil {
		return err
	}
	rows, err := s.(driver.StmtQueryContext).QueryContext(background, c.bind(args))
	if err != nil {
		return explain(c.path, err)
	}
	row := make([]driver.Value, len(dest))
	for {
		if err = rows.Next(row); err != nil {
			break
		}
		if err = scan(dest, row); err != nil || !fn() {
			break
		}
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return explain(c.path, errors.Join(err, rows.Close()))
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
