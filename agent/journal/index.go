package journal

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"math/bits"
	"slices"
	"sort"
	"strings"

	"go.etcd.io/bbolt"

	"doorsync/protocol"
	"doorsync/protocol/wire"
)

// The index finds users by the hashes of their IDs and credentials. Hashes come
// in no order, and a B+tree that takes them one by one rewrites itself with
// every batch; so each commit writes its own sorted run, and runs of like size
// are merged (a log-structured merge tree, small enough to be two functions).
//
// A run is cut into chunks: key run, hash of the last row, chunk number; value
// row width, rows. A row is the hash, the reference to a user and a byte that
// tells whether it is gone; but for that byte, rows are in the order of their
// bytes. The list of runs stands under run 0.

// indexed is a row to be: a hash, and the user it is of or no longer is.
type indexed struct {
	hash uint64
	ref  string // see packRef
	gone bool
}

// rows are sorted rows of one width.
type rows struct {
	width int
	b     []byte
}

func (r rows) len() int { return len(r.b) / max(r.width, 1) }

func (r rows) at(i int) []byte { return r.b[i*r.width : (i+1)*r.width] }

func (r rows) hash(i int) uint64 { return binary.BigEndian.Uint64(r.b[i*r.width:]) }

// compareRows orders rows of one width; equal ones speak of the same.
func compareRows(a, b []byte) int { return bytes.Compare(a[:len(a)-1], b[:len(b)-1]) }

type run struct{ id, rows uint32 }

const (
	smallRun  = 256 // rows of the smallest size class
	likeRuns  = 3   // of one size class stand beside one another
	chunkRows = 1000
	refPacked = 0x40 // a canonical UUID in its 16 bytes
	refLength = 0x3f
	maxGUID   = refLength
)

var keyRuns = []byte{0, 0, 0, 0}

// idHash is what users are indexed by under a user ID. No credential's key
// starts like this.
func idHash(id string) uint64 { return wire.KeyHash(protocol.CredentialKey("id|" + id)) }

func readRuns(b *bbolt.Bucket) []run {
	v := b.Get(keyRuns)
	out := make([]run, 0, len(v)/8+1)
	for ; len(v) >= 8; v = v[8:] {
		out = append(out, run{binary.BigEndian.Uint32(v), binary.BigEndian.Uint32(v[4:])})
	}
	return out
}

func writeRuns(b *bbolt.Bucket, runs []run) error {
	var v []byte
	for _, r := range runs {
		v = binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(v, r.id), r.rows)
	}
	return b.Put(keyRuns, v)
}

// lookup returns the GUIDs of users who may have an ID or credential of a hash,
// sorted. The newest run has the last word on each.
func (r *reading) lookup(hash uint64) ([]string, error) {
	if r.beforeLookup != nil {
		if err := r.beforeLookup(); err != nil {
			return nil, err
		}
	}
	b := r.bucket(inIndex)
	runs := readRuns(b)
	if len(runs) == 0 {
		return nil, nil
	}
	var said [][]byte // the newest row about each user
	c := b.Cursor()
	for _, ru := range slices.Backward(runs) {
		err := findRows(c, ru.id, hash, func(row []byte) {
			if !slices.ContainsFunc(said, func(newer []byte) bool { return sameRef(newer, row) }) {
				said = append(said, row)
			}
		})
		if err != nil {
			return nil, r.j.damaged(err)
		}
	}
	guids := make([]string, 0, 1)
	for _, row := range said {
		if row[len(row)-1] == 0 {
			guids = append(guids, unpackRef(row))
		}
	}
	slices.Sort(guids)
	return guids, nil
}

// sameRef reports whether two rows refer to the same user.
func sameRef(a, b []byte) bool { return bytes.Equal(refOf(a), refOf(b)) }

// refOf is the reference in a row, its first byte included.
func refOf(row []byte) []byte { return row[8 : 9+int(row[8]&refLength)] }

