package sqlstore

import (
	"strings"

	"doorsync/cloud/roster"
	"doorsync/protocol"
)

const idColumns = "id, site, guid, since, by, until"

func idScan(r *roster.IDRow) []any {
	return []any{&r.ID, &r.Site, &r.GUID, &r.Since, &r.By, &r.Until}
}

// ID is roster.IndexReader's.
func (v view) ID(site, id string) (roster.IDRow, bool, error) {
	var r roster.IDRow
	ok, err := v.c.row(idScan(&r), "SELECT "+idColumns+" FROM ids WHERE id = ? AND site = ?", id, site)
	return r, ok, err
}

// IDsOf is roster.IndexReader's.
func (v view) IDsOf(guid string) ([]roster.IDRow, error) {
	return v.ids("SELECT "+idColumns+" FROM ids WHERE guid = ? ORDER BY since, id, site", guid)
}

// SiteIDs is roster.IndexReader's.
func (v view) SiteIDs() ([]roster.IDRow, error) {
	return v.ids("SELECT " + idColumns + " FROM ids WHERE site <> '' ORDER BY site, id")
}

func (v view) ids(query string, args ...any) ([]roster.IDRow, error) {
	var r roster.IDRow
	var out []roster.IDRow
	err := v.c.each(idScan(&r), func() bool { out = append(out, r); return true }, query, args...)
	return out, err
}

// PutIDs is roster.IndexWriter's.
func (t tx) PutIDs(rows []roster.IDRow) error {
	return put(t.c, &newIDs, rows, bindID, func(r *roster.IDRow) error {
		_, err := t.c.runWith("INSERT OR REPLACE INTO ids ("+idColumns+") VALUES (?,?,?,?,?,?)", func(s *stmt) { bindID(s, r) })
		return err
	}, nil)
}

func bindID(s *stmt, r *roster.IDRow) {
	s.text(r.ID)
	s.text(r.Site)
	s.text(r.GUID)
	s.int(int64(r.Since))
	s.text(r.By)
	s.int(int64(r.Until))
}

// DropID is roster.IndexWriter's.
func (t tx) DropID(site, id string) error {
	_, err := t.c.run("DELETE FROM ids WHERE id = ? AND site = ?", id, site)
	return err
}

// Holder is roster.CredentialReader's.
func (v view) Holder(k protocol.CredentialKey) (string, bool, error) {
	var guid string
	ok, err := v.c.row([]any{&guid}, "SELECT guid FROM creds WHERE key = ?", string(k))
	return guid, ok, err
}

// Revoked is roster.CredentialReader's.
func (v view) Revoked() ([]roster.RevokedRow, error) {
	var r roster.RevokedRow
	var key, before string
	var out []roster.RevokedRow
	dest := []any{&key, &r.GUID, &before, &r.Stamp.Wall, &r.Stamp.Counter, &r.Stamp.Origin, &r.By}
	err := v.c.each(dest, func() bool {
		r.Key, r.Before = protocol.CredentialKey(key), protocol.Giving(before)
		out = append(out, r)
		return true
	}, "SELECT key, guid, before, wall, counter, origin, by FROM revoked ORDER BY wall, counter, origin, key")
	return out, err
}

// Holder is roster.CredentialReader's.
func (t tx) Holder(k protocol.CredentialKey) (string, bool, error) {
	if guid, held, waits := t.s.delayed.holder(k); waits {
		return guid, held, nil
	}
	return t.view.Holder(k)
}

// PutHolders is roster.CredentialWriter's.
func (t tx) PutHolders(rows []roster.HolderRow) error { return t.s.delayed.changeHolders(rows, false) }

// DropHolder is roster.CredentialWriter's.
func (t tx) DropHolder(k protocol.CredentialKey) error {
	return t.s.delayed.changeHolders([]roster.HolderRow{{Key: k}}, true)
}

func compareHolders(a, b roster.HolderRow) int { return strings.Compare(string(a.Key), string(b.Key)) }

func writeHolders(c *conn, rows []roster.HolderRow) error {
	bind := func(s *stmt, r *roster.HolderRow) {
		s.text(string(r.Key))
		s.text(r.GUID)
	}
	return put(c, &newHolders, rows, bind, func(r *roster.HolderRow) error {
		_, err := c.run("INSERT OR REPLACE INTO creds (key, guid) VALUES (?,?)", string(r.Key), r.GUID)
		return err
	}, nil)
}

func dropHolders(c *conn, rows []roster.HolderRow) error {
	for i := range rows {
		if _, err := c.run("DELETE FROM creds WHERE key = ?", string(rows[i].Key)); err != nil {
			return err
		}
	}
	return nil
}

// PutRevoked is roster.CredentialWriter's.
func (t tx) PutRevoked(r roster.RevokedRow) error {
	_, err := t.c.run("INSERT OR REPLACE INTO revoked (key, guid, before, wall, counter, origin, by) VALUES (?,?,?,?,?,?,?)",
		string(r.Key), r.GUID, string(r.Before), r.Stamp.Wall, int64(r.Stamp.Counter), r.Stamp.Origin, r.By)
	return err
}

// DropRevoked is roster.CredentialWriter's.
func (t tx) DropRevoked(k protocol.CredentialKey) error {
	_, err := t.c.run("DELETE FROM revoked WHERE key = ?", string(k))
	return err
}
