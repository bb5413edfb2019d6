package roster

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// replan lets the index of global keys follow the sources. Whom it has is found
// in it only when all users were looked at anew, in the background.
func (w *work) replan() error {
	rows := w.sourcesNow()
	plan := planOf(rows)
	if plan.equal(w.keys) {
		return nil
	}
	w.keys, w.meta.Reindex = plan, nil
	if plan != nil {
		start := ""
		w.meta.Reindex = &start
	}
	return w.tx.ClearKeys()
}

// Reindexing tells that the index of global keys is not complete.
func (r *Roster) Reindexing() bool { return r.state.metaNow().Reindex != nil }

// Reindex completes the index of global keys, some users a transaction, so that
// nobody waits for long.
func (r *Roster) Reindex(ctx context.Context) error {
	for r.Reindexing() {
		if err := r.update(ctx, (*work).reindex); err != nil {
			return fmt.Errorf("index users by global keys: %w", err)
		}
	}
	return nil
}

// reindex looks at the next users.
func (w *work) reindex() error {
	if w.meta.Reindex == nil {
		return nil
	}
	if w.keys == nil {
		w.meta.Reindex = nil
		return nil
	}
	w.passing = true
	var rows []UserRow
	err := w.tx.UsersFrom(*w.meta.Reindex, func(u *UserRow) bool {
		rows = append(rows, UserRow{GUID: u.GUID, Removed: u.Removed, MergedInto: u.MergedInto, Site: u.Site})
		return len(rows) < atMostUsers
	})
	if err != nil {
		return err
	}
	var c keyChanges
	began, n := time.Now(), 0
	for n < len(rows) && (n == 0 || !w.late(n, time.Since(began))) {
		if err := w.index(&c, &rows[n]); err != nil {
			return err
		}
		n++
	}
	w.meta.Reindex = nil
	if len(rows) == atMostUsers || n < len(rows) {
		w.meta.Reindex = &rows[n-1].GUID
	}
	return c.write(w.tx)
}

// index adds a user's rows to the index.
func (w *work) index(c *keyChanges, row *UserRow) error {
	if !row.sought() {
		return nil
	}
	u, err := w.outline(row.GUID)
	if err != nil {
		return err
	}
	if slices.Contains(w.keys.inUse, KeyCredential) {
		if err := u.complete(w.r.codec); err != nil {
			return err
		}
	}
	for _, v := range w.keys.values(u.contributions, u.ids) {
		c.put = append(c.put, KeyRow{v.hash(), row.GUID})
	}
	if !w.keys.syncID {
		return nil
	}
	named, err := w.tx.NamedBy(row.GUID)
	for _, n := range named {
		if slices.Contains(w.keys.of[n.Source], KeySyncID) {
			c.put = append(c.put, KeyRow{n.Identity.hash(), row.GUID})
		}
	}
	return err
}
