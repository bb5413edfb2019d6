package reader

import (
	"maps"
	"slices"
	"sync"

	"doorsync/firmware-bridge/driver"
)

// The inbox of signs from a reader is bounded: beyond it the whole table is
// read, and cards presented are not told one by one.
const (
	maxKeys  = 1000
	maxCards = 1000
)

// inbox collects what a reader tells until the session has time for it.
type inbox struct {
	wake  chan struct{}
	mu    sync.Mutex
	keys  map[string]string // row -> whose it may be, "" if nobody said
	table bool              // something changed, the reader does not say what
	cards []driver.Notice   // unknown cards
}

func newInbox() inbox { return inbox{wake: make(chan struct{}, 1), keys: map[string]string{}} }

// add takes a notice; it never blocks.
func (b *inbox) add(n driver.Notice) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case n.Kind == driver.NoticeEntered:
		return
	case n.Kind == driver.NoticeUnknown && len(b.cards) < maxCards:
		b.cards = append(b.cards, n)
	case n.Kind == driver.NoticeUnknown:
	case n.Key == "":
		b.table = true
	default:
		b.row(item{key: n.Key})
	}
	b.signal()
}

// look has rows compared again.
func (b *inbox) look(its ...item) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, it := range its {
		b.row(it)
	}
	b.signal()
}

func (b *inbox) row(it item) {
	if _, there := b.keys[it.key]; !there && len(b.keys) >= maxKeys {
		b.table = true
		return
	}
	if it.user != "" || b.keys[it.key] == "" {
		b.keys[it.key] = it.user
	}
}

func (b *inbox) signal() {
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// take empties the inbox.
func (b *inbox) take() (rows []item, table bool, cards []driver.Notice) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, key := range slices.Sorted(maps.Keys(b.keys)) {
		rows = append(rows, item{key, b.keys[key]})
	}
	table, cards = b.table, b.cards
	clear(b.keys)
	b.table, b.cards = false, nil
	return rows, table, cards
}
