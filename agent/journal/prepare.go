package journal

import (
	"cmp"
	"fmt"
	"slices"

	"doorsync/protocol/wire"
)

// arrival is a Changes message made ready outside of the transaction: users
// encoded and sorted, so that the writer has only to store.
type arrival struct {
	wire.Changes
	users []arriving
	size  int
	err   error // why none of it can be stored
}

type arriving struct {
	guid   string
	ids    []string
	keys   []uint64
	gone   bool
	bucket uint8
	header           // since is open
	value  []byte    // as stored, its header open
	rows   []indexed // if it is likely that all are new
}

// Prepare does ahead of Apply what needs no transaction, so that it can be done
// while earlier changes are committed. The records leave c.Users for c.Ready.
// What is wrong with c is for Apply to say.
func (j *Journal) Prepare(c *wire.Changes) {
	c.Ready = j.prepare(c)
	for i := range c.Users {
		c.Users[i].Record = nil
	}
}

// arrivals are changes made ready, those that are not yet now.
func (j *Journal) arrivals(changes []wire.Changes) ([]*arrival, error) {
	out := make([]*arrival, len(changes))
	for i := range changes {
		a, ok := changes[i].Ready.(*arrival)
		if !ok {
			a = j.prepare(&changes[i])
		}
		if a.err != nil {
			return nil, a.err
		}
		out[i] = a
	}
	return out, nil
}

func (j *Journal) prepare(c *wire.Changes) *arrival {
	a := &arrival{Changes: *c}
	a.Users = nil // the message can go
	a.err = j.prepareUsers(a, c.Users)
	return a
}

func (j *Journal) prepareUsers(a *arrival, changes []wire.Change) error {
	a.users = make([]arriving, 0, len(changes))
	for i := range changes {
		c := &changes[i]
		if err := validChange(c, a.Page); err != nil {
			return err
		}
		u := arriving{guid: c.GUID, ids: c.IDs, keys: c.Keys, gone: c.Gone, bucket: wire.Bucket(c.GUID)}
		if !c.Gone {
			if err := j.prepareUser(&u, c); err != nil {
				return err
			}
			if a.Page != nil {
				u.rows = indexRows(u.guid, u.ids, u.keys)
			}
		}
		a.size += len(u.value) + 128
		a.users = append(a.users, u)
	}
	slices.SortStableFunc(a.users, func(x, y arriving) int { return cmp.Compare(x.guid, y.guid) })
	return nil
}

func (j *Journal) prepareUser(u *arriving, c *wire.Change) (err error) {
	u.value, u.sum = encodeStored(c), c.Sum()
	u.tomb, err = j.isTombstone(c)
	return err
}

// longestTombstone is what the record of a deleted user may have: nothing but
// its GUID and that it was deleted. Longer ones need not be decoded.
const longestTombstone = 256

func (j *Journal) isTombstone(c *wire.Change) (bool, error) {
	if len(c.Record) > longestTombstone || len(c.Keys) > 0 {
		return false, nil
	}
	rec, err := j.codec.UnmarshalValues(c.Record)
	if err != nil {
		return false, fmt.Errorf("%w: record of user %s: %w", ErrMalformed, c.GUID, err)
	}
	return rec.Removed, nil
}

func validChange(c *wire.Change, page *wire.Page) error {
	switch {
	case c.GUID == "" || len(c.GUID) > maxGUID:
		return fmt.Errorf("%w: a user needs a GUID of 1 to %d bytes", ErrMalformed, maxGUID)
	case page != nil && (c.GUID <= page.After || page.UpTo != "" && c.GUID > page.UpTo):
		return fmt.Errorf("%w: user %s does not belong on the page", ErrMalformed, c.GUID)
	case c.Gone:
		return nil
	case len(c.Record) == 0:
		return fmt.Errorf("%w: user %s has no record", ErrMalformed, c.GUID)
	}
	for _, id := range c.IDs {
		if id == "" || len(id) > maxID {
			return fmt.Errorf("%w: user %s has a user ID of %d bytes", ErrMalformed, c.GUID, len(id))
		}
	}
	return nil
}

// indexRows are what a user is found by.
func indexRows(guid string, ids []string, keys []uint64) []indexed {
	ref := packRef(guid)
	rows := make([]indexed, 0, len(ids)+len(keys))
	for _, id := range ids {
		rows = append(rows, indexed{hash: idHash(id), ref: ref})
	}
	for _, k := range keys {
		rows = append(rows, indexed{hash: k, ref: ref})
	}
	return rows
}
