package sqlstore

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"strings"

	"github.com/google/uuid"

	"doorsync/cloud/roster"
	"doorsync/protocol"
)

// guidValue is a GUID as it stands in tables that have many: 16 bytes. What is
// not written as GUIDs are stays text.
func guidValue(guid string) any {
	var to [16]byte
	if !packGUID(&to, guid) {
		return guid
	}
	return to[:]
}

// guid binds what guidValue is.
func (s *stmt) guid(guid string) {
	var to [16]byte
	if packGUID(&to, guid) {
		s.blob(to[:])
	} else {
		s.text(guid)
	}
}

func packGUID(to *[16]byte, guid string) bool {
	if len(guid) != 36 || guid[8] != '-' || guid[13] != '-' || guid[18] != '-' || guid[23] != '-' {
		return false
	}
	at := 0
	for i := range to {
		if i == 4 || i == 6 || i == 8 || i == 10 {
			at++
		}
		high, low := hexDigit(guid[at]), hexDigit(guid[at+1])
		if high|low > 15 {
			return false
		}
		to[i] = high<<4 | low
		at += 2
	}
	return true
}

// hexDigit is what a digit stands for, over 15 if it is none. Only small letters
// are: what is read is what was written.
func hexDigit(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10
	default:
		return 255
	}
}

// storedGUID is where a GUID is read to, whichever of the two it is.
type storedGUID string

func (g *storedGUID) fromBytes(b []byte) bool {
	id, err := uuid.FromBytes(b)
	*g = storedGUID(id.String())
	return err == nil
}

// SourceRows is roster.SourceReader's.
func (v view) SourceRows() ([]roster.SourceRow, error) {
	var b []byte
	var out []roster.SourceRow
	var bad error
	err := v.c.each([]any{&b}, func() bool {
		var r roster.SourceRow
		bad = v.decode(b, &r, "a source")
		out = append(out, r)
		return bad == nil
	}, "SELECT row FROM sources ORDER BY name")
	return out, cmp.Or(err, bad)
}

// namedScan is where a row that names somebody is read to.
type namedScan struct {
	source   string
	identity []byte
	digest   uint64
	guid     storedGUID
}

const namedColumns = "source, identity, digest, guid"

func (s *namedScan) dest() []any { return []any{&s.source, &s.identity, &s.digest, &s.guid} }

func (s *namedScan) row() roster.NamedUser {
	out := roster.NamedUser{Source: protocol.Source(s.source)}
	copy(out.Identity[:], s.identity)
	out.Digest, out.GUID = s.digest, string(s.guid)
	return out
}

// Named is roster.SourceReader's.
func (v view) Named(source protocol.Source, after roster.Identity, fn func(roster.SourceUser) bool) error {
	var s namedScan
	return v.c.each(s.dest(), func() bool { return fn(s.row().SourceUser) },
		"SELECT "+namedColumns+" FROM named WHERE source = ? AND identity > ? ORDER BY identity", string(source), after[:])
}

// NamedOne is roster.SourceReader's.
func (v view) NamedOne(source protocol.Source, id roster.Identity) (roster.SourceUser, bool, error) {
	var s namedScan
	ok, err := v.c.row(s.dest(), "SELECT "+namedColumns+" FROM named WHERE source = ? AND identity = ?", string(source), id[:])
	return s.row().SourceUser, ok, err
}

// NamedBy is roster.SourceReader's.
func (v view) NamedBy(guid string) ([]roster.NamedUser, error) {
	var s namedScan
	var out []roster.NamedUser
	err := v.c.each(s.dest(), func() bool { out = append(out, s.row()); return true },
		"SELECT source, identity, digest, named.guid FROM namers JOIN named USING (source, identity) WHERE namers.guid = ? ORDER BY source, identity",
		guidValue(guid))
	return out, err
}

// PutSource is roster.SourceWriter's.
func (t tx) PutSource(r roster.SourceRow) error {
	b, err := t.codec.Marshal(r)
	if err != nil {
		return fmt.Errorf("write source %s: %w", r.Name, err)
	}
	_, err = t.c.run("INSERT OR REPLACE INTO sources (name, row) VALUES (?,?)", string(r.Name), b)
	return err
}

// DropSource is roster.SourceWriter's.
func (t tx) DropSource(s protocol.Source) error {
	_, err := t.c.run("DELETE FROM sources WHERE name = ?", string(s))
	return err
}

