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
type bulk struct {
	columns        int
	one, few, full string
}

func newBulk(query string, columns int) bulk {
	row := "(" + marks(columns, "?") + ")"
	return bulk{columns, query + row, query + marks(some, row), query + marks(together, row)}
}

// The statements that bulk up.
var (
	insertUsers = newBulk("INSERT INTO users (seq, guid, sort, revision, search, head, record, contributions) VALUES ", 8)
	putIDs      = newBulk("INSERT OR REPLACE INTO ids ("+idColumns+") VALUES ", 6)
	putHolders  = newBulk("INSERT OR REPLACE INTO creds (key, guid) VALUES ", 2)
	addEvents   = newBulk("INSERT INTO events ("+eventColumns+") VALUES ", 8)
	addVerdicts = newBulk("INSERT INTO verdicts (site, epoch, number, event, user_id, detail) VALUES ", 6)
	putNamed    = newBulk("INSERT OR REPLACE INTO named ("+namedColumns+") VALUES ", 4)
	putKeys     = newBulk("INSERT OR IGNORE INTO keys (hash, guid) VALUES ", 2)
)

// many runs a statement over rows, as many at a time as there are. args appends
// the values of one row.
func many[R any](c *conn, b *bulk, rows []R, args func([]any, *R) []any) error {
	values := make([]any, 0, min(len(rows), together)*b.columns)
	for len(rows) > 0 {
		query, n := b.fits(len(rows))
		values = values[:0]
		for i := range rows[:n] {
			values = args(values, &rows[i])
		}
		if _, err := c.run(query, values...); err != nil {
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
