package sqlstore

import "doorsync/cloud/roster"

// MergeOf is roster.MergeReader's.
func (v view) MergeOf(guid string) (roster.MergeRow, bool, error) {
	r := roster.MergeRow{GUID: guid}
	ok, err := v.c.row([]any{&r.Row}, "SELECT row FROM merges WHERE guid = ?", guid)
	return r, ok, err
}

// PutMerge is roster.MergeWriter's.
func (t tx) PutMerge(r roster.MergeRow) error {
	_, err := t.c.run("INSERT OR REPLACE INTO merges (guid, row) VALUES (?,?)", r.GUID, r.Row)
	return err
}

// DropMerge is roster.MergeWriter's.
func (t tx) DropMerge(guid string) error {
	_, err := t.c.run("DELETE FROM merges WHERE guid = ?", guid)
	return err
}

// Groups is roster.GroupReader's.
func (v view) Groups() ([]string, error) {
	var name string
	var out []string
	err := v.c.each([]any{&name}, func() bool { out = append(out, name); return true }, "SELECT name FROM known_groups ORDER BY name")
	return out, err
}

// PutGroup is roster.GroupWriter's.
func (t tx) PutGroup(name string) error {
	_, err := t.c.run("INSERT OR IGNORE INTO known_groups (name) VALUES (?)", name)
	return err
}
