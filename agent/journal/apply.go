package journal

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"

	"doorsync/protocol"
	"doorsync/protocol/wire"
)

// Apply stores changes of the roster, one after another and all in one
// transaction with everything else that waits. What is already held changes
// nothing. ErrGap says that one of them does not go on from what is held: then
// none is stored.
//
// Whether an edit of this site is still laid over a record is settled here and
// nowhere else: by the record that contains it.
func (j *Journal) Apply(ctx context.Context, changes ...wire.Changes) error {
	arrivals, err := j.arrivals(changes)
	if err != nil {
		return fmt.Errorf("apply changes: %w", err)
	}
	r := &request{do: func(t *txn) error {
		for _, a := range arrivals {
			if err := t.apply(a); err != nil {
				return err
			}
		}
		return nil
	}}
	for _, a := range arrivals {
		r.size += a.size
	}
	if err := j.submit(ctx, r); err != nil {
		return fmt.Errorf("apply changes: %w", err)
	}
	return nil
}

func (t *txn) apply(a *arrival) error {
	switch {
	case a.Page != nil:
		return t.applyPage(a)
	case a.Mend:
		return t.applyMend(a)
	default:
		return t.applyDelta(a)
	}
}

// applyDelta goes on from the revision held. A message that begins before it is
// welcome as well: users travel whole, as of its end.
func (t *txn) applyDelta(a *arrival) error {
	h := &t.mem.head
	fresh := h.Roster == "" && h.Revision == 0 && a.From == 0
	switch {
	case h.Snapshot:
		return fmt.Errorf("%w: a snapshot is under way", ErrGap)
	case a.Roster != h.Roster && !fresh:
		return fmt.Errorf("%w: they are of roster %q and %q is held", ErrGap, a.Roster, h.Roster)
	case a.From > h.Revision:
		return fmt.Errorf("%w: they begin at revision %d and %d is held", ErrGap, a.From, h.Revision)
	}
	if a.To > h.Revision || fresh {
		if err := t.storeUsers(a); err != nil {
			return err
		}
		if err := t.applySettings(a.Settings); err != nil {
			return err
		}
		h.Roster, h.Revision = a.Roster, a.To
	} else if a.To == h.Revision {
		if err := t.applySettings(a.Settings); err != nil {
			return err
		}
	}
	return t.settleFor(a)
}

// applyMend stores users that differed, unless what is held is newer by now.
func (t *txn) applyMend(a *arrival) error {
	h := &t.mem.head
	if h.Snapshot || a.Roster != h.Roster || a.To < h.Revision {
		return nil
	}
	return t.storeUsers(a)
}

// applyPage stores a page of a snapshot: all users of the site with a GUID in
// its range. Revision and overlay change with the last page, whose Journal must
// be as of the first: the users of all pages contain those edits.
func (t *txn) applyPage(a *arrival) error {
	h := &t.mem.head
	switch {
	case a.Page.After == "":
		t.startSnapshot(a)
	case !h.Snapshot || a.Roster != h.Roster:
		return fmt.Errorf("%w: a page of a snapshot that is not under way", ErrGap)
	case a.Page.UpTo != "" && a.Page.UpTo <= h.SnapAt:
		return nil
	case a.Page.After != h.SnapAt:
		return fmt.Errorf("%w: a page after %q and %q is held", ErrGap, a.Page.After, h.SnapAt)
	}
	if err := t.dropOthers(a); err != nil {
		return err
	}
	if err := t.storeUsers(a); err != nil {
		return err
	}
	if err := t.applySettings(a.Settings); err != nil {
		return err
	}
	h.SnapAt, h.Cursor = a.Page.UpTo, bytes.Clone(a.Page.Cursor)
	if a.Page.UpTo != "" {
		return nil
	}
	h.Revision = a.To
	h.Snapshot, h.SnapAt, h.Cursor = false, "", nil
	return t.settleFor(a)
}

// startSnapshot begins a snapshot. A revision of another roster, or one that the
// roster no longer has, must not be claimed for what happens meanwhile.
func (t *txn) startSnapshot(a *arrival) {
	h := &t.mem.head
	if h.Roster != a.Roster {
		h.Revision = 0
	} else if a.To > 0 {
		h.Revision = min(h.Revision, a.To)
	}
	h.Roster, h.Snapshot, h.SnapAt = a.Roster, true, ""
}

// settleFor drops the overlay of what the records held contain by now.
func (t *txn) settleFor(a *arrival) error {
	if a.Epoch != t.mem.head.Epoch {
		return nil
	}
	return t.settle(min(a.Journal, t.mem.head.Last))
}

