package journal

import (
	"encoding/binary"
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

// A stored user is a header, the user's IDs and credential hashes, and the record
// as the center sent it. In the header stand the sum of the change, whether it is
// a tombstone, the number of the site's last entry when it came, which tells what
// was done knowing of it from what was done before, and the length of what
// follows up to the record.
const headerSize = wire.SumSize + 1 + 8 + 4

// foundBy is what stands between header and record.
type foundBy struct {
	_    struct{} `cbor:",toarray"`
	IDs  []string
	Keys []uint64
}

type stored struct {
	header
	change wire.Change
}

type header struct {
	sum   wire.Sum
	tomb  bool
	since uint64
}

func (h header) put(b []byte) {
	copy(b, h.sum[:])
	b[wire.SumSize] = 0
	if h.tomb {
		b[wire.SumSize] = 1
	}
	binary.BigEndian.PutUint64(b[wire.SumSize+1:], h.since)
}

// digest is what the user adds to the digest of its bucket. Tombstones add
// nothing: who was deleted before a site began is not told to it.
func (h header) digest() wire.Sum {
	if h.tomb {
		return wire.Sum{}
	}
	return h.sum
}

func (j *Journal) decodeHeader(guid string, b []byte) (header, error) {
	if len(b) < headerSize {
		return header{}, j.damaged(fmt.Errorf("user %s: cut off", guid))
	}
	return header{sum: wire.Sum(b), tomb: b[wire.SumSize] != 0, since: binary.BigEndian.Uint64(b[wire.SumSize+1:])}, nil
}

// decodeStored does not copy the record: it is good as long as the transaction.
func (j *Journal) decodeStored(guid string, b []byte) (stored, error) {
	h, err := j.decodeHeader(guid, b)
	if err != nil {
		return stored{}, err
	}
	n := uint64(binary.BigEndian.Uint32(b[headerSize-4:]))
	rest := b[headerSize:]
	if n > uint64(len(rest)) {
		return stored{}, j.damaged(fmt.Errorf("user %s: cut off", guid))
	}
	var f foundBy
	if err := j.codec.Unmarshal(rest[:n], &f); err != nil {
		return stored{}, j.damaged(fmt.Errorf("user %s: %w", guid, err))
	}
	return stored{header: h, change: wire.Change{GUID: guid, IDs: f.IDs, Keys: f.Keys, Record: rest[n:]}}, nil
}

// encodeStored leaves the header open but for the length.
func (j *Journal) encodeStored(c *wire.Change) ([]byte, error) {
	f, err := j.codec.Marshal(foundBy{IDs: c.IDs, Keys: c.Keys})
	if err != nil {
		return nil, fmt.Errorf("encode user %s: %w", c.GUID, err)
	}
	b := make([]byte, headerSize, headerSize+len(f)+len(c.Record))
	binary.BigEndian.PutUint32(b[headerSize-4:], uint32(len(f)))
	return append(append(b, f...), c.Record...), nil
}

// held returns what is held of the user with a GUID.
func (r *reading) held(guid string) (stored, bool, error) {
	b := r.bucket(inRecords).Get([]byte(guid))
	if b == nil {
		return stored{}, false, nil
	}
	s, err := r.j.decodeStored(guid, b)
	return s, err == nil, err
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