// Named is roster.SourceReader's, of what was written so far as well.
func (t tx) Named(source protocol.Source, after roster.Identity, fn func(roster.SourceUser) bool) error {
	if err := t.s.delayed.named.flush(); err != nil {
		return err
	}
	return t.view.Named(source, after, fn)
}

// NamedOne is roster.SourceReader's, of what was written so far as well.
func (t tx) NamedOne(source protocol.Source, id roster.Identity) (roster.SourceUser, bool, error) {
	if err := t.s.delayed.named.flush(); err != nil {
		return roster.SourceUser{}, false, err
	}
	return t.view.NamedOne(source, id)
}

// NamedBy is roster.SourceReader's, of what was written so far as well.
func (t tx) NamedBy(guid string) ([]roster.NamedUser, error) {
	if err := errors.Join(t.s.delayed.named.flush(), t.s.delayed.namers.flush()); err != nil {
		return nil, err
	}
	return t.view.NamedBy(guid)
}

// PutNamed is roster.SourceWriter's.
func (t tx) PutNamed(s protocol.Source, rows []roster.SourceUser) error {
	named := make([]roster.NamedUser, len(rows))
	for i, r := range rows {
		named[i] = roster.NamedUser{Source: s, SourceUser: r}
	}
	return t.s.delayed.named.add(named, false)
}

// DropNamed is roster.SourceWriter's.
func (t tx) DropNamed(s protocol.Source, ids []roster.Identity) error {
	named := make([]roster.NamedUser, len(ids))
	for i, id := range ids {
		named[i] = roster.NamedUser{Source: s, SourceUser: roster.SourceUser{Identity: id}}
	}
	return t.s.delayed.named.add(named, true)
}

func compareNamed(a, b roster.NamedUser) int {
	if order := strings.Compare(string(a.Source), string(b.Source)); order != 0 {
		return order
	}
	return bytes.Compare(a.Identity[:], b.Identity[:])
}

func compareNamers(a, b roster.NamedUser) int {
	if order := strings.Compare(a.GUID, b.GUID); order != 0 {
		return order
	}
	return compareNamed(a, b)
}

func bindNamed(s *stmt, r *roster.NamedUser) {
	s.text(string(r.Source))
	s.blob(r.Identity[:])
	s.int(int64(r.Digest))
	s.guid(r.GUID)
}

// writeNamed writes rows, and leaves the index by user to be written later.
func (d *delayed) writeNamed(rows []roster.NamedUser) error {
	return put(d.c, &newNamed, rows, bindNamed, d.replaceNamed, func(added []roster.NamedUser) error {
		return d.namers.add(added, false)
	})
}

// replaceNamed writes a row that may be there. Most stay with whom they name, and
// then the index is not changed; it is told all the same, for the row may have
// come just now.
func (d *delayed) replaceNamed(r *roster.NamedUser) error {
	same, err := d.c.run("UPDATE named SET digest = ? WHERE source = ? AND identity = ? AND guid = ?",
		int64(r.Digest), string(r.Source), r.Identity[:], guidValue(r.GUID))
	if err != nil {
		return err
	}
	if same == 0 {
		if err := d.dropNamed([]roster.NamedUser{*r}); err != nil {
			return err
		}
		_, err := d.c.runWith("INSERT INTO named ("+namedColumns+") VALUES (?,?,?,?)", func(s *stmt) { bindNamed(s, r) })
		if err != nil {
			return err
		}
	}
	return d.namers.add([]roster.NamedUser{*r}, false)
}

// dropNamed drops rows, and whom they named from the index.
func (d *delayed) dropNamed(rows []roster.NamedUser) error {
	for i := range rows {
		r := rows[i]
		var was storedGUID
		ok, err := d.c.row([]any{&was}, "DELETE FROM named WHERE source = ? AND identity = ? RETURNING guid", string(r.Source), r.Identity[:])
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		r.GUID = string(was)
		if err := d.namers.add([]roster.NamedUser{r}, true); err != nil {
			return err
		}
	}
	return nil
}

func writeNamers(c *conn, rows []roster.NamedUser) error {
	return many(c, &putNamers, rows, func(s *stmt, r *roster.NamedUser) {
		s.guid(r.GUID)
		s.text(string(r.Source))
		s.blob(r.Identity[:])
	})
}

func dropNamers(c *conn, rows []roster.NamedUser) error {
	for i := range rows {
		r := &rows[i]
		_, err := c.run("DELETE FROM namers WHERE guid = ? AND source = ? AND identity = ?", guidValue(r.GUID), string(r.Source), r.Identity[:])
		if err != nil {
			return err
		}
	}
	return nil
}
