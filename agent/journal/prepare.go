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
	value  []byte // header and change; only the header's revisions are open
	sum    wire.Sum
	bucket uint8
	rows   []indexed
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
		u := arriving{guid: c.GUID, change: c, sum: c.Sum(), bucket: wire.Bucket(c.GUID)}
		if !c.Gone {
			u.rows = indexRows(c)
			var err error
			if u.value, err = j.encodeStored(c, u.sum); err != nil {
				return err
			}
		}
		a.size += len(u.value) + 128
		a.users = append(a.users, u)
	}
	slices.SortStableFunc(a.users, func(x, y arriving) int { return cmp.Compare(x.guid, y.guid) })
	return nil
}

// encodeStored encodes a change behind room for the header, in one piece of
// memory.
func (j *Journal) encodeStored(c *wire.Change, sum wire.Sum) ([]byte, error) {
	enc, err := j.codec.Marshal(c)
	if err != nil {
		return nil, fmt.Errorf("encode user %s: %w", c.GUID, err)
	}
	value := make([]byte, headerSize, headerSize+len(enc))
	putHeader(value, sum, 0, 0)
	return append(value, enc...), nil
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
