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
	recent   *batch         // what comes after, if memory has it all
}

// at reads the memory for a site that holds revision after, and what comes after
// that up to maxBytes, if memory has it.
func (r *Roster) at(site string, after uint64, maxBytes int) (moment, error) {
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
	if maxBytes > 0 && s.recent.covers(after) {
		m.recent = &batch{maxBytes: maxBytes}
		s.recent.since(after, func(u *UserRow) bool { return m.recent.add(m.scope.change(u), u.Revision) })
	}
	return m, nil
}

// batch is the users of one message.
type batch struct {
	maxBytes, size int
	users          []wire.Change
	to             uint64 // revision of the last one
	more           bool   // others did not fit
}

// add takes a user in, if there is room.
func (b *batch) add(c wire.Change, revision uint64) bool {
	if b.size += changeSize(&c); b.size > b.maxBytes && len(b.users) > 0 {
		b.more = true
		return false
	}
	b.users, b.to = append(b.users, c), revision
	return true
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
	m, err := r.at(site, after, maxBytes)
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
	b, newer := m.recent, false
	if b == nil {
		b = &batch{maxBytes: maxBytes}
		err := r.store.View(ctx, func(v View) error {
			return v.UsersSince(after, func(u *UserRow) bool {
				if newer = u.Revision > m.meta.Revision; newer {
					return false
				}
				c := m.scope.change(u)
				return b.add(c, u.Revision)
			})
		})
		if err != nil {
			return err
		}
	}
	out.Users = b.users
	switch {
	case b.more:
		out.To, out.More = b.to, true
	case newer:
		out.More = true
	default:
		out.Journal = m.taken
	}
	// Otherwise Journal stays 0: a user may have been changed by the site and
	// then again since; it is missing here, comes with its later revision, and
	// the site must keep its own edit laid over until then.
	return nil
}

// change is the user as this site gets it. The record is the row's.
func (s *scope) change(u *UserRow) wire.Change {
	if u.MergedInto != "" || (u.Removed == 0 && !s.sees(u)) || (u.Removed != 0 && u.Site != "" && u.Site != s.site) {
		return wire.Change{GUID: u.GUID, Gone: true}
	}
	return u.change()
}

// changeSize is about what a change takes on the wire.
func changeSize(c *wire.Change) int {
	n := 24 + len(c.GUID) + len(c.Record) + 9*len(c.Keys)
	for _, id := range c.IDs {
		n += 2 + len(id)
	}
	return n
}
