package journal

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"slices"

	"doorsync/protocol"
	"doorsync/protocol/wire"
)

// pendingEdit is an edit of this site that the record held does not contain.
type pendingEdit struct {
	number uint64
	stamp  protocol.Stamp
	new    bool
	values []saidValue
	claims []uint64       // hashes of the credentials given and not refused
	edit   *protocol.Edit // all of it, if whole
}

type saidValue struct {
	field protocol.Field
	value protocol.Value
}

// pendingOf is an edit without what taking in another one does not need.
func pendingOf(number uint64, at protocol.Stamp, e *protocol.Edit) pendingEdit {
	p := pendingEdit{number: number, stamp: at, new: e.New}
	for f, v := range e.Values {
		p.values = append(p.values, saidValue{f, v})
	}
	for _, c := range e.Given {
		if k := c.Key(); !slices.Contains(e.Refused, k) {
			p.claims = append(p.claims, wire.KeyHash(k))
		}
	}
	return p
}

// size is about what the edit takes in memory, with its place in lists.
func (p *pendingEdit) size(id string) int {
	n := 192 + len(id) + 8*len(p.claims)
	for _, v := range p.values {
		n += 48 + len(v.field) + len(v.value.First) + len(v.value.Second)
	}
	return n
}

// pending returns what is pending under a user ID, in order.
func (r *reading) pending(id string, d depth) ([]pendingEdit, error) {
	if d == valuesOnly && r.unsettled != nil && r.unsettled.complete {
		return r.unsettled.under(id), nil
	}
	var out []pendingEdit
	prefix := overlayPrefix(id)
	c := r.bucket(inLocal).Cursor()
	for k, _ := c.Seek(prefix); len(k) == len(prefix)+8 && bytes.HasPrefix(k, prefix); k, _ = c.Next() {
		e, err := r.pendingAt(lastNumber(k), d)
		if err != nil {
			return nil, err
		}
		out = append(out, e)
	}
	return out, nil
}

func (r *reading) pendingAt(number uint64, d depth) (pendingEdit, error) {
	e, err := r.entryAt(number)
	if err == nil && e.Edit == nil {
		err = r.j.damaged(fmt.Errorf("entry %d holds no edit", number))
	}
	if err != nil {
		return pendingEdit{}, err
	}
	p := pendingOf(number, e.Stamp, e.Edit)
	if d == whole {
		p.edit = e.Edit
	}
	return p, nil
}

// Bounds of what the writer keeps of pending edits: in memory, and in entries to
// read when it begins to.
const (
	maxPending     = 16 << 20
	pendingEntries = 4096
)

// pendings are the edits that are pending, values only, so that an edit costs the
// same however many others wait for the center. They are the writer's, true as of
// the last commit. If they grow too many none is kept and the file is asked, until
// few are left.
type pendings struct {
	complete bool // these are all
	by       map[string][]pendingEdit
	order    []pendingKey
	bytes    int
}

// pendingKey names a pending edit.
type pendingKey struct {
	number uint64
	id     string // of the user
}

func (p *pendings) add(id string, e pendingEdit) {
	p.by[id] = append(p.by[id], e)
	p.order = append(p.order, pendingKey{e.number, id})
	p.bytes += e.size(id)
}

// dropFirst forgets the oldest edit.
func (p *pendings) dropFirst() {
	id := p.order[0].id
	edits := p.by[id]
	p.bytes -= edits[0].size(id)
	edits[0], p.order[0] = pendingEdit{}, pendingKey{}
	p.order = p.order[1:]
	if p.by[id] = edits[1:]; len(edits) == 1 {
		delete(p.by, id)
	}
	if len(p.order) == 0 {
		p.order = nil
	}
}

// readPendings reads what is pending, unless it is much. Damage is for those to
// meet who need what is damaged.
func (r *reading) readPendings() *pendings {
	p := &pendings{complete: true, by: map[string][]pendingEdit{}}
	if r.m.head.Last > r.m.head.Settled+pendingEntries {
		return &pendings{}
	}
	err := r.eachPending(func(id string, e pendingEdit) bool {
		p.add(id, e)
		return p.bytes <= r.j.keep
	})
	if err != nil || p.bytes > r.j.keep {
		return &pendings{}
	}
	return p
}

// eachPending calls fn with what is pending, in order, until it returns false.
func (r *reading) eachPending(fn func(id string, e pendingEdit) bool) error {
	c := r.bucket(inEntries).Cursor()
	for k, v := c.Seek(numberKey(r.m.head.Settled + 1)); k != nil; k, v = c.Next() {
		var e protocol.Entry
		if err := r.j.codec.Unmarshal(v, &e); err != nil {
			return r.j.damaged(fmt.Errorf("entry %d: %w", lastNumber(k), err))
		}
		if e.Edit != nil && !fn(e.UserID, pendingOf(lastNumber(k), e.Stamp, e.Edit)) {
			return nil
		}
	}
	return nil
}

// unsettled are the pending edits as a transaction sees them that adds some and
// settles others.
type unsettled struct {
	*pendings
	head  *head                    // of the transaction
	was   uint64                   // Settled when it began
	fresh map[string][]pendingEdit // of the IDs that the transaction adds to
	added []pendingKey
	bytes int
}

func (u *unsettled) add(id string, e pendingEdit) {
	if !u.complete {
		return
	}
	if u.fresh == nil {
		u.fresh = map[string][]pendingEdit{}
	}
	edits, ok := u.fresh[id]
	if !ok {
		edits = u.by[id] // what is appended is nobody's if the transaction fails
	}
	u.fresh[id] = append(edits, e)
	u.added = append(u.added, pendingKey{e.number, id})
	u.bytes += e.size(id)
}

func (u *unsettled) under(id string) []pendingEdit {
	edits, ok := u.fresh[id]
	if !ok {
		edits = u.by[id]
	}
	from := 0
	for from < len(edits) && edits[from].number <= u.head.Settled {
		from++
	}
	return slices.Clip(edits[from:])
}

// upTo returns the edits up to a number that are not settled yet.
func (u *unsettled) upTo(number uint64) (keys []pendingKey, edits []pendingEdit) {
	for _, list := range [][]pendingKey{u.order, u.added} {
		for _, k := range list {
			if k.number <= u.head.Settled {
				continue
			}
			if k.number > number {
				return keys, edits
			}
			under := u.under(k.id)
			i, _ := slices.BinarySearchFunc(under, k.number, func(e pendingEdit, n uint64) int { return cmp.Compare(e.number, n) })
			keys, edits = append(keys, k), append(edits, under[i])
		}
	}
	return keys, edits
}

// commit makes true for the writer what a transaction made true in the file. It
// returns nil when the pending edits are to be read again.
func (u *unsettled) commit(keep int) *pendings {
	p := u.pendings
	if !p.complete {
		if u.head.Settled > u.was && u.head.Last < u.head.Settled+pendingEntries {
			return nil
		}
		return p
	}
	maps.Copy(p.by, u.fresh)
	p.order, p.bytes = append(p.order, u.added...), p.bytes+u.bytes
	for len(p.order) > 0 && p.order[0].number <= u.head.Settled {
		p.dropFirst()
	}
	if p.bytes > keep {
		return &pendings{}
	}
	return p
}
