package sqlstore

import "strings"

// together is how many rows one statement takes at most. A statement costs more
// than what it does with a row; what is left over goes eight and one at a time,
// so that there are three statements to prepare and not thirty-two.
const (
	together = 32
	some     = 8
)

// bulk is a statement that takes rows, for each number of rows in a statement.
type bulk struct{ one, few, full string }

func newBulk(query string, columns int) bulk {
	row := "(" + marks(columns, "?") + ")"
	return bulk{query + row, query + marks(some, row), query + marks(together, row)}
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

// many runs a statement over rows, as many at a time as there are. bind binds the
// values of one row.
func many[R any](c *conn, b *bulk, rows []R, bind func(*stmt, *R)) error {
	return each(c, b, rows, bind, nil)
}

// put is many where rows may be there already: those are put one at a time, with
// one. added is told of the others, if it is not nil.
func put[R any](c *conn, b *bulk, rows []R, bind func(*stmt, *R), one func(*R) error, added func([]R) error) error {
	if len(rows) == 1 {
		return one(&rows[0])
	}
	return each(c, b, rows, bind, func(some []R, inserted int) error {
		switch {
		case inserted < len(some): // which of them cannot be told
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

// each runs the statement over rows; done is told how many of which were written.
func each[R any](c *conn, b *bulk, rows []R, bind func(*stmt, *R), done func(some []R, inserted int) error) error {
	for len(rows) > 0 {
		query, n := b.fits(len(rows))
		some := rows[:n]
		inserted, err := c.runWith(query, func(s *stmt) {
			for i := range some {
				bind(s, &some[i])
			}
		})
		if err == nil && done != nil {
			err = done(some, inserted)
		}
		if err != nil {
			return err
		}
		rows = rows[n:]
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
