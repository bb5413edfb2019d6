package journal

import (
	"encoding/binary"
	"errors"
	"fmt"

	"doorsync/protocol/wire"
)

// A stored user is a header, what the user is found by, and the record as the
// center sent it. In the header stand the sum of the change, whether it is a
// tombstone, the number of the site's last entry when it came, which tells what
// was done knowing of it from what was done before, and the length of what
// follows up to the record.
const headerSize = wire.SumSize + 1 + 8 + 4

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

// foundBy is what stands between the header and the record of a stored user.
func foundBy(b []byte) []byte {
	if n := uint64(binary.BigEndian.Uint32(b[headerSize-4:])); n <= uint64(len(b)-headerSize) {
		return b[headerSize : headerSize+int(n)]
	}
	return nil
}

// decodeStored does not copy the record: it is good as long as the transaction.
func (j *Journal) decodeStored(guid string, b []byte) (stored, error) {
	h, err := j.decodeHeader(guid, b)
	if err != nil {
		return stored{}, err
	}
	f := foundBy(b)
	c := wire.Change{GUID: guid, Record: b[headerSize+len(f):]}
	if c.IDs, c.Keys, err = decodeFoundBy(f); err != nil {
		return stored{}, j.damaged(fmt.Errorf("user %s: %w", guid, err))
	}
	return stored{header: h, change: c}, nil
}

// encodeStored leaves the header open but for the length.
func encodeStored(c *wire.Change) []byte {
	n := headerSize + binary.MaxVarintLen32 + 8*len(c.Keys) + len(c.Record)
	for _, id := range c.IDs {
		n += binary.MaxVarintLen32 + len(id)
	}
	b := appendFoundBy(make([]byte, headerSize, n), c)
	binary.BigEndian.PutUint32(b[headerSize-4:], uint32(len(b)-headerSize))
	return append(b, c.Record...)
}

// appendFoundBy writes the number of IDs, each ID with its length before it, and
// the credential hashes.
func appendFoundBy(b []byte, c *wire.Change) []byte {
	b = binary.AppendUvarint(b, uint64(len(c.IDs)))
	for _, id := range c.IDs {
		b = append(binary.AppendUvarint(b, uint64(len(id))), id...)
	}
	for _, k := range c.Keys {
		b = binary.BigEndian.AppendUint64(b, k)
	}
	return b
}

var errFoundBy = errors.New("what it is found by cannot be read")

func decodeFoundBy(b []byte) (ids []string, keys []uint64, err error) {
	count, n := binary.Uvarint(b)
	if n <= 0 || count > uint64(len(b)) {
		return nil, nil, errFoundBy
	}
	b = b[n:]
	ids = make([]string, count)
	for i := range ids {
		size, n := binary.Uvarint(b)
		if n <= 0 || size > uint64(len(b)-n) {
			return nil, nil, errFoundBy
		}
		end := n + int(size)
		ids[i], b = string(b[n:end]), b[end:]
	}
	if len(b)%8 != 0 {
		return nil, nil, errFoundBy
	}
	keys = make([]uint64, 0, len(b)/8)
	for ; len(b) > 0; b = b[8:] {
		keys = append(keys, binary.BigEndian.Uint64(b))
	}
	return ids, keys, nil
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
