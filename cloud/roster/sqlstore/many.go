package sqlstore

import (
	"database/sql/driver"
	"strings"
)

// together is how many rows one statement takes at most. A statement costs more
// than what it does with a row; what is left over goes eight and one at a time,
// so that there are three statements to prepare and not thirty-two.
const (
	together = 32
	some     = 8
)

// bulk is a statement that takes rows, for each number of rows in a statement.
type bulk struct {
	columns        int
	one, few, full string
}

func newBulk(query string, columns int) bulk {
	row := "(" + marks(columns, "?") + ")"
	return bulk{columns, query + row, query + marks(some, row), query + marks(together, row)}
}

// The statements that bulk up. One that may be undone halfway copies every page
// it touches, so none may: OR FAIL leaves the rows before the one that failed, and
// the transaction is undone.
var (
	insertUsers = newBulk("INSERT OR FAIL INTO users (seq, guid, sort, revision, search, head, record, contributions) VALUES ", 8)
	addEvents   = newBulk("INSERT OR FAIL INTO events ("+eventColumns+") VALUES ", 8)
	addVerdicts = newBulk("INSERT OR FAIL INTO verdicts (site, epoch, number, event, user_id, detail) VALUES ", 6)
	putKeys     = newBulk("INSERT OR IGNORE INTO keys (hash, guid) VALUES ", 2)
	newIDs      = newBulk("INSERT OR IGNORE INTO ids ("+idColumns+") VALUES ", 6)
	newHolders  = newBulk("INSERT OR IGNORE INTO creds (key, guid) VALUES ", 2)
	putNamers   = newBulk("INSERT OR IGNORE INTO namers (guid, source, identity) VALUES ", 3)
	newNamed    = newBulk("INSERT OR IGNORE INTO named ("+namedColumns+") VALUES ", 4)
)

// many runs a statement over rows, as many at a time as there are. args appends
// the values of one row.
func many[R any](c *conn, b *bulk, rows []R, args func([]any, *R) []any) error {
	return b.each(c, len(rows), func(values []any, i int) []any { return args(values, &rows[i]) }, nil)
}

// put is many where rows may be there already: those are put one at a time, with
// one. added is told of the others, if it is not nil.
func put[R any](c *conn, b *bulk, rows []R, args func([]any, *R) []any, one func(*R) error, added func([]R) error) error {
	if len(rows) == 1 {
		return one(&rows[0])
	}
	values := func(values []any, i int) []any { return args(values, &rows[i]) }
	return b.each(c, len(rows), values, func(from, n int, res driver.Result) error {
		some := rows[from : from+n]
		inserted, err := res.RowsAffected()
		switch {
		case err != nil:
			return err
		case int(inserted) < n: // which of them cannot be told
			for i := range some {
				if err := one(&some[i]); err != nil {
					return err
				}
			}
			return nil
		case added != nil:
			return added(some)
		default:
			return nil
		}
	})
}

// each runs the statement over n rows; args appends the values of the row i, and
// done is told what came of which rows.
func (b *bulk) each(c *conn, n int, args func([]any, int) []any, done func(from, n int, res driver.Result) error) error {
	values := make([]any, 0, min(n, together)*b.columns)
	for i := 0; i < n; {
		from := i
		query, rows := b.fits(n - i)
		for values = values[:0]; i < from+rows; i++ {
			values = args(values, i)
		}
		res, err := c.run(query, values...)
		if err == nil && done != nil {
			err = done(from, rows, res)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (b *bulk) fits(left int) (query string, rows int) {
	switch {
	case left >= together:
		return b.full, together
	case left >= some:
		return b.few, some
	default:
		return b.one, 1
	}
}

// marks repeats what stands for a value or a row.
func marks(n int, one string) string { return strings.Repeat(one+",", n-1) + one }
