package sqlstore

import (
	"encoding/binary"

	"doorsync/cloud/roster"
	"doorsync/cloud/roster/packed"
	"doorsync/protocol"
)

// What no statement selects by stands in one column, the head of a user, and the
// rest of an event: it is read and written with the row, and a column of its own
// for each would cost more than what is in it.

func packHead(b []byte, r *roster.UserRow) []byte {
	for _, n := range []uint64{r.Created, r.Removed, r.Foreign} {
		b = packed.Uint(b, n)
	}
	for _, s := range []string{r.Site, r.EnrolledBy, r.ChangedBy, r.MergedInto} {
		b = packed.Text(b, s)
	}
	b = packed.Texts(packed.Texts(packed.Bool(b, r.Inactive), r.IDs), r.Groups)
	b = packed.Uint(b, uint64(len(r.Keys)))
	for _, k := range r.Keys {
		b = binary.BigEndian.AppendUint64(b, k)
	}
	b = packed.Uint(append(b, r.Sum[:]...), uint64(len(r.Known)))
	for _, s := range r.Known {
		b = packed.Text(b, s)
	}
	return b
}

func unpackHead(b []byte, r *roster.UserRow) error {
	h := packed.Read(b)
	r.Created, r.Removed, r.Foreign = h.Uint(), h.Uint(), h.Uint()
	r.Site, r.EnrolledBy, r.ChangedBy, r.MergedInto = h.Text(), h.Text(), h.Text(), h.Text()
	r.Inactive = h.Bool()
	r.IDs, r.Groups = h.Texts(), h.Texts()
	r.Keys = nil
	if n := h.Size(8); n > 0 {
		r.Keys = make([]uint64, n)
		for i := range r.Keys {
			r.Keys[i] = binary.BigEndian.Uint64(h.Bytes(8))
		}
	}
	copy(r.Sum[:], h.Bytes(len(r.Sum)))
	r.Known = nil
	if h.More() { // schema 2 had heads that end here
		r.Known = sources(h.Texts())
	}
	return h.End()
}

func sources(names []string) []protocol.Source {
	if len(names) == 0 {
		return nil
	}
	out := make([]protocol.Source, len(names))
	for i, name := range names {
		out[i] = protocol.Source(name)
	}
	return out
}

func packEvent(b []byte, e *roster.Event) []byte {
	b = append(b, e.ID[:]...)
	for _, s := range []string{e.Epoch, e.ReaderID, e.GUID, e.Detail, e.Actor} {
		b = packed.Text(b, s)
	}
	return b
}

func unpackEvent(b []byte, e *roster.Event) error {
	r := packed.Read(b)
	copy(e.ID[:], r.Bytes(len(e.ID)))
	e.Epoch, e.ReaderID, e.GUID, e.Detail, e.Actor = r.Text(), r.Text(), r.Text(), r.Text(), r.Text()
	return r.End()
}
