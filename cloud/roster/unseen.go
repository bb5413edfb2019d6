package roster

import (
	"hash/maphash"

	"doorsync/protocol"
)

// unseen tells of user IDs and credentials that nobody has, without asking the
// store, which costs an import of new users more than anything else does. It is
// a Bloom filter in blocks of a line of the processor's cache: what it does not
// know may be there.
type unseen struct {
	seed maphash.Seed
	bits [][8]uint64
}

// An import asks once it has taken in so many new users, and looks at all users
// if there are not too many.
const (
	unseenAfter  = 1024
	unseenUsers  = 20_000
	unseenBlocks = 1 << 17 // 8 MiB: with 5,000,000 entries one in a hundred is asked for in vain
)

// lookAhead makes the filter, of everybody there is.
func (w *work) lookAhead() error {
	if err := w.written(); err != nil {
		return err
	}
	if n, err := w.tx.CountUsers(); err != nil || n > unseenUsers {
		return err
	}
	f := &unseen{seed: maphash.MakeSeed(), bits: make([][8]uint64, unseenBlocks)}
	var guids []string
	var bad error
	err := w.tx.UsersFrom("", func(u *UserRow) bool {
		guids = append(guids, u.GUID)
		var rec protocol.Record
		bad = w.r.codec.Unmarshal(u.Record, &rec)
		for _, k := range keysOf(rec) {
			f.add(string(k))
		}
		return bad == nil
	})
	if err == nil {
		err = bad
	}
	for _, guid := range guids {
		var ids []IDRow
		if err != nil {
			return err
		}
		ids, err = w.tx.IDsOf(guid)
		for _, row := range ids {
			f.add(row.ID)
		}
	}
	for id := range w.byID {
		f.add(id)
	}
	for k := range w.holders {
		f.add(string(k))
	}
	w.unseen = f
	return err
}

func (f *unseen) add(s string) {
	h := maphash.String(f.seed, s)
	b := &f.bits[h%unseenBlocks]
	for range 4 {
		h = h>>11 | h<<53
		b[h>>6&7] |= 1 << (h & 63)
	}
}

// lacks tells that nobody has it.
func (f *unseen) lacks(s string) bool {
	if f == nil {
		return false
	}
	h := maphash.String(f.seed, s)
	b := &f.bits[h%unseenBlocks]
	for range 4 {
		h = h>>11 | h<<53
		if b[h>>6&7]&(1<<(h&63)) == 0 {
			return true
		}
	}
	return false
}

// hold notes who has a credential in effect.
func (w *work) hold(k protocol.CredentialKey, guid string) {
	w.holders[k] = guid
	if w.unseen != nil {
		w.unseen.add(string(k))
	}
}
