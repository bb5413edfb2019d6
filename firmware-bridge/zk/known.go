package zk

import (
	"crypto/sha256"
	"slices"
	"time"

	"doorsync/firmware-bridge/zk/frame"
)

// known is what the session remembers of the terminal's table: slot numbers
// and records, for writing without destroying what it does not understand, and
// what fingers there are, so that none is written twice. It is kept for as long
// as the terminal is connected, so it is small: some 400 bytes for a user with
// two fingers.
type known struct {
	valid  bool
	read   time.Time // when it was last read, zero after a write
	layout frame.Layout
	byID   map[string]held
	byUID  map[uint16]string
	last   uint16             // the highest slot in use
	prints map[uint16][]print // nil: not read
	count  int                // of templates that the terminal should report, given prints
	sizes  frame.Sizes        // counts when the users were read or last written
}

// held is a user's slot and record.
type held struct {
	uid    uint16
	record string
}

// print is what is remembered of a template.
type print struct {
	finger, flag uint8
	size         uint16
	sum          [16]byte
}

func printOf(t frame.Template) print {
	sum := sha256.Sum256(t.Data)
	return print{finger: t.Finger, flag: t.Flag, size: uint16(len(t.Data)), sum: [16]byte(sum[:16])}
}

// user returns the record of a user ID.
func (k *known) user(id string) (frame.User, bool) {
	h, ok := k.byID[id]
	if !ok {
		return frame.User{}, false
	}
	u, err := k.layout.Parse([]byte(h.record))
	return u, err == nil
}

func (k *known) put(u frame.User) {
	if old, ok := k.byUID[u.UID]; ok {
		delete(k.byID, old)
	}
	k.byID[u.UserID], k.byUID[u.UID] = held{u.UID, string(u.Raw)}, u.UserID
	k.last = max(k.last, u.UID)
}

func (k *known) remove(u frame.User) {
	delete(k.byID, u.UserID)
	delete(k.byUID, u.UID)
	k.forgetPrints(u.UID)
}

func (k *known) forgetPrints(uid uint16) {
	k.count -= len(k.prints[uid])
	delete(k.prints, uid)
}

// print returns what is remembered of a finger.
func (k *known) print(uid uint16, finger uint8) (print, bool) {
	i := slices.IndexFunc(k.prints[uid], func(p print) bool { return p.finger == finger })
	if i < 0 {
		return print{}, false
	}
	return k.prints[uid][i], true
}

func (k *known) setPrint(t frame.Template) {
	k.dropPrint(t.UID, t.Finger)
	k.prints[t.UID] = append(k.prints[t.UID], printOf(t))
	k.count++
}

// dropPrint forgets a finger. It changes no slice that somebody may be walking.
func (k *known) dropPrint(uid uint16, finger uint8) {
	if _, ok := k.print(uid, finger); !ok {
		return
	}
	k.count--
	k.prints[uid] = slices.DeleteFunc(slices.Clone(k.prints[uid]), func(p print) bool { return p.finger == finger })
	if len(k.prints[uid]) == 0 {
		delete(k.prints, uid)
	}
}

// freeSlot is a slot that no user and no left-over template has.
func (k *known) freeSlot() (uint16, bool) {
	const highest = 65534
	if k.last < highest {
		for uid := k.last + 1; uid <= highest; uid++ {
			if len(k.prints[uid]) == 0 {
				return uid, true
			}
		}
	}
	for uid := uint16(1); uid <= highest; uid++ {
		if _, taken := k.byUID[uid]; !taken && len(k.prints[uid]) == 0 {
			return uid, true
		}
	}
	return 0, false
}

// unchanged reports whether the counts are those at which the table was known.
// Everything done at a terminal's keys moves one of them.
func (k *known) unchanged(s frame.Sizes) bool {
	return k.valid && k.sizes.Users == s.Users && k.sizes.Templates == s.Templates && k.sizes.Oplog == s.Oplog &&
		k.sizes.Admins == s.Admins && k.sizes.Passwords == s.Passwords
}
