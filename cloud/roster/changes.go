package roster

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"doorsync/protocol/wire"
)

// moment is what Changes needs of the memory, all as of one commit.
type moment struct {
	meta     Meta
	site     *SiteRow
	scope    scope
	taken    uint64
	settings *wire.Settings // nil unless newer than after
}

// at reads the memory for a site that holds revision after.
func (r *Roster) at(site string, after uint64) (moment, error) {
	s := r.state
	s.mu.RLock()
	defer s.mu.RUnlock()
	row, ok := s.sites[site]
	if !ok {
		return moment{}, fmt.Errorf("site %q: %w", site, ErrUnknownSite)
	}
	m := moment{meta: s.meta, site: row, scope: r.scopeOf(row), taken: s.epochs[site][row.Epoch].Taken}
	if after < max(s.meta.Settings, row.Settings) || after > s.meta.Revision || after == 0 {
		m.settings = r.settings(row)
	}
	return m, nil
}

// settings is called with the state locked.
func (r *Roster) settings(row *SiteRow) *wire.Settings {
	s := r.state
	out := &wire.Settings{Mode: r.mode(row), Rules: s.meta.Rules, Salt: s.meta.Salt}
	for _, k := range slices.Sorted(maps.Keys(s.revoked)) {
		out.Revoked = append(out.Revoked, wire.RevokedHash(s.meta.Salt, k))
	}
	return out
}

// Changes returns what a site needs after a revision, at most about maxBytes; a
// single larger user goes alone. cursor is Page.Cursor of the page before while
// a snapshot is under way. Pass after 0 to a site that held another roster.
// With nothing to send, Users is empty and From equals To; Journal may have
// moved on all the same (an edit that changed nothing) and is worth sending.
// Session is the caller's to set.
func (r *Roster) Changes(ctx context.Context, site string, after uint64, cursor []byte, maxBytes int) (wire.Changes, error) {
	m, err := r.at(site, after)
	if err != nil {
		return wire.Changes{}, fmt.Errorf("changes: %w", err)
	}
	out := wire.Changes{Roster: m.meta.Roster, Epoch: m.site.Epoch, Stamp: m.meta.Clock, Settings: m.settings}
	if after == 0 || after > m.meta.Revision || after < m.site.Scope || len(cursor) > 0 {
		err = r.snapshot(ctx, &out, m, cursor, maxBytes)
	} else {
		err = r.increment(ctx, &out, m, after, maxBytes)
	}
	if err != nil {
		return wire.Changes{}, fmt.Errorf("changes for site %s: %w", site, err)
	}
	return out, nil
}

// increment fills in the users of later revisions.
func (r *Roster) increment(ctx context.Context, out *wire.Changes, m moment, after uint64, maxBytes int) error {
	out.From, out.To = after, m.meta.Revision
	if after == m.meta.Revision {
		out.Journal = m.taken
		return nil
	}
	size, newer := 0, false
	err := r.store.View(ctx, func(v View) error {
		return v.UsersSince(after, func(u *UserRow) bool {
			if newer = u.Revision > m.meta.Revision; newer {
				return false
			}
			c := m.scope.change(u)
			if size += changeSize(&c); size > maxBytes && len(out.Users) > 0 {
				out.More = true
				return false
			}
			out.Users = append(out.Users, c)
			out.To = u.Revision
			return true
		})
	})
	switch {
	case err != nil:
		return err
	case newer:
		out.To, out.More = m.meta.Revision, true
	case !out.More:
		out.To, out.Journal = m.meta.Revision, m.taken
	}
	// Otherwise Journal stays 0: a user may have been changed by the site and
	// then again since; it is missing here, comes with its later revision, and
	// the site must keep its own edit laid over until then.
	return nil
}

// change is the user as this site gets it; the record is copied, the row is
// borrowed.
func (s *scope) change(u *UserRow) wire.Change {
	if u.MergedInto != "" || (u.Removed == 0 && !s.sees(u)) || (u.Removed != 0 && u.Site != "" && u.Site != s.site) {
		return wire.Change{GUID: u.GUID, Gone: true}
	}
	c := u.change()
	c.Record = append([]byte(nil), u.Record...)
	return c
}

// changeSize is about what a change takes on the wire.
func changeSize(c *wire.Change) int {
	n := 24 + len(c.GUID) + len(c.Record) + 9*len(c.Keys)
	for _, id := range c.IDs {
		n += 2 + len(id)
	}
	return n
}
