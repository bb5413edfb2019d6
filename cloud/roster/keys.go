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

// of is the value of a key that is said of a user, by whatever says a field.
func (k Key) of(said func(protocol.Field) string) string {
	if k == KeyFullName {
		return cmp.Or(protocol.JoinName(said(protocol.FieldFirstName), said(protocol.FieldLastName)), said(protocol.FieldName))
	}
	return said(protocol.Field(k))
}

// KeyValues are the values of a key in a row, as they are written.
func (w *Word) KeyValues(k Key) []string {
	switch k {
	case KeySyncID:
		return filled(w.SyncID)
	case KeyCredential:
		out := make([]string, len(w.Credentials))
		for i, c := range w.Credentials {
			out[i] = string(c.Key())
		}
		return out
	default:
		return filled(k.of(func(f protocol.Field) string { return w.Values[f].First }))
	}
}

func filled(s string) []string {
	if strings.TrimSpace(s) == "" {
		return nil
	}
	return []string{s}
}

// keyValues gathers values of keys.
type keyValues []keyValue

func (vs *keyValues) add(k Key, value string) {
	if value = Fold(value); value != "" {
		*vs = append(*vs, keyValue{k, value})
	}
}

func (vs *keyValues) sorted() []keyValue {
	slices.SortFunc(*vs, compareKeyValue)
	return slices.Compact(*vs)
}

// values are all values of keys by which a user is found, sorted: of every source
// the latest word on each, unless it was withdrawn. Every user ID that finds the
// user is one. Sync IDs are not said of users, but of rows.
func (p *keyPlan) values(cs []protocol.Contribution, ids []IDRow) []keyValue {
	var out keyValues
	for _, c := range cs {
		for _, k := range p.of[c.Source] {
			if k != KeyCredential {
				out.add(k, k.of(func(f protocol.Field) string { return c.Values[f].Latest.Value.First }))
				continue
			}
			for key, e := range c.Credentials {
				if e.State == protocol.Given {
					out.add(k, string(key))
				}
			}
		}
	}
	if len(cs) > 0 {
		p.addIDs(&out, ids)
	}
	return out.sorted()
}

func (p *keyPlan) addIDs(out *keyValues, ids []IDRow) {
	if !slices.Contains(p.inUse, KeyUserID) {
		return
	}
	for _, row := range ids {
		out.add(KeyUserID, row.ID)
	}
}

// plainValues is values for a user of whom the record tells all.
func (p *keyPlan) plainValues(u *user) []keyValue {
	var out keyValues
	for _, k := range p.of[u.row.Known[0]] {
		if k != KeyCredential {
			out.add(k, k.of(func(f protocol.Field) string { return u.record.Values[f].Value.First }))
			continue
		}
		for i, h := range u.record.Credentials {
			if h.By[0].State == protocol.Given {
				out.add(k, string(u.keys[i]))
			}
		}
	}
	p.addIDs(&out, u.ids)
	return out.sorted()
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
	switch {
	case !u.row.sought():
	case u.plain:
		after = p.plainValues(u)
	default:
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
