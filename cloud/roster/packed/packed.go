// Package packed writes and reads what the roster keeps in one column: numbers,
// texts and lists, one after another, each with its length. It knows no names and
// no types; who reads must know what was written.
package packed

import (
	"encoding/binary"
	"errors"
)

// ErrShort is for what ends too early, or too late.
var ErrShort = errors.New("what is packed does not end where it should")

// Uint appends a number.
func Uint(b []byte, n uint64) []byte { return binary.AppendUvarint(b, n) }

// Int appends a number that may be negative.
func Int(b []byte, n int64) []byte { return binary.AppendVarint(b, n) }

// Bool appends a truth value.
func Bool(b []byte, v bool) []byte {
	if v {
		return append(b, 1)
	}
	return append(b, 0)
}

// Text appends a text.
func Text[S ~string](b []byte, s S) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// Texts appends a list of texts.
func Texts(b []byte, list []string) []byte {
	b = Uint(b, uint64(len(list)))
	for _, s := range list {
		b = Text(b, s)
	}
	return b
}

// Reader reads what was packed. After a fault everything is zero, and End tells.
type Reader struct {
	b   []byte
	s   string // the same, so that all texts are one allocation
	bad bool
}

// Read begins to read. b is not kept.
func Read(b []byte) Reader { return Reader{b: b, s: string(b)} }

// End reports whether all was read, and no more.
func (r *Reader) End() error {
	if r.bad || len(r.b) > 0 {
		return ErrShort
	}
	return nil
}

// More reports whether anything is left to read.
func (r *Reader) More() bool { return len(r.b) > 0 }

func (r *Reader) skip(n int) { r.b, r.s = r.b[n:], r.s[n:] }

func (r *Reader) fail() { r.b, r.s, r.bad = nil, "", true }

// Uint reads a number.
func (r *Reader) Uint() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.fail()
		return 0
	}
	r.skip(n)
	return v
}

// Int reads a number that may be negative.
func (r *Reader) Int() int64 {
	v, n := binary.Varint(r.b)
	if n <= 0 {
		r.fail()
		return 0
	}
	r.skip(n)
	return v
}

// Bool reads a truth value.
func (r *Reader) Bool() bool { return r.Uint() != 0 }

// Size reads a number of things that take at least so many bytes each.
func (r *Reader) Size(each int) int {
	n := r.Uint()
	if n > uint64(len(r.b)/each) {
		r.fail()
		return 0
	}
	return int(n)
}

// Text reads a text.
func (r *Reader) Text() string {
	n := r.Size(1)
	out := r.s[:n]
	r.skip(n)
	return out
}

// Texts reads a list of texts, nil if it is empty.
func (r *Reader) Texts() []string {
	n := r.Size(1)
	if n == 0 {
		return nil
	}
	out := make([]string, n)
	for i := range out {
		out[i] = r.Text()
	}
	return out
}

// Bytes reads so many bytes; they are the reader's own.
func (r *Reader) Bytes(n int) []byte {
	if len(r.b) < n {
		r.fail()
		return make([]byte, n)
	}
	out := r.b[:n]
	r.skip(n)
	return out
}
