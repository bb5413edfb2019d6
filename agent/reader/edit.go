package reader

import (
	"maps"
	"slices"
	"strings"

	"doorsync/firmware-bridge/driver"
	"doorsync/protocol"
)

const duress = "|duress"

// editOf is what somebody changed at the reader: the parts of the row that
// equal neither what it held when last seen, nor what was about to be written,
// nor what it should hold. Values a reader shows empty say nothing.
func editOf(have driver.Row, mem *memory, want *driver.Held) (e protocol.Edit, own []shown) {
	e.Values = map[protocol.Field]protocol.Value{}
	known := mem.sides(want)
	for f, v := range have.User.Values {
		if v.IsNull() || f == protocol.FieldUserID || holdsValue(known, f, v) {
			continue
		}
		if wrote, ok := mem.wrote(f); ok && cutFrom(v, wrote) {
			own = append(own, shown{Field: f, Wrote: wrote, Reads: v})
			continue
		}
		e.Values[f] = v
	}
	for _, c := range have.User.Credentials {
		if !holdsCredential(known, string(c.Key()), c.Duress) {
			e.Given = append(e.Given, c)
		}
	}
	e.Withdrawn = withdrawn(have, mem, want)
	return e, own
}

// sides are the rows that a part may equal without being an edit.
func (m *memory) sides(want *driver.Held) []*driver.Held {
	var out []*driver.Held
	if want != nil {
		out = append(out, want)
	}
	if m != nil && m.Held != nil {
		out = append(out, m.Held)
	}
	if m != nil && m.Intent != nil {
		out = append(out, m.Intent)
	}
	return out
}

func holdsValue(sides []*driver.Held, f protocol.Field, v protocol.Value) bool {
	return slices.ContainsFunc(sides, func(h *driver.Held) bool { return h.Values[f] == v })
}

func holdsCredential(sides []*driver.Held, key string, underThreat bool) bool {
	if underThreat {
		key += duress
	}
	return slices.ContainsFunc(sides, func(h *driver.Held) bool { return slices.Contains(h.Credentials, key) })
}

// wrote is a value that the agent has written and not read back yet.
func (m *memory) wrote(f protocol.Field) (protocol.Value, bool) {
	switch {
	case m == nil:
		return protocol.Value{}, false
	case m.Intent != nil:
		v := m.Intent.Values[f]
		return v, !v.IsNull()
	case m.Unread && m.Held != nil:
		v := m.Held.Values[f]
		return v, !v.IsNull()
	default:
		return protocol.Value{}, false
	}
}

// cutFrom reports whether a reader that holds less than its projection promised
// would show wrote as v: shortened, or with characters replaced that it lacks.
func cutFrom(v, wrote protocol.Value) bool {
	if v.Second != wrote.Second || v.First == "" {
		return false
	}
	got, put := []rune(v.First), []rune(wrote.First)
	if len(got) > len(put) {
		return false
	}
	for i, r := range got {
		if r != put[i] && put[i] < 0x80 {
			return false
		}
	}
	return true
}

// withdrawn are the credentials that were at the reader, should be there, and
// are gone.
func withdrawn(have driver.Row, mem *memory, want *driver.Held) []protocol.CredentialKey {
	if mem == nil || mem.Held == nil || mem.Unread || want == nil {
		return nil
	}
	var out []protocol.CredentialKey
	for _, s := range mem.Held.Credentials {
		k := protocol.CredentialKey(strings.TrimSuffix(s, duress))
		if have.User.Has(k) || !want.HasCredential(k) || (mem.Intent != nil && !mem.Intent.HasCredential(k)) {
			continue
		}
		out = append(out, k)
	}
	return out
}

// describe names what an edit changed, without saying to what.
func describe(e protocol.Edit) string {
	var parts []string
	for _, f := range slices.Sorted(maps.Keys(e.Values)) {
		parts = append(parts, string(f))
	}
	for _, c := range e.Given {
		parts = append(parts, c.String())
	}
	for _, k := range e.Withdrawn {
		parts = append(parts, "without "+k.String())
	}
	return strings.Join(parts, ", ")
}

// names lists the fields of values that the reader shows otherwise.
func names(own []shown) string {
	var out []string
	for _, s := range own {
		out = append(out, string(s.Field))
	}
	slices.Sort(out)
	return strings.Join(out, ", ")
}