// findRows calls fn with the rows of a hash in one run.
func findRows(c *bbolt.Cursor, id uint32, hash uint64, fn func(row []byte)) error {
	prefix := binary.BigEndian.AppendUint32(nil, id)
	for k, v := c.Seek(binary.BigEndian.AppendUint64(slices.Clip(prefix), hash)); bytes.HasPrefix(k, prefix); k, v = c.Next() {
		chunk, err := readChunk(v)
		if err != nil {
			return err
		}
		n := chunk.len()
		i := sort.Search(n, func(i int) bool { return chunk.hash(i) >= hash })
		for ; i < n && chunk.hash(i) == hash; i++ {
			if !wholeRef(chunk.at(i)) {
				return errIndex
			}
			fn(chunk.at(i))
		}
		if i < n {
			return nil
		}
	}
	return nil
}

var errIndex = errors.New("its index of users cannot be read")

func readChunk(v []byte) (rows, error) {
	if len(v) < 1 || int(v[0]) < minWidth || (len(v)-1)%int(v[0]) != 0 {
		return rows{}, errIndex
	}
	return rows{width: int(v[0]), b: v[1:]}, nil
}

// wholeRef reports whether the reference in a row ends within it.
func wholeRef(row []byte) bool {
	n := int(row[8] & refLength)
	return 9+n < len(row) && (row[8]&refPacked == 0 || n == 16)
}

// minWidth is of a hash, the length of a reference, and the last byte.
const minWidth = 8 + 1 + 1

// packRef turns a GUID into a reference: a byte with its length and packing,
// then 16 bytes for a canonical UUID and the text itself for anything else.
func packRef(guid string) string {
	if len(guid) == 36 && guid[8] == '-' && guid[13] == '-' && guid[18] == '-' && guid[23] == '-' && strings.ToLower(guid) == guid {
		ref, digits, n := [17]byte{refPacked | 16}, [32]byte{}, 0
		for _, part := range [...]string{guid[:8], guid[9:13], guid[14:18], guid[19:23], guid[24:]} {
			n += copy(digits[n:], part)
		}
		if _, err := hex.Decode(ref[1:], digits[:]); err == nil {
			return string(ref[:])
		}
	}
	return string(append([]byte{byte(len(guid))}, guid...))
}

// unpackRef reads the GUID out of a row.
func unpackRef(row []byte) string {
	ref := refOf(row)[1:]
	if row[8]&refPacked == 0 {
		return string(ref)
	}
	b := [36]byte{8: '-', 13: '-', 18: '-', 23: '-'}
	hex.Encode(b[:], ref[:4])
	hex.Encode(b[9:], ref[4:6])
	hex.Encode(b[14:], ref[6:8])
	hex.Encode(b[19:], ref[8:10])
	hex.Encode(b[24:], ref[10:16])
	return string(b[:])
}

// flushIndex writes what was added as a run, merged with older runs of its size.
func (t *txn) flushIndex() error {
	if len(t.adds) == 0 {
		return nil
	}
	b := t.bucket(inIndex)
	runs := readRuns(b)
	young := newRows(t.adds)
	t.adds = nil
	next := uint32(1)
	if len(runs) > 0 {
		next = runs[len(runs)-1].id + 1
	}
	for n := likeSized(runs, young.len()); n > 0; n = likeSized(runs, young.len()) {
		for ; n > 0; n-- {
			old, err := takeRun(b, runs[len(runs)-1].id)
			if errors.Is(err, errIndex) {
				return t.j.damaged(err)
			} else if err != nil {
				return err
			}
			runs = runs[:len(runs)-1]
			young = mergeRows(old, young, len(runs) == 0)
		}
	}
	if err := putRun(b, next, young); err != nil {
		return err
	}
	if n := young.len(); n > 0 {
		runs = append(runs, run{next, uint32(n)})
	}
	return writeRuns(b, runs)
}

// likeSized returns how many of the newest runs to merge with one that comes: all
// that are not of a greater size class, once they are many. So every row is
// written a few times at most, and there are a few runs of each class at most.
func likeSized(runs []run, coming int) int {
	n := 0
	for _, r := range slices.Backward(runs) {
		if sizeClass(int(r.rows)) > sizeClass(coming) {
			break
		}
		n++
	}
	if n < likeRuns {
		return 0
	}
	return n
}

