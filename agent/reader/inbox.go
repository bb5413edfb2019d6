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
	told  bool              // by the reader; the session's own wishes are none
}

// signs is what an inbox held.
type signs struct {
	rows  []item
	table bool
	cards []driver.Notice
	told  bool
}

func newInbox() inbox { return inbox{wake: make(chan struct{}, 1), keys: map[string]string{}} }

// add takes a notice; it never blocks.
func (b *inbox) add(n driver.Notice) {
	if n.Kind == driver.NoticeEntered {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.told = true
	switch {
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
func (b *inbox) take() signs {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := signs{table: b.table, cards: b.cards, told: b.told}
	for _, key := range slices.Sorted(maps.Keys(b.keys)) {
		out.rows = append(out.rows, item{key, b.keys[key]})
	}
	clear(b.keys)
	b.table, b.cards, b.told = false, nil, false
	return out
}
