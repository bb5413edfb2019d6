package wire

import (
	"encoding/binary"
	"math"
	"unicode/utf8"
)

// The major types of CBOR (RFC 8949, section 3.1), in their place in a head.
const (
	majorUint  = 0 << 5
	majorInt   = 1 << 5
	majorBytes = 2 << 5
	majorText  = 3 << 5
	majorArray = 4 << 5
	majorMap   = 5 << 5

	itemFalse = 0xf4
	itemTrue  = 0xf5
	itemNull  = 0xf6
)

func appendHead(b []byte, major byte, n uint64) []byte {
	switch {
	case n < 24:
		return append(b, major|byte(n))
	case n <= math.MaxUint8:
		return append(b, major|24, byte(n))
	case n <= math.MaxUint16:
		return binary.BigEndian.AppendUint16(append(b, major|25), uint16(n))
	case n <= math.MaxUint32:
		return binary.BigEndian.AppendUint32(append(b, major|26), uint32(n))
	default:
		return binary.BigEndian.AppendUint64(append(b, major|27), n)
	}
}

func appendUint(b []byte, n uint64) []byte { return appendHead(b, majorUint, n) }

func appendInt(b []byte, n int64) []byte {
	if n < 0 {
		return appendHead(b, majorInt, uint64(-1-n))
	}
	return appendHead(b, majorUint, uint64(n))
}

func appendText[S ~string](b []byte, s S) []byte {
	return append(appendHead(b, majorText, uint64(len(s))), s...)
}

func appendBytes(b, p []byte) []byte {
	if p == nil {
		return append(b, itemNull)
	}
	return append(appendHead(b, majorBytes, uint64(len(p))), p...)
}

func appendTexts[S ~string](b []byte, list []S) []byte {
	b = appendHead(b, majorArray, uint64(len(list)))
	for _, s := range list {
		b = appendText(b, s)
	}
	return b
}

// appendSet appends a field that is only present when it is true.
func appendSet(b []byte, name string, set bool) []byte {
	if !set {
		return b
	}
	return append(appendText(b, name), itemTrue)
}

// count counts fields that are present.
func count(present ...bool) (n uint64) {
	for _, p := range present {
		if p {
			n++
		}
	}
	return n
}

// items reads what this program writes: definite lengths, shortest heads, the
// fields that this version knows, in their order. Anything else sets odd, and
// the general decoder has the say: items never decides what is an error.
type items struct {
	b   []byte
	at  int
	odd bool
}

// done reports whether all was read and nothing was odd.
func (r *items) done() bool { return !r.odd && r.at == len(r.b) }

// next is the byte that comes next, 0xff (which begins nothing) at the end.
func (r *items) next() byte {
	if r.odd || r.at >= len(r.b) {
		return 0xff
	}
	return r.b[r.at]
}

// head reads a head of one major type and returns its number.
func (r *items) head(major byte) uint64 {
	c := r.next()
	if c&0xe0 != major {
		r.odd = true
		return 0
	}
	if n := c & 0x1f; n < 24 {
		r.at++
		return uint64(n)
	}
	n, size := longNumber(r.b[r.at:])
	r.at += size
	r.odd = r.odd || size == 0
	return n
}

// longNumber reads the number in a head of more than a byte; size is 0 if it is
// cut off, of indefinite length or longer than it need be.
func longNumber(b []byte) (n uint64, size int) {
	c := b[0] & 0x1f
	if c > 27 {
		return 0, 0
	}
	size = 1 << (c - 24)
	if len(b) < 1+size {
		return 0, 0
	}
	for _, c := range b[1 : 1+size] {
		n = n<<8 | uint64(c)
	}
	least := uint64(24)
	if size > 1 {
		least = 1 << (4 * size)
	}
	if n < least {
		return 0, 0
	}
	return n, 1 + size
}

// length reads the head of a string or list, each part of which takes at least
// one byte of what is left.
func (r *items) length(major byte) int {
	n := r.head(major)
	if n > uint64(len(r.b)-r.at) || n > maxElements {
		r.odd = true
		return 0
	}
	return int(n)
}

// raw reads a string of bytes or text; it is a part of the message.
func (r *items) raw(major byte) []byte {
	n := r.head(major)
	if r.odd || n > uint64(len(r.b)-r.at) {
		r.odd = true
		return nil
	}
	r.at += int(n)
	return r.b[r.at-int(n) : r.at : r.at]
}

func (r *items) text() string {
	p := r.raw(majorText)
	if !utf8.Valid(p) {
		r.odd = true
		return ""
	}
	return string(p)
}

// name reads a text of which there are few; they need not be allocated.
func (r *items) name() string {
	p := r.raw(majorText)
	if s, ok := names[string(p)]; ok {
		return s
	}
	if !utf8.Valid(p) {
		r.odd = true
	}
	return string(p)
}

// bytes reads a byte string or null, as a copy: it outlives the message.
func (r *items) bytes() []byte {
	if r.isNull() {
		return nil
	}
	return append([]byte{}, r.raw(majorBytes)...)
}

func (r *items) isNull() bool {
	if r.next() != itemNull {
		return false
	}
	r.at++
	return true
}

func (r *items) uint(most uint64) uint64 {
	n := r.head(majorUint)
	r.odd = r.odd || n > most
	return n
}

func (r *items) int() int64 {
	if r.next()&0xe0 == majorInt {
		n := r.head(majorInt)
		r.odd = r.odd || n > math.MaxInt64
		return -1 - int64(n)
	}
	return int64(r.uint(math.MaxInt64))
}

func (r *items) bool() bool {
	c := r.next()
	if c != itemTrue && c != itemFalse {
		r.odd = true
		return false
	}
	r.at++
	return c == itemTrue
}

// deepest is how deep anything that is kept undecoded nests.
const deepest = 8

// item reads one item, whatever it is, and returns it undecoded; it is a part of
// the message.
func (r *items) item() []byte {
	from := r.at
	r.skip(1, deepest)
	if r.odd {
		return nil
	}
	return r.b[from:r.at:r.at]
}

// skip passes n items.
func (r *items) skip(n, levels int) {
	if levels == 0 {
		r.odd = true
	}
	for ; n > 0 && !r.odd; n-- {
		switch major := r.next() & 0xe0; major {
		case majorUint, majorInt:
			r.head(major)
		case majorBytes, majorText:
			r.raw(major)
		case majorArray:
			r.skip(r.length(majorArray), levels-1)
		case majorMap:
			r.skip(2*r.length(majorMap), levels-1)
		default: // a tag, a float, or a simple value
			if !r.isNull() {
				r.bool()
			}
		}
	}
}

// fields reads a map with the fields of a struct, in their order.
type fields struct {
	r    *items
	left int
}

func (r *items) fields() fields { return fields{r, r.length(majorMap)} }

// has reports whether the next field is the one named, and passes its name.
func (f *fields) has(name string) bool {
	if f.left == 0 || f.r.next() != majorText|byte(len(name)) {
		return false
	}
	b := f.r.b[f.r.at+1:]
	if len(b) < len(name) || string(b[:len(name)]) != name {
		return false
	}
	f.r.at += 1 + len(name)
	f.left--
	return true
}

// end makes fields that are unknown, doubled or out of order odd.
func (f *fields) end() { f.r.odd = f.r.odd || f.left > 0 }
