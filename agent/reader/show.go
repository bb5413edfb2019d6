package reader

import (
	"doorsync/firmware-bridge/driver"
	"doorsync/protocol"
)

// label is what a reader shows of a user in place of the name.
type label struct {
	t     *driver.Template
	user  protocol.User
	plain protocol.Value // the name alone, in the form this reader can hold
}

// labeled is the user with the text that the reader shows for a name.
func (l *line) labeled(u protocol.User) protocol.User {
	if l.o.Show == nil {
		return u
	}
	u = u.Clone()
	if u.Values == nil {
		u.Values = map[protocol.Field]protocol.Value{}
	}
	u.Values[protocol.FieldName] = protocol.Text(l.o.Show.Show(u))
	return u
}

// labelOf is nil at a reader that shows names as they are.
func (l *line) labelOf(u protocol.User, key string) *label {
	if l.o.Show == nil {
		return nil
	}
	b := &label{t: l.o.Show, user: u}
	rows, _ := l.proj.Project(u)
	for _, r := range rows {
		if r.Key == key {
			b.plain = r.User.Value(protocol.FieldName)
		}
	}
	return b
}

// read puts the name in place of the text that somebody edited. Where nobody can
// tell what of it is the name, the text is no edit: unclear says so, and the
// reader is given what it should show. Nor is it one where the reader shows the
// name alone, as it did before it was told to show more.
func (b *label) read(e *protocol.Edit, want *driver.Held) (unclear bool) {
	v, edited := e.Values[protocol.FieldName]
	if b == nil || !edited {
		return false
	}
	delete(e.Values, protocol.FieldName)
	if v == b.plain {
		return false
	}
	// A text that was cut says nothing of what stood where it ends.
	whole := want != nil && want.Values[protocol.FieldName].First == b.t.Show(b.user)
	name, ok := b.t.NameIn(b.user, v.First)
	if !whole || !ok {
		return true
	}
	if name != b.user.FullName() {
		e.Values[protocol.FieldName] = protocol.Text(name)
	}
	return false
}
