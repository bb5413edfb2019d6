package roster

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"doorsync/protocol/wire"
)

// flush writes everything the transaction changed.
func (w *work) flush() error {
	if err := w.flushUsers(); err != nil {
		return err
	}
	if err := w.flushIndex(); err != nil {
		return err
	}
	for _, k := range slices.SortedFunc(maps.Keys(w.epochs), compareSiteID) {
		if err := w.tx.PutEpoch(w.epochs[k]); err != nil {
			return err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(w.sites)) {
		if err := w.tx.PutSite(*w.sites[name]); err != nil {
			return err
		}
	}
	return w.tx.PutMeta(w.meta)
}

// flushUsers writes users, and what happened to them. Users are encoded while
// what was encoded before them, and what stands beside users, is written.
func (w *work) flushUsers() error {
	encoded := make(chan flushing, 4)
	var g errgroup.Group
	g.Go(func() error { return w.encodeUsers(encoded) })
	err := w.writeUsers(encoded)
	for range encoded { // so that the encoder ends, whatever went wrong here
	}
	return errors.Join(g.Wait(), err)
}

// flushing are users ready to be written: whole rows, those of which only the
// contributions changed, and the global keys that came and went.
type flushing struct {
	whole, contributions []*UserRow
	keys                 keyChanges
}

// flushed is how many users are written at a time.
const flushed = 64

// encodeUsers encodes the users that changed, some at a time.
func (w *work) encodeUsers(out chan<- flushing) error {
	defer close(out)
	for some := range slices.Chunk(w.order, flushed) {
		var f flushing
		for _, u := range some {
			changed, err := w.encode(u)
			switch {
			case err != nil:
				return err
			case changed:
				f.whole = append(f.whole, &u.row)
			default:
				f.contributions = append(f.contributions, &u.row)
			}
			if w.keys != nil {
				f.keys.of(u, w.keys)
			}
		}
		out <- f
	}
	return nil
}

func (w *work) writeUsers(encoded <-chan flushing) error {
	if err := w.tx.AddEvents(w.events); err != nil {
		return err
	}
	if err := w.tx.AddVerdicts(w.verdicts); err != nil {
		return err
	}
	if len(w.named) > 0 {
		if err := w.putNamed(w.namedIn, w.named); err != nil {
			return err
		}
	}
	for f := range encoded {
		if err := w.tx.PutUsers(f.whole); err != nil {
			return err
		}
		if err := w.tx.PutContributions(f.contributions); err != nil {
			return err
		}
		if err := f.keys.write(w.tx); err != nil {
			return err
		}
	}
	return nil
}

func compareSiteID(a, b siteID) int {
	return cmp.Or(strings.Compare(a.site, b.site), strings.Compare(a.id, b.id))
}

// encode computes what is stored of a user; changed tells whether more than its
// contributions did. Who introduced a user is no concern of the sites.
func (w *work) encode(u *user) (changed bool, err error) {
	r := &u.row
	r.Contributions = encodeContributions(u.contributions, u.record)
	if r.Record, err = u.encodeRecord(w.r.codec); err != nil {
		return false, fmt.Errorf("encode user %s: %w", r.GUID, err)
	}
	u.describe()
	r.Moved = r.Sort != u.was.Sort
	r.Sum = r.change().Sum()
	if r.Handle != 0 && r.Sum == u.was.Sum && !u.force && !u.claimed {
		return u.introduced, nil
	}
	w.claim(u)
	u.credit()
	return true, nil
}

func (u *user) encodeRecord(codec *wire.Codec) ([]byte, error) {
	if u.whole {
		return codec.Marshal(u.record)
	}
	return codec.MarshalValues(u.record, u.row.Record)
}

// credit notes which site made the change, so that the site is not told later
// what it must have known itself.
func (u *user) credit() {
	r := &u.row
	switch {
	case len(u.touched) > 1:
		r.ChangedBy, r.Foreign = u.touched[len(u.touched)-1], r.Revision
	case u.touched[0] != r.ChangedBy || u.was.Handle == 0:
		r.ChangedBy, r.Foreign = u.touched[0], u.was.Revision
	}
}

func (w *work) flushIndex() error {
	ids := make([]IDRow, 0, len(w.byID)+len(w.siteIDs))
	for _, id := range slices.Sorted(maps.Keys(w.byID)) {
		ids = append(ids, w.byID[id])
	}
	sites := slices.SortedFunc(maps.Keys(w.siteIDs), compareSiteID)
	for _, k := range sites {
		if row := w.siteIDs[k]; row != nil {
			ids = append(ids, *row)
		}
	}
	if err := w.tx.PutIDs(ids); err != nil {
		return err
	}
	for _, id := range slices.Sorted(maps.Keys(w.freed)) {
		if err := w.tx.DropID("", id); err != nil {
			return err
		}
	}
	for _, k := range sites {
		if w.siteIDs[k] != nil {
			continue
		}
		if err := w.tx.DropID(k.site, k.id); err != nil {
			return err
		}
	}
	return w.flushCredentials()
}

func (w *work) flushCredentials() error {
	var held []HolderRow
	for _, k := range slices.Sorted(maps.Keys(w.holders)) {
		if guid := w.holders[k]; guid != "" {
			held = append(held, HolderRow{k, guid})
		} else if err := w.tx.DropHolder(k); err != nil {
			return err
		}
	}
	if err := w.tx.PutHolders(held); err != nil {
		return err
	}
	for _, k := range slices.Sorted(maps.Keys(w.revoked)) {
		var err error
		if row := w.revoked[k]; row != nil {
			err = w.tx.PutRevoked(*row)
		} else {
			err = w.tx.DropRevoked(k)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// absorb takes a committed transaction into memory and wakes who waits for
// commits.
func (r *Roster) absorb(w *work) {
	r.absorbState(w)
	for _, u := range w.users {
		if !w.passing || r.cache.has(u.row.GUID) {
			r.cacheUser(u)
		}
	}
}

func (r *Roster) absorbState(w *work) {
	s := r.state
	s.mu.Lock()
	defer s.mu.Unlock()
	s.meta = w.meta
	if w.spilled != nil {
		s.absorbSpilled(w)
	} else {
		s.recent.add(w.order)
	}
	absorbPointers(s.sources, w.sources)
	maps.Copy(s.groups, w.groups)
	s.keys = w.keys
	maps.Copy(s.sites, w.sites)
	absorbPointers(s.siteIDs, w.siteIDs)
	absorbPointers(s.revoked, w.revoked)
	absorbPointers(s.fields, w.fields)
	for k, row := range w.epochs {
		if s.epochs[k.site] == nil {
			s.epochs[k.site] = map[string]EpochRow{}
		}
		s.epochs[k.site][k.id] = row
	}
	if s.digest != nil {
		for _, u := range w.order {
			toggle(s.digest, u.was)
			toggle(s.digest, &u.row)
		}
	}
	if w.meta.Recompute != nil || w.meta.Reindex != nil {
		wake(w.r.behind)
	}
	for c := range s.wakes {
		wake(c)
	}
}

func wake(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// toggle adds or takes away a user that every site sees.
func toggle(d *[wire.Buckets]wire.Sum, r *UserRow) {
	if r.Handle != 0 && r.live() && r.Site == "" {
		d[wire.Bucket(r.GUID)].Toggle(r.Sum)
	}
}

func absorbPointers[K comparable, V any](into map[K]V, from map[K]*V) {
	for k, row := range from {
		if row == nil {
			delete(into, k)
		} else {
			into[k] = *row
		}
	}
}

// cacheUser keeps a user as a transaction left it in the store.
func (r *Roster) cacheUser(u *user) {
	kept := &storedUser{row: u.row, ids: u.ids}
	kept.row.Moved = false
	r.cache.put(kept)
}
