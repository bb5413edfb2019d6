package journal

import (
	"crypto/rand"
	"crypto/sha256"
	"fmt"

	"go.etcd.io/bbolt"

	"doorsync/protocol"
)

// txn is one commit in the making: a transaction and the memory as it will be.
type txn struct {
	reading
	mem      memory
	changed  map[string]struct{} // IDs of users
	all      bool                // more users changed than are listed
	appended bool
	adds     []indexed // not in the index yet
	ownSums  bool      // mem.sums may be changed
	lastGUID string    // the greatest GUID held, once known
	knowLast bool
}

// begin starts from what is known, or, after a failed commit, from what the
// file says: a flush that failed may have changed it all the same.
func (t *txn) begin(tx *bbolt.Tx) error {
	t.reading = reading{j: t.j, space: space{tx: tx}, m: &t.mem, beforeLookup: t.flushIndex}
	t.changed = map[string]struct{}{}
	if t.j.stale {
		var err error
		if t.mem, err = t.j.readMemory(tx); err != nil {
			return err
		}
		t.j.pendings = nil
	} else {
		t.mem = *t.j.mem.Load()
	}
	if t.j.pendings == nil {
		t.j.pendings = t.readPendings()
	}
	t.unsettled = &unsettled{pendings: t.j.pendings, head: &t.mem.head, was: t.mem.head.Settled}
	return nil
}

// end writes what is written once for all requests.
func (t *txn) end() error {
	if err := t.flushIndex(); err != nil {
		return err
	}
	if t.ownSums {
		b := make([]byte, 0, len(t.mem.sums.buckets)*len(t.mem.sums.buckets[0]))
		for i := range t.mem.sums.buckets {
			b = append(b, t.mem.sums.buckets[i][:]...)
		}
		if err := t.bucket(inLocal).Put(keySums, b); err != nil {
			return err
		}
	}
	b, err := t.j.codec.Marshal(t.mem.head)
	if err != nil {
		return err
	}
	if err := t.bucket(inLocal).Put(keyHead, b); err != nil {
		return err
	}
	if t.j.failCommit != nil {
		return t.j.failCommit()
	}
	return nil
}

// touch notes that users changed.
func (t *txn) touch(ids ...string) {
	for _, id := range ids {
		if len(t.changed) >= maxTold {
			t.all = true
			return
		}
		t.changed[id] = struct{}{}
	}
}

// entry appends an entry: number, ID, stamp, revision and the hash of the one
// before are set here.
func (t *txn) entry(e protocol.Entry) (protocol.Entry, error) {
	h := &t.mem.head
	h.Clock = protocol.Next(h.Clock, t.j.opts.Now(), t.j.opts.Site)
	e.Number, e.Prev, e.Stamp, e.Revision = h.Last+1, h.LastHash, h.Clock, h.Revision
	e.ID = newEntryID(h.Clock)
	b, err := t.j.codec.Marshal(e)
	if err != nil {
		return e, fmt.Errorf("encode entry: %w", err)
	}
	entries := t.bucket(inEntries)
	entries.FillPercent = 0.9
	if err := entries.Put(numberKey(e.Number), b); err != nil {
		return e, err
	}
	sum := sha256.Sum256(b)
	h.Last, h.LastHash = e.Number, sum[:]
	t.appended = true
	return e, nil
}

// newEntryID starts with the time, so that indexes over IDs grow at their end.
func newEntryID(s protocol.Stamp) protocol.EntryID {
	var id protocol.EntryID
	for i := range 6 {
		id[i] = byte(s.Wall >> (40 - 8*i))
	}
	_, _ = rand.Read(id[6:]) // never fails: it ends the program instead
	return id
}
