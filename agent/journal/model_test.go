package journal

import (
	"maps"
	"slices"

	"doorsync/protocol"
)

// model is what a journal should hold, in plain maps and with every answer
// worked out anew from all of it.
type model struct {
	records  map[string]modelRecord // by GUID
	pending  []protocol.Entry
	revision uint64
	last     uint64
	revoked  map[protocol.CredentialKey]bool
}

type modelRecord struct {
	rec   protocol.Record
	ids   []string
	since uint64 // the last entry when it came
}

var (
	modelIDs   = []string{"1", "2", "10", "a"}
	modelCards = []protocol.Credential{protocol.Card(1), protocol.Card(2), protocol.Card(3)}
)

// somebody is a person as the model sees them.
type somebody struct {
	key    string // GUID, or the ID of somebody new
	id     string
	record protocol.Record
}

// found returns the record that an ID finds.
func (m *model) found(id string) (found modelRecord, guid string, rank int) {
	rank = -1
	for _, g := range slices.Sorted(maps.Keys(m.records)) {
		r := m.records[g]
		if n := rankOf(r.rec, slices.Index(r.ids, id) == 0); slices.Contains(r.ids, id) && n > rank {
			found, guid, rank = r, g, n
		}
	}
	return found, guid, rank
}

func (m *model) under(id string) (who somebody, live, tomb bool) {
	found, guid, rank := m.found(id)
	own := m.enrolled(id)
	switch {
	case len(own) > 0 && !(rank >= 0 && found.rec.Removed && own[0].number <= found.since):
		return m.newcomer(id, own), true, false
	case rank >= 0 && !found.rec.Removed:
		return m.lived(guid, found), true, false
	}
	return somebody{}, false, rank >= 0
}

// enrolled are the edits of the last who was enrolled under an ID.
func (m *model) enrolled(id string) (out []pendingEdit) {
	for _, e := range m.edits(id) {
		if e.edit.New {
			out = nil
		}
		if e.edit.New || out != nil {
			out = append(out, e)
		}
	}
	return out
}

func (m *model) edits(id string) (out []pendingEdit) {
	for _, e := range m.pending {
		if e.UserID == id {
			out = append(out, pendingEdit{number: e.Number, stamp: e.Stamp, edit: e.Edit})
		}
	}
	return out
}

func (m *model) newcomer(id string, edits []pendingEdit) somebody {
	return somebody{key: "new " + id, id: id, record: lay(protocol.Record{}, edits)}
}

func (m *model) lived(guid string, r modelRecord) somebody {
	var edits []pendingEdit
	for _, id := range r.ids {
		if _, g, _ := m.found(id); g == guid && len(m.enrolled(id)) == 0 {
			edits = append(edits, m.edits(id)...)
		}
	}
	return somebody{key: guid, id: r.ids[0], record: lay(r.rec, edits)}
}

func lay(base protocol.Record, edits []pendingEdit) protocol.Record {
	var said []protocol.Contribution
	for _, e := range edits {
		said = append(said, e.edit.Contribution(e.stamp, protocol.DefaultRules()))
	}
	if len(said) == 0 {
		return base
	}
	return protocol.Overlay(base, said, protocol.DefaultRules())
}

// everybody who lives, also those who stand back behind another of their ID.
func (m *model) everybody() (out []somebody) {
	for _, g := range slices.Sorted(maps.Keys(m.records)) {
		if r := m.records[g]; !r.rec.Removed && len(r.ids) > 0 {
			out = append(out, m.lived(g, r))
		}
	}
	for _, id := range modelIDs {
		if who, ok, _ := m.under(id); ok && who.record.GUID == "" {
			out = append(out, who)
		}
	}
	return out
}

func (m *model) holders(k protocol.CredentialKey) (out []somebody) {
	for _, who := range m.everybody() {
		if h, ok := who.record.Credential(k); ok && h.Active() {
			out = append(out, who)
		}
	}
	return out
}

// take says what becomes of an edit.
func (m *model) take(e protocol.Edit) protocol.Edit {
	who, live, _ := m.under(e.UserID)
	e.New = !live
	for _, c := range e.Given {
		other := slices.ContainsFunc(m.holders(c.Key()), func(h somebody) bool { return !live || h.key != who.key })
		if (m.revoked[c.Key()] || other) && !slices.Contains(e.Refused, c.Key()) {
			e.Refused = append(e.Refused, c.Key())
		}
	}
	return e
}

// notKept is what does not stand of an edit once it is laid over the rest.
func (m *model) notKept(e protocol.Edit, at protocol.Stamp) []protocol.NotKept {
	who, _, _ := m.under(e.UserID)
	rules := protocol.DefaultRules()
	said := e.Contribution(at, rules)
	return e.NotKept(protocol.Overlay(who.record, []protocol.Contribution{said}, rules), rules)
}

func (m *model) settle(upTo uint64) {
	m.pending = slices.DeleteFunc(m.pending, func(e protocol.Entry) bool { return e.Number <= upTo })
}

func (m *model) store(g string, rec protocol.Record, ids []string) {
	rec.GUID = g
	m.records[g] = modelRecord{rec: rec, ids: ids, since: m.last}
}