func (t *txn) applySettings(s *wire.Settings) error {
	if s == nil {
		return nil
	}
	b, err := t.j.codec.Marshal(s)
	if err != nil {
		return fmt.Errorf("encode settings: %w", err)
	}
	if bytes.Equal(b, t.bucket(inMeta).Get(keySettings)) {
		return nil
	}
	if err := t.bucket(inMeta).Put(keySettings, b); err != nil {
		return err
	}
	before := t.mem.settings.Mode
	t.mem.setSettings(*s)
	t.all = true
	if after := t.mem.settings.Mode; after != before {
		_, err = t.entry(protocol.Entry{Event: protocol.EventModeChanged, Detail: fmt.Sprintf("from %s to %s", before, after)})
	}
	return err
}

func (t *txn) storeUsers(a *arrival) error {
	t.mem.head.Clock = protocol.Seen(t.mem.head.Clock, a.Stamp)
	records := t.bucket(inRecords)
	if a.Page != nil {
		records.FillPercent = 0.9 // they come in order
	}
	for i := range a.users {
		if err := t.storeUser(&a.users[i]); err != nil {
			return err
		}
	}
	return nil
}

// storeUser stores a user, or removes one whom the site need not know.
func (t *txn) storeUser(u *arriving) error {
	records, key := t.bucket(inRecords), []byte(u.guid)
	old, err := t.oldUser(u.guid)
	if err != nil {
		return err
	}
	switch {
	case u.gone && old == nil:
		return nil
	case u.gone:
		if err := t.changeUser(u, old); err != nil {
			return err
		}
		return records.Delete(key)
	case old != nil && bytes.Equal(old[headerSize:], u.value[headerSize:]) && wire.Sum(old) == u.sum:
		return nil
	}
	u.since = t.mem.head.Last
	u.put(u.value)
	if err := t.changeUser(u, old); err != nil {
		return err
	}
	return records.Put(key, u.value)
}

// oldUser returns a user as stored, nil if none is. Most of those of a first
// snapshot come after all that is held and need no search.
func (t *txn) oldUser(guid string) ([]byte, error) {
	if !t.knowLast {
		k, _ := t.bucket(inRecords).Cursor().Last()
		t.lastGUID, t.knowLast = string(k), true
	}
	if guid > t.lastGUID {
		t.lastGUID = guid
		return nil, nil
	}
	old := t.bucket(inRecords).Get([]byte(guid))
	if old == nil {
		return nil, nil
	}
	_, err := t.j.decodeHeader(guid, old)
	return old, err
}

// changeUser brings digest, index and watchers from the old state of a user to
// the new one; nil is none.
func (t *txn) changeUser(u *arriving, old []byte) error {
	if !t.ownSums {
		t.mem.sums, t.ownSums = &sums{buckets: t.mem.sums.buckets}, true
	}
	digest := &t.mem.sums.buckets[u.bucket]
	if old != nil {
		h, err := t.j.decodeHeader(u.guid, old)
		if err != nil {
			return err
		}
		digest.Toggle(h.digest())
	}
	if !u.gone {
		digest.Toggle(u.digest())
		t.touch(u.ids...)
		if old != nil && bytes.Equal(foundBy(old), foundBy(u.value)) {
			return nil
		}
	}
	return t.reindex(u, old)
}

// reindex brings the index from what a user was found by to what it is found by.
func (t *txn) reindex(u *arriving, old []byte) error {
	var before []indexed
	if old != nil {
		s, err := t.j.decodeStored(u.guid, old)
		if err != nil {
			return err
		}
		before = indexRows(u.guid, s.change.IDs, s.change.Keys)
		t.touch(s.change.IDs...)
	}
	if u.rows == nil {
		u.rows = indexRows(u.guid, u.ids, u.keys)
	}
	for _, row := range before {
		if !slices.Contains(u.rows, row) {
			t.adds = append(t.adds, indexed{hash: row.hash, ref: row.ref, gone: true})
		}
	}
	for _, row := range u.rows {
		if !slices.Contains(before, row) {
			t.adds = append(t.adds, row)
		}
	}
	return nil
}

// dropOthers removes users in a page's range that are not on it.
func (t *txn) dropOthers(a *arrival) error {
	var others []string
	c := t.bucket(inRecords).Cursor()
	for k, _ := c.Seek([]byte(a.Page.After)); k != nil; k, _ = c.Next() {
		guid := string(k)
		if a.Page.UpTo != "" && guid > a.Page.UpTo {
			break
		}
		_, listed := slices.BinarySearchFunc(a.users, guid, func(u arriving, g string) int { return strings.Compare(u.guid, g) })
		if guid > a.Page.After && !listed {
			others = append(others, guid)
		}
	}
	for _, guid := range others {
		u := arriving{guid: guid, gone: true, bucket: wire.Bucket(guid)}
		if err := t.storeUser(&u); err != nil {
			return err
		}
	}
	return nil
}
