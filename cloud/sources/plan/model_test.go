package plan_test

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"doorsync/cloud/roster"
	"doorsync/protocol"
)

// world is what the roster knows, in memory, and what a file says.
type world struct {
	users map[string]user // by GUID
	named []roster.SourceUser
	rows  []roster.Word // of the file
	bad   []roster.Identity
	keys  []roster.Key
	keep  bool // KeepLost
}

// user has values of keys, each said by others or only by the source itself.
type user struct {
	values map[roster.Key]map[string]bool // true: said by others as well
	into   string                         // merged into
}

func (w *world) Named(after roster.Identity, fn func(roster.SourceUser) bool) error {
	sorted := slices.Clone(w.named)
	slices.SortFunc(sorted, func(a, b roster.SourceUser) int { return slices.Compare(a.Identity[:], b.Identity[:]) })
	for _, u := range sorted {
		if slices.Compare(u.Identity[:], after[:]) > 0 && !fn(u) {
			break
		}
	}
	return nil
}

func (w *world) NamedBy(guid string) ([]roster.SourceUser, error) {
	return slices.DeleteFunc(slices.Clone(w.named), func(u roster.SourceUser) bool { return u.GUID != guid }), nil
}

func (w *world) index() []roster.KeyRow {
	var out []roster.KeyRow
	for guid, u := range w.users {
		for k, values := range u.values {
			for v := range values {
				out = append(out, roster.KeyRow{Key: k.Hash(v), GUID: guid})
			}
		}
	}
	slices.SortFunc(out, func(a, b roster.KeyRow) int {
		return cmp.Or(cmp.Compare(a.Key, b.Key), strings.Compare(a.GUID, b.GUID))
	})
	return out
}

func (w *world) Keys(from roster.KeyHash, fn func(roster.KeyRow) bool) error {
	for _, r := range w.index() {
		if r.Key >= from && !fn(r) {
			break
		}
	}
	return nil
}

func (w *world) KeyHolders(k roster.KeyHash) ([]string, error) {
	var out []string
	for _, r := range w.index() {
		if r.Key == k {
			out = append(out, r.GUID)
		}
	}
	return out, nil
}

func (w *world) Candidate(guid string, k roster.Key, value string) (roster.Candidate, bool, error) {
	for w.users[guid].into != "" {
		guid = w.users[guid].into
	}
	others, ok := w.users[guid].values[k][roster.Fold(value)]
	return roster.Candidate{GUID: guid, UserID: guid[30:], By: k, Own: !others}, ok, nil
}

// found is what a plan comes to, as text: one line for each person, and the lines
// of the file that are undecided.
type found struct {
	persons   []string
	undecided []int
}

func show(guid string, lines []int, lost []roster.Identity) string {
	slices.Sort(lines)
	names := make([]string, len(lost))
	for i, id := range lost {
		names[i] = fmt.Sprintf("%x", id[:4])
	}
	slices.Sort(names)
	return fmt.Sprintf("%s %v %v", guid, lines, names)
}

// node is a row or a user in the graph of who belongs together.
type node struct {
	row  int
	guid string
}

// naive plans without any cleverness.
func (w *world) naive() found {
	m := &naive{w: w, state: map[int]string{}, of: map[int]string{}, group: map[node]node{}, lost: map[string][]roster.Identity{}, held: map[string]bool{}}
	m.join()
	m.link()
	return m.result()
}

type naive struct {
	w     *world
	state map[int]string // of rows: fresh, pinned, touched, same, held
	of    map[int]string // GUID of touched and same rows
	lost  map[string][]roster.Identity
	held  map[string]bool
	group map[node]node
}

func (m *naive) join() {
	count := map[roster.Identity]int{}
	for _, r := range m.w.rows {
		count[r.Identity]++
	}
	for _, id := range m.w.bad {
		count[id] += 2
	}
	known := map[roster.Identity]roster.SourceUser{}
	for _, u := range m.w.named {
		known[u.Identity] = u
		if n := count[u.Identity]; n > 1 && u.GUID != "" {
			m.held[u.GUID] = true
		} else if n == 0 && u.GUID != "" && !u.Absent() && !m.w.keep {
			m.lost[u.GUID] = append(m.lost[u.GUID], u.Identity)
		}
	}
	for i, r := range m.w.rows {
		u, ok := known[r.Identity]
		switch {
		case count[r.Identity] > 1:
			m.state[i] = "held"
		case !ok:
			m.state[i] = "fresh"
		case u.GUID == "":
			m.state[i] = "pinned"
		case u.Digest == r.Digest:
			m.state[i], m.of[i] = "same", u.GUID
		default:
			m.state[i], m.of[i] = "touched", u.GUID
		}
	}
}

