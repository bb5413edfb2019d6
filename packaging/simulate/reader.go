package simulate

import (
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"sync"

	"doorsync/firmware-bridge/driver"
	"doorsync/protocol"
)

// kind is what a model of reader can do and hold.
type kind struct {
	name                        string
	nameLen, cards, room        int
	pin, fingers, inactive, get bool
	dates                       bool     // keeps validities itself
	log                         bool     // watches and keeps a log
	controller                  bool     // holds cards, not people
	doors                       []string // of a controller: the groups that each opens for
}

// kinds are the models. A reader is swapped for another by its number.
func kinds() []kind {
	return []kind{
		{name: "terminal", nameLen: 24, cards: 3, room: 500, pin: true, fingers: true, inactive: true, get: true, log: true, dates: true},
		{name: "plain", nameLen: 16, cards: 2, room: 500, pin: true, inactive: true},
		{name: "single", nameLen: 10, cards: 1, room: 500, pin: true, fingers: true, inactive: true, get: true},
		{name: "cards", nameLen: 8, cards: 4, room: 500, get: true, log: true},
		{name: "small", nameLen: 24, cards: 1, room: 6, pin: true, inactive: true, log: true, get: true},
		{name: "controller", room: 500, get: true, log: true, dates: true, controller: true},
		{name: "hotel", nameLen: 12, cards: 2, room: 500, pin: true, get: true, dates: true},
	}
}

// reader is one simulated reader: a table, a log, and people standing before it.
type reader struct {
	w          *World
	site, name string
	groups     []string
	dice       *dice

	mu       sync.Mutex
	kind     kind
	serial   int
	table    map[string]driver.Row
	marks    []*mark
	removed  map[string]bool // rows that somebody else than the site's agent took away
	cleared  map[string]bool // rows that an agent has deleted
	homes    map[string]bool // rows that somebody enrolled here
	notices  []string        // the log: keys of what changed
	first    int             // number of the oldest notice kept
	watching map[*session]func(driver.Notice)
	down     bool // does not answer
	half     bool // answers half
	touchy   bool // somebody types whenever the agent has just looked
	calm     bool
	typed    int
}

// mark is one thing that a person entered at the reader and nowhere else.
type mark struct {
	key   string
	field protocol.Field
	value protocol.Value
	cred  protocol.CredentialKey
	seen  *session // that has read it last
	told  bool     // it is in the site's journal, or the journal says why not
}

func (m *mark) in(r driver.Row) bool {
	if m.cred != "" {
		return r.User.Has(m.cred)
	}
	return r.User.Value(m.field) == m.value
}

func (m *mark) String() string {
	if m.cred != "" {
		return m.cred.String()
	}
	return string(m.field) + " " + m.field.Show(m.value)
}

func newReader(w *World, site, name string, k int, groups []string) *reader {
	r := &reader{
		w: w, site: site, name: name, groups: groups, dice: newDice(w.sc.Seed, "reader "+site+"/"+name),
		kind: kinds()[k], serial: 100 + k, table: map[string]driver.Row{}, removed: map[string]bool{}, cleared: map[string]bool{},
		homes: map[string]bool{}, watching: map[*session]func(driver.Notice){},
	}
	r.kind.doors = groups
	return r
}

func (r *reader) who() string { return r.site + "/" + r.name }

// project is what this model can hold of a user.
func (k kind) project(u protocol.User) ([]driver.Row, []driver.LeftOut) {
	if k.controller {
		return k.cardRows(u)
	}
	row := driver.Row{Key: u.ID, User: protocol.User{ID: u.ID, Values: map[protocol.Field]protocol.Value{}}}
	var left []driver.LeftOut
	if n := []rune(u.FullName()); len(n) > 0 {
		if len(n) > k.nameLen {
			left = append(left, driver.LeftOut{Field: protocol.FieldName, Reason: "cut"})
		}
		row.User.Values[protocol.FieldName] = protocol.Text(string(n[:min(len(n), k.nameLen)]))
	}
	if p := u.Value(protocol.FieldPIN).First; p != "" && k.pin {
		row.User.Values[protocol.FieldPIN] = protocol.Value{First: p}
	} else if p != "" {
		left = append(left, driver.LeftOut{Field: protocol.FieldPIN, Reason: "no PINs here"})
	}
	if v := u.Value(protocol.FieldValidity); k.dates && !v.IsNull() {
		row.User.Values[protocol.FieldValidity] = v
	}
	if !u.Active() && k.inactive {
		row.User.Values[protocol.FieldState] = protocol.Text(protocol.StateInactive)
	}
	cards := 0
	for _, c := range u.Credentials {
		switch {
		case c.Kind == protocol.KindCard && cards < k.cards:
			cards++
			row.User.Credentials = append(row.User.Credentials, c)
		case c.Kind == protocol.KindFingerprint && k.fingers:
			row.User.Credentials = append(row.User.Credentials, c)
		default:
			left = append(left, driver.LeftOut{Credential: c.Key(), Reason: "no room"})
		}
	}
	return []driver.Row{row}, left
}

// typing is what a person does to one row.
type typing struct {
	key          string
	name, pin    string
	dates        protocol.Value
	card, nocard uint64
	finger       []byte
	enroll       bool // also somebody whom the reader does not hold
}

