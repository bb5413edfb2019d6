package reader

import (
	"time"

	"doorsync/firmware-bridge/driver"
	"doorsync/protocol"
)

// project is what the reader should hold of a user now. For a table that keeps
// no dates the agent keeps them: it makes the user inactive there outside their
// validity, and looks again when that turns.
func (l *line) project(u protocol.User) ([]driver.Row, []driver.LeftOut) {
	u = l.labeled(u)
	rows, left := l.proj.Project(u)
	if u.Value(protocol.FieldValidity).IsNull() || keepsDates(rows) {
		return rows, left
	}
	v, err := protocol.ParseValidity(u.Value(protocol.FieldValidity))
	if err != nil {
		return rows, left
	}
	now := time.Now()
	if t := v.Turns(now); !t.IsZero() && (l.turnsAt.IsZero() || t.Before(l.turnsAt)) {
		l.turnsAt = t
	}
	if v.Includes(now) {
		return rows, left
	}
	u = u.Clone()
	u.Values[protocol.FieldState] = protocol.Text(protocol.StateInactive)
	return l.proj.Project(u)
}

func keepsDates(rows []driver.Row) bool {
	for _, r := range rows {
		if !r.User.Value(protocol.FieldValidity).IsNull() {
			return true
		}
	}
	return false
}
