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
	keys  map[string]bool
	table bool            // something changed, the reader does not say what
	cards []driver.Notice // unknown cards
}

func newInbox() inbox { return inbox{wake: make(chan struct{}, 1), keys: map[string]bool{}} }

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
	case n.Key == "" || len(b.keys) >= maxKeys:
		b.table = true
	default:
		b.keys[n.Key] = true
	}
	b.signal()
}

func (b *inbox) signal() {
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// retry has a row compared again.
func (b *inbox) retry(key string) { b.add(driver.Notice{Kind: driver.NoticeChanged, Key: key}) }

// take empties the inbox.
func (b *inbox) take() (keys []string, table bool, cards []driver.Notice) {
	b.mu.Lock()
	defer b.mu.Unlock()
	keys, table, cards = slices.Sorted(maps.Keys(b.keys)), b.table, b.cards
	clear(b.keys)
	b.table, b.cards = false, nil
	return keys, table, cards
}