// sizeClass is how often a run is four times as long as a small one.
func sizeClass(rows int) int { return bits.Len(uint(rows/smallRun)) / 2 }

// newRows sorts what was added and keeps the last word on each.
func newRows(adds []indexed) rows {
	order := make([]sortable, len(adds))
	r := rows{width: minWidth}
	for i, a := range adds {
		order[i] = sortable{a.hash, i}
		r.width = max(r.width, 8+len(a.ref)+1)
	}
	slices.SortFunc(order, func(a, b sortable) int {
		if a.hash != b.hash {
			return cmp.Compare(a.hash, b.hash)
		}
		return cmp.Or(strings.Compare(adds[a.i].ref, adds[b.i].ref), cmp.Compare(a.i, b.i))
	})
	r.b = make([]byte, 0, r.width*len(adds))
	for n, o := range order {
		a := adds[o.i]
		if n+1 < len(order) && o.hash == order[n+1].hash && a.ref == adds[order[n+1].i].ref {
			continue
		}
		end := len(r.b) + r.width
		r.b = append(binary.BigEndian.AppendUint64(r.b, a.hash), a.ref...)[:end]
		if a.gone {
			r.b[end-1] = 1
		}
	}
	return r
}

// sortable is a row's hash and its place among those added.
type sortable struct {
	hash uint64
	i    int
}

// mergeRows merges two runs. What is gone is forgotten once no older run can
// speak of it.
func mergeRows(old, young rows, oldest bool) rows {
	width := max(old.width, young.width)
	old, young = old.widen(width), young.widen(width)
	out := rows{width: width, b: make([]byte, 0, len(old.b)+len(young.b))}
	for i, k := 0, 0; i < old.len() || k < young.len(); {
		var row []byte
		switch c := compareNext(old, i, young, k); {
		case c < 0:
			row = old.at(i)
			i++
		case c > 0:
			row = young.at(k)
			k++
		default:
			i++
			continue
		}
		if !oldest || row[width-1] == 0 {
			out.b = append(out.b, row...)
		}
	}
	return out
}

func compareNext(old rows, i int, young rows, k int) int {
	switch {
	case i == old.len():
		return 1
	case k == young.len():
		return -1
	}
	return compareRows(old.at(i), young.at(k))
}

// widen makes room in every row for longer references.
func (r rows) widen(width int) rows {
	if r.width == width {
		return r
	}
	out := rows{width: width, b: make([]byte, r.len()*width)}
	for i := range r.len() {
		row := r.at(i)
		copy(out.at(i), row[:r.width-1])
		out.at(i)[width-1] = row[r.width-1]
	}
	return out
}

// takeRun reads a run and removes it.
func takeRun(b *bbolt.Bucket, id uint32) (rows, error) {
	var keys [][]byte
	var out rows
	prefix := binary.BigEndian.AppendUint32(nil, id)
	c := b.Cursor()
	for k, v := c.Seek(prefix); bytes.HasPrefix(k, prefix); k, v = c.Next() {
		keys = append(keys, bytes.Clone(k))
		chunk, err := readChunk(v)
		if err != nil || out.width != 0 && chunk.width != out.width { // one for all of a run
			return rows{}, errIndex
		}
		out.width = chunk.width
		out.b = append(out.b, chunk.b...)
	}
	for _, k := range keys {
		if err := b.Delete(k); err != nil {
			return rows{}, err
		}
	}
	return out, nil
}

func putRun(b *bbolt.Bucket, id uint32, r rows) error {
	b.FillPercent = 0.9
	for n, at := uint32(0), 0; at < r.len(); n, at = n+1, at+chunkRows {
		end := min(at+chunkRows, r.len())
		v := append([]byte{byte(r.width)}, r.b[at*r.width:end*r.width]...)
		k := binary.BigEndian.AppendUint32(nil, id)
		k = binary.BigEndian.AppendUint64(k, r.hash(end-1))
		if err := b.Put(binary.BigEndian.AppendUint32(k, n), v); err != nil {
			return err
		}
	}
	return nil
}