// person lets somebody type at the reader.
func (r *reader) person(t typing) {
	r.mu.Lock()
	if r.down {
		r.mu.Unlock()
		r.w.tell(r.who(), "is dark, nobody can type")
		return
	}
	if r.kind.controller {
		r.otherSoftware(t)
		return
	}
	row, ok := r.table[t.key]
	if !ok && (!t.enroll || len(r.table) >= r.kind.room) {
		r.mu.Unlock()
		return
	}
	if !ok {
		row = driver.Row{Key: t.key, User: protocol.User{ID: t.key}}
		r.homes[t.key] = true
	}
	row.User = row.User.Clone()
	if row.User.Values == nil {
		row.User.Values = map[protocol.Field]protocol.Value{}
	}
	r.typedName(&row, t)
	r.typedCards(&row, t)
	r.table[t.key] = row
	r.w.tell(r.who(), "somebody types: user %s is %q, %s%s", t.key, row.User.FullName(), cardsOf(row.User), newcomer(ok))
	r.changed(t.key)
}

func newcomer(known bool) string {
	if known {
		return ""
	}
	return " (new here)"
}

func (r *reader) typedName(row *driver.Row, t typing) {
	set := func(f protocol.Field, v protocol.Value) {
		row.User.Values[f] = v
		r.marks = append(r.marks, &mark{key: t.key, field: f, value: v})
	}
	if t.name != "" {
		set(protocol.FieldName, protocol.Text(t.name))
	}
	if t.pin != "" && r.kind.pin {
		set(protocol.FieldPIN, protocol.Value{First: t.pin})
	}
	if !t.dates.IsNull() && r.kind.dates {
		row.User.Values[protocol.FieldValidity] = t.dates
	}
}

func (r *reader) typedCards(row *driver.Row, t typing) {
	cards, rest := row.User.OfKind(protocol.KindCard), row.User.OfKind(protocol.KindFingerprint)
	if t.card != 0 && !row.User.Has(protocol.Card(t.card).Key()) {
		cards = append([]protocol.Credential{protocol.Card(t.card)}, cards...)
		cards = cards[:min(len(cards), r.kind.cards)]
	}
	if t.nocard != 0 {
		cards = slices.DeleteFunc(cards, func(c protocol.Credential) bool { return c.Key() == protocol.Card(t.nocard).Key() })
	}
	if len(t.finger) > 0 && r.kind.fingers {
		f := protocol.Fingerprint("sim", 5, t.finger)
		rest = append([]protocol.Credential{f}, rest...)
		r.marks = append(r.marks, &mark{key: t.key, cred: f.Key()})
	}
	row.User.Credentials = slices.Concat(cards, rest)
}

func cardsOf(u protocol.User) string {
	var out []string
	for _, c := range u.Credentials {
		out = append(out, c.String())
	}
	return fmt.Sprint(out)
}

// changed lets the reader tell of a change; it unlocks the reader.
func (r *reader) changed(keys ...string) {
	r.notices = append(r.notices, keys...)
	if over := len(r.notices) - 40; over > 0 {
		r.notices, r.first = r.notices[over:], r.first+over
	}
	var tell []func(driver.Notice)
	for _, f := range r.watching {
		if r.calm || !r.dice.in(100) {
			tell = append(tell, f)
		}
	}
	r.mu.Unlock()
	for _, f := range tell {
		for _, key := range keys {
			f(driver.Notice{Kind: driver.NoticeChanged, Key: key})
		}
	}
}

// takeAway lets a person delete a user at the reader.
func (r *reader) takeAway(key string) {
	r.mu.Lock()
	if r.kind.controller {
		key = cardRow + key
	}
	if _, ok := r.table[key]; !ok || r.down {
		r.mu.Unlock()
		return
	}
	delete(r.table, key)
	r.unmark(key)
	r.removed[key] = true
	r.w.tell(r.who(), "somebody deletes user %s", key)
	r.changed(key)
}

func (r *reader) unmark(key string) {
	r.marks = slices.DeleteFunc(r.marks, func(m *mark) bool { return m.key == key })
}

// forget empties the table, or puts another device in its place.
func (r *reader) forget(swap int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for key := range r.table {
		r.removed[key] = true
	}
	r.table, r.marks = map[string]driver.Row{}, nil // whose home it is the agent remembers
	if swap < 0 {
		r.w.tell(r.who(), "forgets everything")
		return
	}
	r.homes = map[string]bool{}
	if next := kinds()[swap]; !next.controller && !r.kind.controller { // nobody puts one in place of the other
		r.kind = next
		r.kind.doors = r.groups
	}
	r.serial += 1000
	r.notices, r.first = nil, 0
	r.w.tell(r.who(), "is swapped for a %s", r.kind.name)
}

func (r *reader) set(change func(r *reader)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	change(r)
}

// rows is a copy of the table.
func (r *reader) rows() map[string]driver.Row {
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.table)
}

// told notes what the site's journal says about this reader's rows.
func (r *reader) told(user string, e *protocol.Edit, all bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, m := range r.marks {
		if m.key == user && (all || e != nil && m.of(e)) {
			m.told = true
		}
	}
}

func (m *mark) of(e *protocol.Edit) bool {
	if m.cred != "" {
		return slices.ContainsFunc(e.Given, func(c protocol.Credential) bool { return c.Key() == m.cred })
	}
	return e.Values[m.field] == m.value
}

func (r *reader) cursor() []byte {
	return binary.BigEndian.AppendUint64(nil, uint64(r.serial)<<32|uint64(r.first+len(r.notices)))
}
