package journal

import (
	"fmt"
	"slices"

	"doorsync/protocol"
)

// notKept returns what does not stand of an edit that was just taken in: what
// Edit.NotKept says of the whole record, worked out from the fields that it is
// about alone.
func (t *txn) notKept(main *protocol.Entry, p *person) ([]protocol.NotKept, error) {
	if !p.known && len(p.edits) == 0 || len(main.Edit.Values) == 0 {
		return nil, nil // nobody could hold a value otherwise
	}
	var rec protocol.Record
	if p.known {
		var err error
		if rec, err = t.j.codec.UnmarshalValues(p.change.Record); err != nil {
			return nil, t.j.damaged(fmt.Errorf("user %s: %w", p.change.GUID, err))
		}
	}
	now := pendingOf(main.Number, main.Stamp, main.Edit)
	base := make(map[protocol.Field]protocol.Holding, 4)
	said := protocol.Contribution{Source: protocol.SourceReaders, Values: make(map[protocol.Field]protocol.Said, 4)}
	for _, f := range fieldsAbout(main.Edit) {
		if h, ok := rec.Values[f]; ok {
			base[f] = h
		}
		say(said, f, p.id, p.edits)
		say(said, f, p.id, []pendingEdit{now})
	}
	rules := t.m.settings.Rules
	return main.Edit.NotKept(protocol.Record{Values: protocol.OverlayValues(base, said, rules)}, rules), nil
}

// fieldsAbout are the fields that decide whether an edit's values stand: a name
// may be held whole or in parts.
func fieldsAbout(e *protocol.Edit) []protocol.Field {
	out := make([]protocol.Field, 0, len(e.Values)+2)
	for f := range e.Values {
		out = append(out, f)
		if f == protocol.FieldName {
			out = append(out, protocol.FieldFirstName, protocol.FieldLastName)
		}
	}
	return out
}

// say states what edits of this site, in order, come to for one field. Their
// stamps grow with their numbers, so only the first and the last word on it can
// count.
func say(c protocol.Contribution, f protocol.Field, id string, edits []pendingEdit) {
	for i := range edits {
		if v, ok := edits[i].said(f, id); ok {
			c.Set(f, v, edits[i].stamp)
			break
		}
	}
	for i := range slices.Backward(edits) {
		if v, ok := edits[i].said(f, id); ok {
			c.Set(f, v, edits[i].stamp)
			return
		}
	}
}

// said is what the edit says of a field: an empty value says nothing, and a user
// ID only an enrollment.
func (p *pendingEdit) said(f protocol.Field, id string) (protocol.Value, bool) {
	if f == protocol.FieldUserID {
		return protocol.Text(id), p.new
	}
	for _, v := range p.values {
		if v.field == f {
			return v.value, !v.value.Trimmed().IsNull()
		}
	}
	return protocol.Value{}, false
}
