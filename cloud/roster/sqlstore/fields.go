package sqlstore

import "doorsync/protocol"

// FieldRows is roster.FieldReader's.
func (v view) FieldRows() ([]protocol.Custom, error) {
	var b []byte
	var out []protocol.Custom
	var bad error
	err := v.c.each([]any{&b}, func() bool {
		var c protocol.Custom
		bad = v.decode(b, &c, "a custom value")
		out = append(out, c)
		return bad == nil
	}, "SELECT row FROM fields ORDER BY name")
	if err == nil {
		err = bad
	}
	return out, err
}

// PutFieldRow is roster.FieldWriter's.
func (t tx) PutFieldRow(c protocol.Custom) error {
	b, err := t.codec.Marshal(c)
	if err != nil {
		return err
	}
	_, err = t.c.run("INSERT OR REPLACE INTO fields (name, row) VALUES (?,?)", string(c.Field), b)
	return err
}

// DropFieldRow is roster.FieldWriter's.
func (t tx) DropFieldRow(f protocol.Field) error {
	_, err := t.c.run("DELETE FROM fields WHERE name = ?", string(f))
	return err
}