func (m *naive) top(n node) node {
	for {
		up, ok := m.group[n]
		if !ok {
			return n
		}
		n = up
	}
}

func (m *naive) unite(a, b node) {
	if a, b = m.top(a), m.top(b); a != b {
		m.group[a] = b
	}
}

// outdated: the source itself said the value of the user, who has rows in this
// file, and none of them says it any more. Changed ones are linked by themselves.
func (m *naive) outdated(guid string, k roster.Key, v string) bool {
	rows := false
	for i, g := range m.of {
		if g != guid {
			continue
		}
		rows = true
		for _, o := range m.w.rows[i].KeyValues(k) {
			if m.state[i] == "same" && roster.Fold(o) == v {
				return false
			}
		}
	}
	return rows && !m.held[guid]
}

func (m *naive) link() {
	for i, guid := range m.of {
		m.unite(node{row: i}, node{-1, guid})
	}
	for i := range m.w.rows {
		if m.state[i] != "fresh" {
			continue
		}
		for _, k := range m.w.keys {
			for _, v := range m.w.rows[i].KeyValues(k) {
				m.linkValue(i, k, roster.Fold(v))
			}
		}
	}
}

func (m *naive) linkValue(i int, k roster.Key, v string) {
	for j := range m.w.rows {
		if m.state[j] != "fresh" && m.state[j] != "touched" {
			continue
		}
		for _, o := range m.w.rows[j].KeyValues(k) {
			if roster.Fold(o) == v {
				m.unite(node{row: i}, node{row: j})
			}
		}
	}
	for guid := range m.w.users {
		if c, ok, _ := m.w.Candidate(guid, k, v); ok && (!c.Own || !m.outdated(c.GUID, k, v)) {
			m.unite(node{row: i}, node{-1, c.GUID})
		}
	}
}

func (m *naive) result() found {
	rows, guids := map[node][]int{}, map[node][]string{}
	for i := range m.w.rows {
		rows[m.top(node{row: i})] = append(rows[m.top(node{row: i})], i)
	}
	for guid := range m.w.users {
		top := m.top(node{-1, guid})
		guids[top] = append(guids[top], guid)
	}
	var out found
	for top, all := range guids {
		out.add(m, rows[top], all)
	}
	for top, all := range rows {
		if len(guids[top]) == 0 {
			out.add(m, all, nil)
		}
	}
	slices.Sort(out.persons)
	slices.Sort(out.undecided)
	return out
}

// add is about rows and users that belong together.
func (f *found) add(m *naive, rows []int, guids []string) {
	var fresh []int
	held := false
	for _, i := range rows {
		switch m.state[i] {
		case "fresh":
			fresh = append(fresh, i+1)
		case "pinned":
			f.persons = append(f.persons, show("", []int{i + 1}, nil))
		}
	}
	for _, g := range guids {
		held = held || m.held[g]
	}
	if len(guids) == 0 && len(fresh) > 0 {
		f.persons = append(f.persons, show("", fresh, nil))
	}
	if len(guids) > 1 && !held {
		f.undecided = append(f.undecided, fresh...)
	}
	for _, g := range guids {
		var lines []int
		changed := len(m.lost[g]) > 0
		for _, i := range rows {
			if m.of[i] == g {
				lines = append(lines, i+1)
				changed = changed || m.state[i] == "touched"
			}
		}
		if len(guids) == 1 && len(fresh) > 0 {
			lines, changed = append(lines, fresh...), true
		}
		gone := len(rows) == 0
		if changed && !m.held[g] && (len(lines) > 0 || gone) {
			f.persons = append(f.persons, show(g, lines, m.lost[g]))
		}
	}
}

// text makes a word of a row.
func text(line int, id, email, name string, card int) roster.Word {
	w := roster.Word{Line: line, SyncID: id, Identity: roster.IdentityOf(id), Values: map[protocol.Field]protocol.Value{}}
	if email != "" {
		w.Values[protocol.FieldEmail] = protocol.Text(email)
	}
	if name != "" {
		w.Values[protocol.FieldFirstName] = protocol.Text(name)
	}
	if card != 0 {
		w.Credentials = []protocol.Credential{protocol.Card(uint64(card))}
	}
	return w
}
