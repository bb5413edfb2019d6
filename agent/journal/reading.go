package journal

import (
	"fmt"
	"slices"

	"go.etcd.io/bbolt"

	"doorsync/protocol"
	"doorsync/protocol/wire"
)

// reading is a transaction in which users are looked up.
type reading struct {
	j *Journal
	space
	m *memory
	// beforeLookup brings the index up to date within a transaction that writes.
	beforeLookup func() error
	unsettled    *unsettled // the writer's
}

// read runs f in a transaction of its own. f must be quick: while it runs the
// file cannot grow.
func (j *Journal) read(f func(*reading) error) error {
	return j.guard(func() error {
		return j.db.View(func(tx *bbolt.Tx) error {
			return f(&reading{j: j, space: space{tx: tx}, m: j.mem.Load()})
		})
	})
}

// depth is how much of records and edits is decoded. Taking an edit in needs to
// know who somebody is, and nothing of most of what they have.
type depth bool

const (
	valuesOnly depth = false // no record, and of edits the values
	whole      depth = true
)

func (r *reading) decodeRecord(c wire.Change) (protocol.Record, error) {
	var rec protocol.Record
	if err := r.j.codec.Unmarshal(c.Record, &rec); err != nil {
		return rec, r.j.damaged(fmt.Errorf("user %s: %w", c.GUID, err))
	}
	rec.GUID = c.GUID
	return rec, nil
}

// find returns the user whom the center knows under an ID: rather one who lives
// than a tombstone, rather one who is given to readers under it than under
// another ID, rather the site's own of two in conflict.
func (r *reading) find(id string) (best stored, ok bool, err error) {
	guids, err := r.lookup(idHash(id))
	if err != nil {
		return stored{}, false, err
	}
	found := make([]stored, 0, 1)
	for _, guid := range guids {
		s, held, err := r.held(guid)
		if err != nil {
			return stored{}, false, err
		}
		if held && slices.Contains(s.change.IDs, id) {
			found = append(found, s)
		}
	}
	if len(found) > 1 {
		return r.first(found, id)
	}
	for _, s := range found {
		return s, true, nil
	}
	return stored{}, false, nil
}

// first returns whom of several an ID stands for.
func (r *reading) first(found []stored, id string) (best stored, ok bool, err error) {
	rank := -1
	for _, s := range found {
		rec, err := r.j.codec.UnmarshalValues(s.change.Record)
		if err != nil {
			return stored{}, false, r.j.damaged(fmt.Errorf("user %s: %w", s.change.GUID, err))
		}
		if n := rankOf(rec, s.change.IDs[0] == id); n > rank {
			best, rank = s, n
		}
	}
	return best, true, nil
}

func rankOf(rec protocol.Record, first bool) int {
	n := 0
	if !rec.Removed {
		n += 4
	}
	if first {
		n += 2
	}
	if rec.Site != "" {
		n++
	}
	return n
}

func (r *reading) entryAt(number uint64) (protocol.Entry, error) {
	var e protocol.Entry
	b := r.bucket(inEntries).Get(numberKey(number))
	if b == nil {
		return e, r.j.damaged(fmt.Errorf("entry %d is missing", number))
	}
	if err := r.j.codec.Unmarshal(b, &e); err != nil {
		return e, r.j.damaged(fmt.Errorf("entry %d: %w", number, err))
	}
	return e, nil
}
