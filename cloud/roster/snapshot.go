package roster

import (
	"context"

	"doorsync/protocol/wire"
)

// snapshotCursor is where a snapshot goes on. Everything in it is as of the
// first page: users that change meanwhile come again, after the last page.
type snapshotCursor struct {
	Roster   string `cbor:"r"`
	Revision uint64 `cbor:"n"`
	Epoch    string `cbor:"e"`
	Journal  uint64 `cbor:"j"`
	After    string `cbor:"a"`
}

// snapshot fills in a page of all users that the site is given. Until the last
// page the site holds no revision, and drops none of its own edits.
func (r *Roster) snapshot(ctx context.Context, out *wire.Changes, m moment, cursor []byte, maxBytes int) error {
	at := snapshotCursor{Roster: m.meta.Roster, Revision: m.meta.Revision, Epoch: m.site.Epoch, Journal: m.taken}
	var c snapshotCursor
	if len(cursor) > 0 && r.codec.Unmarshal(cursor, &c) == nil && c.resumes(m) {
		at = c
		out.Settings = nil
		if max(m.meta.Settings, m.site.Settings) > at.Revision {
			out.Settings = m.settings
		}
	}
	out.Page = &wire.Page{After: at.After}
	size, full := 0, false
	err := r.store.View(ctx, func(v View) error {
		return v.UsersFrom(at.After, func(u *UserRow) bool {
			if !m.scope.sees(u) {
				at.After = u.GUID
				return true
			}
			c := m.scope.change(u)
			if size += changeSize(&c); size > maxBytes && len(out.Users) > 0 {
				full = true
				return false
			}
			out.Users = append(out.Users, c)
			at.After = u.GUID
			return true
		})
	})
	if err != nil {
		return err
	}
	if !full {
		out.To, out.Journal = at.Revision, at.Journal
		if m.site.Epoch != at.Epoch {
			out.Journal = 0
		}
		out.More = at.Revision < m.meta.Revision
		return nil
	}
	out.More, out.Page.UpTo = true, at.After
	out.Page.Cursor, err = r.codec.Marshal(at)
	return err
}

// resumes tells that the snapshot is still the one this site needs.
func (c *snapshotCursor) resumes(m moment) bool {
	return c.Roster == m.meta.Roster && c.Revision <= m.meta.Revision && c.Revision >= m.site.Scope
}
