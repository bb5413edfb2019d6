package sqlstore

import (
	"cmp"
	"fmt"

	"github.com/google/uuid"

	"doorsync/cloud/roster"
	"doorsync/protocol"
)

// guidValue is a GUID as it stands in tables that have many: 16 bytes. What is
// not written as GUIDs are stays text.
func guidValue(guid string) any {
	if len(guid) == 36 {
		if id, err := uuid.Parse(guid); err == nil && id.String() == guid {
			return id[:]
		}
	}
	return guid
}

// storedGUID is where a GUID is read to, whichever of the two it is.
type storedGUID string

func (g *storedGUID) scan(v any) bool {
	switch v := v.(type) {
	case string:
		*g = storedGUID(v)
		return true
	case []byte:
		id, err := uuid.FromBytes(v)
		*g = storedGUID(id.String())
		return err == nil
	default:
		return false
	}
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
		"SELECT "+namedColumns+" FROM named WHERE guid = ? ORDER BY source, identity", guidValue(guid))
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

// PutNamed is roster.SourceWriter's.
func (t tx) PutNamed(s protocol.Source, rows []roster.SourceUser) error {
	name := any(string(s))
	return many(t.c, &putNamed, rows, func(args []any, r *roster.SourceUser) []any {
		return append(args, name, r.Identity[:], int64(r.Digest), guidValue(r.GUID))
	})
}

// DropNamed is roster.SourceWriter's.
func (t tx) DropNamed(s protocol.Source, ids []roster.Identity) error {
	for i := range ids {
		if _, err := t.c.run("DELETE FROM named WHERE source = ? AND identity = ?", string(s), ids[i][:]); err != nil {
			return err
		}
	}
	return nil
}
