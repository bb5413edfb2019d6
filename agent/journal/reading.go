package journal

import (
	"bytes"
	"encoding/binary"
	"errors"
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

// depth is how much of records and edits is decoded: taking an edit in needs no
// templates, and they are most of it.
type depth bool

const (
	valuesOnly depth = false
	whole      depth = true
)

// Records and entries without credentials and groups.
type (
	valuesRecord struct {
		Values  map[protocol.Field]protocol.Holding `cbor:"values"`
		Removed bool                                `cbor:"removed"`
		Site    string                              `cbor:"site"`
	}
	valuesEntry struct {
		Number uint64         `cbor:"n"`
		Stamp  protocol.Stamp `cbor:"t"`
		Edit   *struct {
			UserID string                            `cbor:"user"`
			New    bool                              `cbor:"new"`
			Values map[protocol.Field]protocol.Value `cbor:"values"`
		} `cbor:"edit"`
	}
)

func (r *reading) decodeRecord(c wire.Change, d depth) (protocol.Record, error) {
	var rec protocol.Record
	var err error
	if d == whole {
		err = r.j.codec.Unmarshal(c.Record, &rec)
	} else {
		var v valuesRecord
		err = r.j.codec.Unmarshal(c.Record, &v)
		rec = protocol.Record{Values: v.Values, Removed: v.Removed, Site: v.Site}
	}
	if err != nil {
		return rec, r.j.damaged(fmt.Errorf("user %s: %w", c.GUID, err))
	}
	rec.GUID = c.GUID
	return rec, nil
}

// find returns the user whom the center knows under an ID: rather one who lives
// than a tombstone, rather one who is given to readers under it than under
// another ID, rather the site's own of two in conflict.
func (r *reading) find(id string, d depth) (best stored, rec protocol.Record, ok bool, err error) {
	guids, err := r.lookup(idHash(id))
	if err != nil {
		return stored{}, rec, false, err
	}
	rank := -1
	for _, guid := range guids {
		s, held, err := r.held(guid)
		if err != nil {
			return stored{}, rec, false, err
		}
		if !held || !slices.Contains(s.change.IDs, id) {
			continue
		}
		c, err := r.decodeRecord(s.change, d)
		if err != nil {
			return stored{}, rec, false, err
		}
		if n := rankOf(c, s.change.IDs[0] == id); n > rank {
			best, rec, ok, rank = s, c, true, n
		}
	}
	return best, rec, ok, nil
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

// pendingEdit is an edit of this site that the record held does not contain.
type pendingEdit struct {
	number uint64
	stamp  protocol.Stamp
	edit   protocol.Edit
}

// pending returns what is pending under a user ID, in order.
func (r *reading) pending(id string, d depth) ([]pendingEdit, error) {
	var out []pendingEdit
	prefix := overlayPrefix(id)
	c := r.bucket(inLocal).Cursor()
	for k, _ := c.Seek(prefix); len(k) == len(prefix)+8 && bytes.HasPrefix(k, prefix); k, _ = c.Next() {
		e, err := r.pendingAt(lastNumber(k), d)
		if err != nil {
			return nil, err
		}
		out = append(out, e)
	}
	return out, nil
}

func (r *reading) pendingAt(number uint64, d depth) (pendingEdit, error) {
	if d == whole {
		e, err := r.entryAt(number)
		if err == nil && e.Edit == nil {
			err = r.j.damaged(fmt.Errorf("entry %d holds no edit", number))
		}
		if err != nil {
			return pendingEdit{}, err
		}
		return pendingEdit{number: number, stamp: e.Stamp, edit: *e.Edit}, nil
	}
	var e valuesEntry
	err := r.j.codec.Unmarshal(r.bucket(inEntries).Get(numberKey(number)), &e)
	if err == nil && e.Edit == nil {
		err = errors.New("it holds no edit")
	}
	if err != nil {
		return pendingEdit{}, r.j.damaged(fmt.Errorf("entry %d: %w", number, err))
	}
	edit := protocol.Edit{UserID: e.Edit.UserID, New: e.Edit.New, Values: e.Edit.Values}
	return pendingEdit{number: number, stamp: e.Stamp, edit: edit}, nil
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
