package wire

import (
	"slices"
	"sync"
	"sync/atomic"
)

// Taps are those who watch the traffic. The zero value is ready; nobody
// watching costs nothing.
type Taps struct {
	mu  sync.Mutex
	all atomic.Pointer[[]*tap]
}

type tap struct{ show func(Shown) }

// Add begins to show every message; stop ends it. show must not block.
func (t *Taps) Add(show func(Shown)) (stop func()) {
	mine := &tap{show: show}
	t.change(func(all []*tap) []*tap { return append(all, mine) })
	return func() {
		t.change(func(all []*tap) []*tap {
			return slices.DeleteFunc(all, func(o *tap) bool { return o == mine })
		})
	}
}

func (t *Taps) change(f func([]*tap) []*tap) {
	t.mu.Lock()
	defer t.mu.Unlock()
	var all []*tap
	if old := t.all.Load(); old != nil {
		all = slices.Clone(*old)
	}
	all = f(all)
	t.all.Store(&all)
}

// Show calls make, once, if anybody watches.
func (t *Taps) Show(make func() Shown) {
	all := t.all.Load()
	if all == nil || len(*all) == 0 {
		return
	}
	m := make()
	for _, one := range *all {
		one.show(m)
	}
}
