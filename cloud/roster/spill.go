package roster

import "doorsync/protocol/wire"

// spilled is what is left in memory of the users that a large transaction has
// written already: what memory must forget or count when it commits.
type spilled struct {
	stale  map[string]bool         // GUIDs whose cached rows are no longer true
	digest *[wire.Buckets]wire.Sum // what changes of the digest; nil while nobody asked for it
}

// spillUsers is how many users an import keeps before it writes them.
const spillUsers = 512

// spill writes the users changed so far into the open transaction and forgets
// them, so that a transaction over a million users takes the memory of some
// hundred. Users from before must not be used after it.
func (w *work) spill() error {
	if err := w.flushUsers(); err != nil {
		return err
	}
	if err := w.flushIndex(); err != nil {
		return err
	}
	if w.spilled == nil {
		w.spilled = &spilled{stale: map[string]bool{}}
		if w.r.state.digest != nil {
			w.spilled.digest = new([wire.Buckets]wire.Sum)
		}
	}
	w.spilled.take(w)
	clear(w.users)
	clear(w.byID)
	clear(w.freed)
	clear(w.holders)
	clear(w.order)
	clear(w.events)
	w.order, w.events, w.verdicts = w.order[:0], w.events[:0], nil
	return nil
}

func (s *spilled) take(w *work) {
	for guid := range w.users {
		if w.r.cache.has(guid) {
			s.stale[guid] = true
		}
	}
	if s.digest == nil {
		return
	}
	for _, u := range w.order {
		toggle(s.digest, u.was)
		toggle(s.digest, &u.row)
	}
}

// cached is what the cache has of a user, unless this transaction has written it
// since.
func (w *work) cached(guid string) *storedUser {
	if w.spilled != nil && w.spilled.stale[guid] {
		return nil
	}
	return w.r.cache.get(guid)
}

// cachedID is whom a user ID finds in the cache. An ID that has moved on is found
// through nobody: giving it to somebody reads who had it.
func (w *work) cachedID(id string) (IDRow, bool) {
	row, ok := w.r.cache.find(id)
	if ok && w.spilled != nil && w.spilled.stale[row.GUID] {
		return IDRow{}, false
	}
	return row, ok
}

// absorbSpilled is called with the state locked. Sites are served from the store
// until there are changes after these.
func (s *state) absorbSpilled(w *work) {
	for guid := range w.spilled.stale {
		w.r.cache.drop(guid)
	}
	s.recent = newRecent(w.meta.Revision)
	if s.digest == nil || w.spilled.digest == nil {
		return
	}
	for i, sum := range w.spilled.digest {
		s.digest[i].Toggle(sum)
	}
}
