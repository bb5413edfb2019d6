package roster

import (
	"cmp"
	"slices"
)

// recent keeps the users changed last, as sites get them, so that a site that
// keeps up is served without asking the store. It covers every revision after
// floor. It is guarded by the state's lock.
type recent struct {
	floor uint64
	limit int // bytes
	size  int
	rows  []*recentRow
	last  map[string]*recentRow // by GUID
}

// recentRow is a user as of one revision; stale when a later one is kept too.
type recentRow struct {
	UserRow
	stale bool
}

// recentBytes is how much is kept: a few times what is under way to a site.
const recentBytes = 24 << 20

func newRecent(floor uint64) recent {
	return recent{floor: floor, limit: recentBytes, last: map[string]*recentRow{}}
}

// add takes in the users that a commit gave revisions.
func (c *recent) add(users []*user) {
	from := len(c.rows)
	for _, u := range users {
		if !u.claimed {
			continue
		}
		row := &recentRow{UserRow: u.row}
		row.Contributions = nil
		if old := c.last[row.GUID]; old != nil {
			old.stale = true
		}
		c.last[row.GUID] = row
		c.rows = append(c.rows, row)
		c.size += row.weight()
	}
	slices.SortFunc(c.rows[from:], func(a, b *recentRow) int { return cmp.Compare(a.Revision, b.Revision) })
	drop := 0
	for c.size > c.limit && drop < len(c.rows) {
		row := c.rows[drop]
		c.size -= row.weight()
		c.floor = row.Revision
		if c.last[row.GUID] == row {
			delete(c.last, row.GUID)
		}
		drop++
	}
	if drop > 0 {
		c.rows = append([]*recentRow(nil), c.rows[drop:]...)
	}
}

func (r *recentRow) weight() int { return 512 + len(r.Record) }

// covers reports whether everything after a revision is here.
func (c *recent) covers(after uint64) bool { return after >= c.floor }

// since calls fn with the users of later revisions, in order of revision.
func (c *recent) since(after uint64, fn func(*UserRow) bool) {
	from, _ := slices.BinarySearchFunc(c.rows, after+1, func(r *recentRow, rev uint64) int { return cmp.Compare(r.Revision, rev) })
	for _, r := range c.rows[from:] {
		if !r.stale && !fn(&r.UserRow) {
			return
		}
	}
}

// Own reports whether all that changed after a revision was changed by the site
// itself, and so is no news to it. False when memory does not reach back so far.
func (r *Roster) Own(site string, after uint64) bool {
	s := r.state
	s.mu.RLock()
	defer s.mu.RUnlock()
	row, ok := s.sites[site]
	if !ok || after >= s.meta.Revision || !s.recent.covers(after) || after < max(s.meta.Settings, row.Settings, row.Scope) {
		return false
	}
	own := true
	s.recent.since(after, func(u *UserRow) bool {
		own = u.ChangedBy == site && u.Foreign <= after && u.Site == ""
		return own
	})
	return own
}
