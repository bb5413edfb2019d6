package roster

import (
	"slices"

	"doorsync/protocol/wire"
)

// spilled is what is left in memory of the users that a large transaction has
// written already: what memory must forget or count when it commits.
type spilled struct {
	stale  map[string]bool         // GUIDs whose cached rows are no longer true
	digest *[wire.Buckets]wire.Sum // what changes of the digest; nil while nobody asked for it
	spare  *work                   // whose maps are used again
}

// spillUsers is how many users an import keeps before it writes them.
const spillUsers = 512

// ahead is a part of the transaction that is being written while the next one is
// computed.
type ahead struct {
	part *work
	done <-chan error
}

// spill writes the users changed so far into the open transaction and forgets
// them, so that a transaction over a million users takes the memory of some
// thousand. It returns while they are being written: until written nothing may be
// asked of the store. Users from before must not be used after it.
func (w *work) spill() error {
	if err := w.written(); err != nil {
		return err
	}
	if w.spilled == nil {
		w.spilled = &spilled{stale: map[string]bool{}}
		if w.r.state.digest != nil {
			w.spilled.digest = new([wire.Buckets]wire.Sum)
		}
	}
	for guid := range w.users {
		if w.r.cache.has(guid) {
			w.spilled.stale[guid] = true
		}
	}
	part := *w
	part.siteIDs, part.revoked = nil, nil // few; written at the end
	w.empty()
	if slices.ContainsFunc(part.order, func(u *user) bool { return !u.claimed }) {
		// Encoding gives revisions, which everybody after takes later ones than.
		err := part.writePart()
		w.meta.Revision = part.meta.Revision
		w.spilled.take(&part)
		return err
	}
	done := make(chan error, 1)
	w.ahead = &ahead{part: &part, done: done}
	go func() { done <- part.writePart() }()
	return nil
}

// written waits for what is being written.
func (w *work) written() error {
	if w.ahead == nil {
		return nil
	}
	err := <-w.ahead.done
	w.spilled.take(w.ahead.part)
	w.ahead = nil
	return err
}

func (w *work) writePart() error {
	if err := w.flushUsers(); err != nil {
		return err
	}
	return w.flushIndex()
}

// empty takes other maps, which nobody writes from.
func (w *work) empty() {
	from := w.spilled.spare
	if from == nil {
		fresh := newWork(w.r)
		from = &fresh
	}
	w.spilled.spare = nil
	w.users, w.order, w.byID, w.freed, w.holders = from.users, from.order[:0], from.byID, from.freed, from.holders
	w.events, w.verdicts, w.named = from.events[:0], nil, from.named[:0]
}

// take counts what was written, and keeps the emptied maps.
func (s *spilled) take(part *work) {
	if s.digest != nil {
		for _, u := range part.order {
			toggle(s.digest, u.was)
			toggle(s.digest, &u.row)
		}
	}
	clear(part.users)
	clear(part.byID)
	clear(part.freed)
	clear(part.holders)
	clear(part.order)
	clear(part.events)
	clear(part.named)
	s.spare = part
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
