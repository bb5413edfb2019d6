package sqlstore

import (
	"encoding/binary"
	"errors"

	"doorsync/cloud/roster"
)

// What no statement selects by stands in one column, the head of a user: it is
// read and written with every user, and a column of its own for each would cost
// more than what is in it.

func packHead(r *roster.UserRow) []byte {
	b := make([]byte, 0, 160)
	for _, n := range []uint64{r.Created, r.Removed, r.Foreign} {
		b = binary.AppendUvarint(b, n)
	}
	for _, s := range []string{r.Site, r.EnrolledBy, r.ChangedBy, r.MergedInto} {
		b = packString(b, s)
	}
	if r.Inactive {
		b = append(b, 1)
	} else {
		b = append(b, 0)
	}
	b = packStrings(packStrings(b, r.IDs), r.Groups)
	b = binary.AppendUvarint(b, uint64(len(r.Keys)))
	for _, k := range r.Keys {
		b = binary.BigEndian.AppendUint64(b, k)
	}
	return append(b, r.Sum[:]...)
}

func packString(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func packStrings(b []byte, list []string) []byte {
	b = binary.AppendUvarint(b, uint64(len(list)))
	for _, s := range list {
		b = packString(b, s)
	}
	return b
}

var errHead = errors.New("its head is cut short")

func unpackHead(b []byte, r *roster.UserRow) error {
	h := head{b: b, s: string(b)}
	r.Created, r.Removed, r.Foreign = h.number(), h.number(), h.number()
	r.Site, r.EnrolledBy, r.ChangedBy, r.MergedInto = h.text(), h.text(), h.text(), h.text()
	r.Inactive = h.number() != 0
	r.IDs, r.Groups = h.list(), h.list()
	r.Keys = h.keys()
	if len(h.b) != len(r.Sum) {
		return errHead
	}
	copy(r.Sum[:], h.b)
	return nil
}

// head is what is left to read; after a fault, nothing.
type head struct {
	b []byte
	s string // the same, so that all texts are one allocation
}

func (h *head) skip(n int) {
	h.b, h.s = h.b[n:], h.s[n:]
}

func (h *head) number() uint64 {
	v, n := binary.Uvarint(h.b)
	if n <= 0 {
		h.b, h.s = nil, ""
		return 0
	}
	h.skip(n)
	return v
}

// size is a number of things that take at least so many bytes each.
func (h *head) size(each int) int {
	n := h.number()
	if n > uint64(len(h.b)/each) {
		h.b, h.s = nil, ""
		return 0
	}
	return int(n)
}

func (h *head) text() string {
	n := h.size(1)
	out := h.s[:n]
	h.skip(n)
	return out
}

func (h *head) list() []string {
	n := h.size(1)
	if n == 0 {
		return nil
	}
	out := make([]string, n)
	for i := range out {
		out[i] = h.text()
	}
	return out
}

func (h *head) keys() []uint64 {
	n := h.size(8)
	if n == 0 {
		return nil
	}
	out := make([]uint64, n)
	for i := range out {
		out[i] = binary.BigEndian.Uint64(h.b)
		h.skip(8)
	}
	return out
}
