package uhpposim

import (
	"fmt"

	"doorsync/firmware-bridge/uhppote/packet"
)

// table is a card table of slots: a deleted card leaves its slot marked until
// another card takes it.
type table struct {
	slots    []packet.Card
	where    map[uint32]int
	free     []int
	capacity int
}

func newTable(capacity int) table {
	return table{where: map[uint32]int{}, capacity: capacity}
}

func (t *table) put(c packet.Card) error {
	if packet.Illegal(c.Number) {
		return fmt.Errorf("put card: %w", ErrIllegal)
	}
	if i, ok := t.where[c.Number]; ok {
		t.slots[i] = c
		return nil
	}
	i := len(t.slots)
	if n := len(t.free); n > 0 {
		i, t.free = t.free[n-1], t.free[:n-1]
		t.slots[i] = c
	} else if i >= t.capacity {
		return fmt.Errorf("put card: %w", ErrFull)
	} else {
		t.slots = append(t.slots, c)
	}
	t.where[c.Number] = i
	return nil
}

func (t *table) delete(number uint32) bool {
	i, ok := t.where[number]
	if !ok {
		return false
	}
	t.slots[i] = packet.Card{Number: packet.DeletedCard}
	t.free = append(t.free, i)
	delete(t.where, number)
	return true
}

func (t *table) clear() { *t = newTable(t.capacity) }

func (t *table) count() int { return len(t.where) }

func (t *table) find(number uint32) (packet.Card, bool) {
	i, ok := t.where[number]
	if !ok {
		return packet.Card{}, false
	}
	return t.slots[i], true
}

// at is the card in a slot, counted from 1; its number tells of an empty one.
func (t *table) at(slot uint32) packet.Card {
	if slot < 1 || uint64(slot) > uint64(len(t.slots)) {
		return packet.Card{}
	}
	return t.slots[slot-1]
}

func (t *table) cards() []packet.Card {
	out := make([]packet.Card, 0, len(t.where))
	for _, c := range t.slots {
		if c.Number != packet.DeletedCard {
			out = append(out, c)
		}
	}
	return out
}

// ring is the event log: numbered from 1, the oldest give way.
type ring struct {
	capacity int
	events   []packet.Event // consecutive
	mark     uint32         // the index that clients may leave
}

func (r *ring) add(e packet.Event) packet.Event {
	e.Index = r.last().Index + 1
	r.events = append(r.events, e)
	if extra := len(r.events) - r.capacity; extra > 0 {
		r.events = r.events[extra:]
	}
	return e
}

func (r *ring) clear() { r.events, r.mark = nil, 0 }

func (r *ring) last() packet.Event {
	if len(r.events) == 0 {
		return packet.Event{}
	}
	return r.events[len(r.events)-1]
}

func (r *ring) get(index uint32) packet.Event {
	switch {
	case len(r.events) == 0:
		return packet.Event{}
	case index == packet.FirstEvent:
		return r.events[0]
	case index == packet.LastEvent:
		return r.last()
	case index < r.events[0].Index:
		return packet.Event{Type: packet.EventOverwritten}
	case index > r.last().Index:
		return packet.Event{}
	default:
		return r.events[index-r.events[0].Index]
	}
}

func (r *ring) setMark(index uint32) bool {
	if index == r.mark || index > r.last().Index {
		return false
	}
	r.mark = index
	return true
}
