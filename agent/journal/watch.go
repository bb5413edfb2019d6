package journal

import (
	"maps"
	"slices"
	"sync"
)

// maxTold is how many changed users a subscriber is told of one by one.
const maxTold = 10_000

// watchers are those who want to know of commits.
type watchers struct {
	appended chan struct{}
	mu       sync.Mutex
	next     chan struct{} // closed by the next entry; nil if nobody asked
	subs     map[*Subscription]struct{}
}

// Subscription tells which users changed. What is not taken adds up, bounded:
// more than 10,000 users become all.
type Subscription struct {
	w   *watchers
	c   chan struct{}
	mu  sync.Mutex
	ids map[string]struct{}
	all bool
}

// Subscribe starts a subscription to changed users, from now on.
func (j *Journal) Subscribe() *Subscription {
	s := &Subscription{w: &j.watchers, c: make(chan struct{}, 1), ids: map[string]struct{}{}}
	j.watchers.mu.Lock()
	defer j.watchers.mu.Unlock()
	if j.watchers.subs == nil {
		j.watchers.subs = map[*Subscription]struct{}{}
	}
	j.watchers.subs[s] = struct{}{}
	return s
}

// C wakes when there is something to take.
func (s *Subscription) C() <-chan struct{} { return s.c }

// Take returns the IDs of the users that changed since the last Take, sorted, or
// that any may have.
func (s *Subscription) Take() (ids []string, all bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	ids, all = slices.Sorted(maps.Keys(s.ids)), s.all
	s.ids, s.all = map[string]struct{}{}, false
	if all {
		ids = nil
	}
	return ids, all
}

// Close ends the subscription.
func (s *Subscription) Close() {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	delete(s.w.subs, s)
}

func (s *Subscription) add(ids map[string]struct{}, all bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all = s.all || all || len(s.ids)+len(ids) > maxTold; s.all {
		clear(s.ids)
	} else {
		maps.Copy(s.ids, ids)
	}
	wakeUp(s.c)
}

// Appended wakes the uplink after entries were added. It has one listener.
func (j *Journal) Appended() <-chan struct{} { return j.watchers.appended }

// Next returns a channel that is closed when the next entry is added, for any
// number of followers. Ask for it before reading what is there.
func (j *Journal) Next() <-chan struct{} {
	j.watchers.mu.Lock()
	defer j.watchers.mu.Unlock()
	if j.watchers.next == nil {
		j.watchers.next = make(chan struct{})
	}
	return j.watchers.next
}

// tell wakes everybody whom a commit concerns.
func (w *watchers) tell(t *txn) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if t.appended {
		wakeUp(w.appended)
		if w.next != nil {
			close(w.next)
			w.next = nil
		}
	}
	if len(t.changed) == 0 && !t.all {
		return
	}
	for s := range w.subs {
		s.add(t.changed, t.all)
	}
}

func wakeUp(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
