package roster

import (
	"container/list"
	"slices"
)

// cache keeps the users used last, as they are stored, up to a size. Decoding
// what an edit needs of one costs less than having all of it decoded does, in
// memory and in the collector's time. Only the writer uses it.
type cache struct {
	limit, size int
	order       *list.List // of *storedUser, last used first
	byGUID      map[string]*list.Element
	byID        map[string]*list.Element // user IDs that find a cached user everywhere
}

func newCache(limit int) *cache {
	return &cache{limit: limit, order: list.New(), byGUID: map[string]*list.Element{}, byID: map[string]*list.Element{}}
}

func (c *cache) get(guid string) *storedUser {
	return c.use(c.byGUID[guid])
}

func (c *cache) has(guid string) bool { return c.byGUID[guid] != nil }

// find returns how the ID finds a cached user.
func (c *cache) find(id string) (IDRow, bool) {
	u := c.use(c.byID[id])
	if u == nil {
		return IDRow{}, false
	}
	for _, row := range u.ids {
		if row.ID == id {
			return row, true
		}
	}
	return IDRow{}, false
}

func (c *cache) use(e *list.Element) *storedUser {
	if e == nil {
		return nil
	}
	c.order.MoveToFront(e)
	return e.Value.(*storedUser)
}

// put takes in a user as it is now, in place of what was known of it.
func (c *cache) put(u *storedUser) {
	e := c.byGUID[u.row.GUID]
	if e == nil {
		e = c.order.PushFront(u)
		c.byGUID[u.row.GUID] = e
		c.enter(e, u)
	} else {
		c.replace(e, u)
	}
	c.size += u.size()
	for c.size > c.limit && c.order.Len() > 1 {
		c.drop(c.order.Back().Value.(*storedUser).row.GUID)
	}
}

func (c *cache) replace(e *list.Element, u *storedUser) {
	old := e.Value.(*storedUser)
	c.size -= old.size()
	if !slices.Equal(old.ids, u.ids) {
		c.strike(e, old)
		c.enter(e, u)
	}
	e.Value = u
	c.order.MoveToFront(e)
}

// enter and strike keep who is found by which user ID.
func (c *cache) enter(e *list.Element, u *storedUser) {
	for _, row := range u.ids {
		c.byID[row.ID] = e
	}
}

func (c *cache) strike(e *list.Element, u *storedUser) {
	for _, row := range u.ids {
		if c.byID[row.ID] == e {
			delete(c.byID, row.ID)
		}
	}
}

func (c *cache) drop(guid string) {
	e := c.byGUID[guid]
	if e == nil {
		return
	}
	u := c.order.Remove(e).(*storedUser)
	delete(c.byGUID, guid)
	c.strike(e, u)
	c.size -= u.size()
}
