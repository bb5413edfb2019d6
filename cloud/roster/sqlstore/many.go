package sqlstore

import "strings"

// together is how many rows one statement takes at most. A statement costs more
// than what it does with a row; what is left over goes eight and one at a time,
// so that there are three statements to prepare and not thirty-two.
const together = 32

// many runs a statement over rows, as many at a time as there are. args appends
// the values of one row.
func many[R any](c *conn, query, row string, rows []R, args func([]any, *R) []any) error {
	values := make([]any, 0, min(len(rows), together)*strings.Count(row, "?"))
	for len(rows) > 0 {
		n := atOnce(len(rows))
		values = values[:0]
		for i := range rows[:n] {
			values = args(values, &rows[i])
		}
		if _, err := c.run(query+marks(n, row), values...); err != nil {
			return err
		}
		rows = rows[n:]
	}
	return nil
}

func atOnce(left int) int {
	switch {
	case left >= together:
		return together
	case left >= 8:
		return 8
	default:
		return 1
	}
}

// marks repeats what stands for a value or a row.
func marks(n int, one string) string { return strings.Repeat(one+",", n-1) + one }
