package reader

import (
	"cmp"
	"slices"
	"strings"

	"doorsync/agent/journal"
	"doorsync/firmware-bridge/driver"
	"doorsync/protocol"
	"doorsync/protocol/wire"
)

// anyGroup among the groups of a door opens it for everybody.
const anyGroup = "*"

// mode is the sync mode in effect at this reader.
func (r *Reader) mode() string {
	if r.o.Mode != "" {
		return r.o.Mode
	}
	if m := r.o.Journal.Settings().Mode; m != "" {
		return m
	}
	return wire.ModeAllReaders
}

// reaches reports whether the user's access groups reach this reader. A table
// that holds door permissions has no place for others in any mode.
func (r *Reader) reaches(u protocol.User) bool {
	if r.mode() != wire.ModeGroups && len(r.o.Doors) == 0 {
		return true
	}
	return r.groups[anyGroup] || slices.ContainsFunc(u.Groups, func(g string) bool { return r.groups[g] })
}

// rowsOf is what the reader should hold of a user, and what it cannot hold.
func (l *line) rowsOf(v journal.View) ([]driver.Row, string) {
	if v.Removed || !l.reaches(v.User) {
		return nil, ""
	}
	rows, left := l.project(v.User)
	rows = slices.DeleteFunc(rows, func(r driver.Row) bool { return r.Key == "" })
	return rows, leftOut(left)
}

// leftOut says in one line what a reader cannot hold of a user.
func leftOut(left []driver.LeftOut) string {
	var parts []string
	for _, l := range left {
		switch {
		case l.Credential != "":
			parts = append(parts, l.Credential.String()+": "+l.Reason)
		case l.Field != "":
			parts = append(parts, string(l.Field)+": "+l.Reason)
		}
	}
	slices.Sort(parts)
	return strings.Join(slices.Compact(parts), "; ")
}

// item is a row to look after. user is whose it may be where neither the reader
// nor memory knows.
type item struct{ key, user string }

func items(keys []string) []item {
	out := make([]item, len(keys))
	for i, k := range keys {
		out[i].key = k
	}
	return out
}

// gather puts together all that is known of a row. read is nil if it is not
// there; assumed means that it was not asked for.
func (l *line) gather(it item, read *driver.Row, assumed bool) (row, error) {
	mem, err := l.recall(it.key)
	if err != nil {
		return row{}, err
	}
	r := row{key: it.key, mem: mem, read: read}
	if read != nil {
		h := read.Lean()
		r.have = &h
	}
	if assumed && mem != nil && !mem.Absent {
		r.have = mem.Held
	}
	view, ok, err := l.owner(it, r)
	if err != nil {
		return row{}, err
	}
	r.known = ok && !view.Removed
	r.user = l.userID(it, r, view)
	if !r.known {
		return r, nil
	}
	r.label = l.labelOf(view.User, it.key)
	rows, _ := l.rowsOf(view)
	// A row that was theirs, and is no more since they got another ID, does not
	// stay.
	if mem != nil && mem.Home && len(view.User.Groups) == 0 && len(rows) == 0 {
		rows, _ = l.project(view.User)
		r.stays = len(rows) == 0 && !l.revoked(r.have)
	}
	for i := range rows {
		if rows[i].Key == it.key {
			h := rows[i].Lean()
			r.want, r.write = &h, &rows[i]
		}
	}
	return r, nil
}

// revoked reports whether a row has a credential that the office has revoked. It
// opens nothing, whoever it is put there for.
func (l *line) revoked(h *driver.Held) bool {
	return h != nil && slices.ContainsFunc(h.Credentials, func(k string) bool {
		return l.o.Journal.Revoked(protocol.CredentialKey(strings.TrimSuffix(k, duress)))
	})
}

// userID is the user ID to journal a row under.
func (l *line) userID(it item, r row, view journal.View) string {
	switch {
	case r.have != nil && r.have.UserID != "":
		return r.have.UserID
	case r.known:
		return view.User.ID
	case r.mem != nil && r.mem.User != "":
		return r.mem.User
	default:
		return it.user
	}
}

// owner finds whose row it is: by the user ID in it, or by its cards in a table
// without user IDs.
func (l *line) owner(it item, r row) (journal.View, bool, error) {
	sides := r.mem.sides(r.have)
	for _, h := range sides {
		if h.UserID != "" {
			return l.user(h.UserID)
		}
	}
	for _, h := range sides {
		for _, k := range h.Credentials {
			id, ok, err := l.o.Journal.Owner(protocol.CredentialKey(strings.TrimSuffix(k, duress)))
			if err != nil {
				return journal.View{}, false, journalError(err)
			}
			if ok {
				return l.user(id)
			}
		}
	}
	if len(sides) > 0 {
		return journal.View{}, false, nil
	}
	return l.user(cmp.Or(it.user, it.key))
}

func (l *line) user(id string) (journal.View, bool, error) {
	v, ok, err := l.o.Journal.User(id)
	return v, ok, journalError(err)
}
