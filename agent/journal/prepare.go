package journal

import (
	"cmp"
	"fmt"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"

	"doorsync/protocol/wire"
)

// arrival is a Changes message made ready outside of the transaction: users
// encoded and sorted, so that the writer has only to store.
type arrival struct {
	wire.Changes
	users []arriving
	size  int
}

type arriving struct {
	guid   string
	change *wire.Change
	header        // since is open
	value  []byte // as stored, its header open
	bucket uint8
	rows   []indexed // if it is likely that all are new
}

// prepare makes messages ready, several at a time if there are several.
func (j *Journal) prepare(changes []wire.Changes) ([]*arrival, error) {
	out := make([]*arrival, len(changes))
	var g errgroup.Group
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i := range changes {
		out[i] = &arrival{Changes: changes[i]}
		if len(changes) == 1 {
			return out, j.prepareUsers(out[i])
		}
		g.Go(func() error { return j.prepareUsers(out[i]) })
	}
	return out, g.Wait()
}

func (j *Journal) prepareUsers(a *arrival) error {
	a.users = make([]arriving, 0, len(a.Users))
	for i := range a.Users {
		c := &a.Users[i]
		if err := validChange(c, a.Page); err != nil {
			return err
		}
		u := arriving{guid: c.GUID, change: c, bucket: wire.Bucket(c.GUID)}
		if !c.Gone {
			if err := j.prepareUser(&u); err != nil {
				return err
			}
			if a.Page != nil {
				u.rows = indexRows(c)
			}
		}
		a.size += len(u.value) + 128
		a.users = append(a.users, u)
	}
	slices.SortStableFunc(a.users, func(x, y arriving) int { return cmp.Compare(x.guid, y.guid) })
	return nil
}

func (j *Journal) prepareUser(u *arriving) (err error) {
	u.value, u.sum = encodeStored(u.change), u.change.Sum()
	u.tomb, err = j.isTombstone(u.change)
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
func indexRows(c *wire.Change) []indexed {
	ref := packRef(c.GUID)
	rows := make([]indexed, 0, len(c.IDs)+len(c.Keys))
	for _, id := range c.IDs {
		rows = append(rows, indexed{hash: idHash(id), ref: ref})
	}
	for _, k := range c.Keys {
		rows = append(rows, indexed{hash: k, ref: ref})
	}
	return rows
}
