package roster

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"doorsync/protocol"
)

// keyPlan is what of every source's words is in the index of global keys.
type keyPlan struct {
	of     map[protocol.Source][]Key
	inUse  []Key // by any added source, sorted
	syncID bool
}

// planOf is nil while no added source has a key selected. The office and the
// readers are looked up by all keys that any added source uses, unless an
// administrator selected some.
func planOf(rows map[protocol.Source]SourceRow) *keyPlan {
	p := &keyPlan{of: map[protocol.Source][]Key{}}
	for name, row := range rows {
		if builtIn(name) {
			continue
		}
		p.of[name] = row.Keys
		p.inUse = append(p.inUse, row.Keys...)
	}
	slices.Sort(p.inUse)
	if p.inUse = slices.Compact(p.inUse); len(p.inUse) == 0 {
		return nil
	}
	for _, s := range []protocol.Source{protocol.SourceOffice, protocol.SourceReaders} {
		p.of[s] = p.inUse
		if keys := rows[s].Keys; len(keys) > 0 {
			p.of[s] = keys
		}
	}
	p.syncID = slices.Contains(p.inUse, KeySyncID)
	return p
}

func builtIn(s protocol.Source) bool {
	return s == protocol.SourceOffice || s == protocol.SourceReaders
}

func (p *keyPlan) equal(o *keyPlan) bool {
	if p == nil || o == nil {
		return p == o
	}
	return maps.EqualFunc(p.of, o.of, func(a, b []Key) bool {
		return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
	})
}

// keyValue is one value of one key, folded.
type keyValue struct {
	key   Key
	value string
}

func (v keyValue) hash() KeyHash { return v.key.Hash(v.value) }

func compareKeyValue(a, b keyValue) int {
	return cmp.Or(strings.Compare(string(a.key), string(b.key)), strings.Compare(a.value, b.value))
}

// valuesOf are the values of a key in what a source says about a user: the latest
// word on each, unless it was withdrawn.
func valuesOf(c protocol.Contribution, k Key) []string {
	said := func(f protocol.Field) string { return c.Values[f].Latest.Value.First }
	switch k {
	case KeySyncID: // not said of the user, but of the row
		return nil
	case KeyFullName:
		return []string{cmp.Or(protocol.JoinName(said(protocol.FieldFirstName), said(protocol.FieldLastName)), said(protocol.FieldName))}
	case KeyCredential:
		var out []string
		for key, e := range c.Credentials {
			if e.State == protocol.Given {
				out = append(out, string(key))
			}
		}
		return out
	default:
		return []string{said(protocol.Field(k))}
	}
}

// KeyValues are the values of a key in a row, as they are written.
func (w *Word) KeyValues(k Key) []string {
	said := func(f protocol.Field) string { return w.Values[f].First }
	switch k {
	case KeySyncID:
		return filled(w.SyncID)
	case KeyFullName:
		return filled(cmp.Or(protocol.JoinName(said(protocol.FieldFirstName), said(protocol.FieldLastName)), said(protocol.FieldName)))
	case KeyCredential:
		out := make([]string, len(w.Credentials))
		for i, c := range w.Credentials {
			out[i] = string(c.Key())
		}
		return out
	default:
		return filled(said(protocol.Field(k)))
	}
}

func filled(s string) []string {
	if strings.TrimSpace(s) == "" {
		return nil
	}
	return []string{s}
}

// values are all values of keys by which a user is found, sorted. Every user ID
// that finds the user is one.
func (p *keyPlan) values(cs []protocol.Contribution, ids []IDRow) []keyValue {
	var out []keyValue
	add := func(k Key, value string) {
		if value = Fold(value); value != "" {
			out = append(out, keyValue{k, value})
		}
	}
	for _, c := range cs {
		for _, k := range p.of[c.Source] {
			for _, value := range valuesOf(c, k) {
				add(k, value)
			}
		}
	}
	if len(cs) > 0 && slices.Contains(p.inUse, KeyUserID) {
		for _, row := range ids {
			add(KeyUserID, row.ID)
		}
	}
	slices.SortFunc(out, compareKeyValue)
	return slices.Compact(out)
}

// sought tells whether a user is found by keys at all.
func (r *UserRow) sought() bool { return r.live() && r.Site == "" }

// keyChanges are rows of the index that come and go.
type keyChanges struct{ put, drop []KeyRow }

// of adds what the transaction changed of a user.
func (c *keyChanges) of(u *user, p *keyPlan) {
	var before, after []keyValue
	if u.was.Handle != 0 && u.was.sought() {
		before = p.values(slices.Concat(u.said, u.saidElements), u.idsBefore())
	}
	if u.row.sought() {
		after = p.values(u.contributions, u.ids)
	}
	for len(before) > 0 || len(after) > 0 {
		switch order := compareHeads(before, after); {
		case order == 0:
			before, after = before[1:], after[1:]
		case order < 0:
			c.drop = append(c.drop, KeyRow{before[0].hash(), u.row.GUID})
			before = before[1:]
		default:
			c.put = append(c.put, KeyRow{after[0].hash(), u.row.GUID})
			after = after[1:]
		}
	}
}

func compareHeads(a, b []keyValue) int {
	switch {
	case len(a) == 0:
		return 1
	case len(b) == 0:
		return -1
	}
	return compareKeyValue(a[0], b[0])
}

// idsBefore are user IDs that found the user before, as the row knows them.
func (u *user) idsBefore() []IDRow {
	out := make([]IDRow, len(u.was.IDs))
	for i, id := range u.was.IDs {
		out[i].ID = id
	}
	return out
}

func (c *keyChanges) write(tx Tx) error {
	if len(c.drop) > 0 {
		if err := tx.DropKeys(c.drop); err != nil {
			return err
		}
	}
	if len(c.put) == 0 {
		return nil
	}
	slices.SortFunc(c.put, func(a, b KeyRow) int { return cmp.Compare(a.Key, b.Key) })
	return tx.PutKeys(c.put)
}
