package roster

import "container/list"

// cache keeps the users used last, decoded, up to a size. Only the writer uses
// it.
type cache struct {
	limit, size int
	order       *list.List // of *user, last used first
	byGUID      map[string]*list.Element
	byID        map[string]*list.Element // user IDs that find a cached user everywhere
}

func newCache(limit int) *cache {
	return &cache{limit: limit, order: list.New(), byGUID: map[string]*list.Element{}, byID: map[string]*list.Element{}}
}

func (c *cache) get(guid string) *user {
	return c.use(c.byGUID[guid])
}

// find returns the cached user whom the ID finds, and how it does.
func (c *cache) find(id string) (*user, IDRow) {
	u := c.use(c.byID[id])
	if u == nil {
		return nil, IDRow{}
	}
	for _, row := range u.ids {
		if row.ID == id {
			return u, row
		}
	}
	return nil, IDRow{}
}

func (c *cache) use(e *list.Element) *user {
	if e == nil {
		return nil
	}
	c.order.MoveToFront(e)
	return e.Value.(*user)
}

// put takes in a user as it is now, in place of what was known of it.
func (c *cache) put(u *user) {
	c.drop(u.row.GUID)
	e := c.order.PushFront(u)
	c.byGUID[u.row.GUID] = e
	for _, row := range u.ids {
		c.byID[row.ID] = e
	}
	c.size += u.size
	for c.size > c.limit && c.order.Len() > 1 {
		c.drop(c.order.Back().Value.(*user).row.GUID)
	}
}

func (c *cache) drop(guid string) {
	e := c.byGUID[guid]
	if e == nil {
		return
	}
	u := c.order.Remove(e).(*user)
	delete(c.byGUID, guid)
	for _, row := range u.ids {
		if c.byID[row.ID] == e {
			delete(c.byID, row.ID)
		}
	}
	c.size -= u.size
}
