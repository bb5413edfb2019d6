package simulate

import (
	"slices"
	"strings"

	"doorsync/firmware-bridge/driver"
	"doorsync/protocol"
)

// A controller has a table without people: a row for each card, with the dates
// between which it opens and the doors that it opens. Nobody can type at it; it
// is edited by other software.

const cardRow = "card:"

// doorsOf are the doors of a controller, by the groups that they open for.
func doorsOf(groups []string) map[int][]string {
	out := map[int][]string{}
	for i, g := range groups {
		out[i+1] = []string{g}
	}
	return out
}

// cardRows is what a controller can hold of a user.
func (k kind) cardRows(u protocol.User) (rows []driver.Row, left []driver.LeftOut) {
	doors := map[int]uint8{}
	for door, open := range doorsOf(k.doors) {
		if slices.ContainsFunc(open, func(g string) bool { return slices.Contains(u.Groups, g) }) {
			doors[door] = 1
		}
	}
	if u.FullName() != "" {
		left = append(left, driver.LeftOut{Field: protocol.FieldName, Reason: "no names here"})
	}
	if !u.Active() || len(doors) == 0 {
		return nil, left
	}
	for _, c := range u.OfKind(protocol.KindCard) {
		rows = append(rows, cardOnly(c, doors, u.Value(protocol.FieldValidity)))
	}
	return rows, left
}

func cardOnly(c protocol.Credential, doors map[int]uint8, dates protocol.Value) driver.Row {
	row := driver.Row{Key: cardRow + c.Number, Doors: doors, User: protocol.User{Credentials: []protocol.Credential{c}, Values: map[protocol.Field]protocol.Value{}}}
	if !dates.IsNull() {
		row.User.Values[protocol.FieldValidity] = dates
	}
	return row
}

// otherSoftware is what an edit of somebody at a terminal is at a controller: a
// card is put there, taken away, or given other dates. The reader is locked; it
// is unlocked.
func (r *reader) otherSoftware(t typing) {
	number, changed := t.card, true
	switch {
	case t.card != 0:
		key := cardRow + protocol.Card(t.card).Number
		row, ok := r.table[key]
		if ok { // opens another door as well
			row.Doors = map[int]uint8{1: 1, 2: 1}
		} else {
			row = cardOnly(protocol.Card(t.card), map[int]uint8{1: 1}, protocol.Value{})
			r.homes[key] = true
		}
		r.table[key] = row
	case t.nocard != 0:
		number = t.nocard
		key := cardRow + protocol.Card(number).Number
		_, changed = r.table[key]
		r.removed[key] = r.removed[key] || changed
		delete(r.table, key)
	case !t.dates.IsNull():
		row, ok := r.table[cardRow+t.key]
		if changed = ok; ok {
			r.table[cardRow+t.key] = cardOnly(row.User.Credentials[0], row.Doors, t.dates)
		}
		t.key = strings.TrimPrefix(t.key, cardRow)
	default:
		changed = false
	}
	if !changed {
		r.mu.Unlock()
		return
	}
	key := cardRow + t.key
	if number != 0 {
		key = cardRow + protocol.Card(number).Number
	}
	r.w.tell(r.who(), "other software changes %s: %v", key, r.table[key].User.Values)
	r.changed(key)
}

// checkController: every card of everybody whose groups reach a door there opens
// that door, between the right dates, and no other card opens any that somebody
// is known to hold, or that is revoked. A card that nobody holds may stay.
func (w *World) checkController(a *agent, r *reader, users map[string]protocol.User) {
	where, rows := a.who+"/"+r.name, r.rows()
	for _, id := range sortedKeys(users) {
		want, _ := r.kind.cardRows(users[id])
		for _, row := range want {
			have, ok := rows[row.Key]
			delete(rows, row.Key)
			switch {
			case !ok:
				w.fault("%s lacks %s of user %s", where, row.Key, shown(users[id]))
			case !have.Equal(row):
				w.fault("%s has %s for doors %v; must be %s for %v", where, shown(have.User), have.Doors, shown(row.User), row.Doors)
			}
		}
	}
	for _, key := range sortedKeys(rows) {
		card := rows[key].User.Credentials[0].Key()
		if _, revoked := w.model.gone[card]; revoked {
			w.fault("%s holds %s, which is revoked", where, key)
		}
		for id, u := range users {
			if u.Has(card) && len(u.Groups) > 0 {
				w.fault("%s holds %s of user %s, for whom no door opens there", where, key, id)
			}
		}
		if !r.homes[key] {
			w.fault("%s holds %s, which nobody put there", where, key)
		}
	}
}
