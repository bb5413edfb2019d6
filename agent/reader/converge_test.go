package reader

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"doorsync/agent/journal"
	"doorsync/firmware-bridge/driver"
	"doorsync/protocol"
	"doorsync/protocol/wire"
)

// Whatever is done at two readers and at the office, in whatever order, with
// connections that break and an agent that is stopped in the middle: in the end
// both readers hold exactly what the site's users amount to, and nobody who was
// enrolled is lost.
func TestConverge(t *testing.T) {
	for seed := range uint64(12) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			inSite(t, func(s *site) { converge(s, rand.New(rand.NewPCG(seed, 7))) })
		})
	}
}

// world is a site with two readers and what was done to it.
type world struct {
	*site
	rnd      *rand.Rand
	fakes    []*fake
	readers  []*Reader
	stops    []func()
	enrolled map[string]bool
}

func converge(s *site, rnd *rand.Rand) {
	w := &world{site: s, rnd: rnd, enrolled: map[string]bool{}}
	s.office()
	for i := range 2 {
		f := newFake()
		f.serial, f.plain = fmt.Sprint("R", i), rnd.IntN(3) == 0
		w.fakes, w.readers, w.stops = append(w.fakes, f), append(w.readers, nil), append(w.stops, nil)
		w.up(i)
	}
	for range 60 {
		w.step()
	}
	for i, f := range w.fakes {
		f.set(func() { f.down, f.beforeOK = nil, nil })
		if w.stops[i] == nil {
			w.up(i)
		}
	}
	later(5 * time.Minute)
	w.syncAll()
	w.syncAll() // the second one carries what the first one found
	for i := range w.fakes {
		w.check(i)
		w.stops[i]()
	}
}

func (w *world) up(i int) {
	w.readers[i], w.stops[i] = w.start(w.fakes[i], func(o *Options) { o.Name = fmt.Sprint("reader", i) })
}

func (w *world) step() {
	i := w.rnd.IntN(2)
	f := w.fakes[i]
	id := fmt.Sprint(1 + w.rnd.IntN(6))
	switch w.rnd.IntN(9) {
	case 0, 1:
		row := person(id, "", w.card())
		if f.plain || w.rnd.IntN(2) == 0 {
			row = person(id, fmt.Sprint("N", w.rnd.IntN(4)), w.card())
		}
		f.enter(row)
	case 2:
		f.enter(person(id, fmt.Sprint("N", w.rnd.IntN(4))))
	case 3:
		f.drop(id)
	case 4, 5:
		p := patch{id: "o" + id, name: fmt.Sprint("O", w.rnd.IntN(4)), removed: w.rnd.IntN(4) == 0}
		w.office(p)
	case 6:
		down := error(nil)
		if w.rnd.IntN(2) == 0 {
			down = errors.New("no route")
		}
		f.set(func() { f.down = down })
	case 7:
		w.restart(i)
	case 8:
		fail := error(nil)
		if w.rnd.IntN(2) == 0 {
			fail = errors.New("killed after the write")
		}
		f.set(func() { f.beforeOK = func() error { return fail } })
	}
	later(time.Duration(w.rnd.IntN(3)) * time.Second)
	w.note()
}

func (w *world) card() protocol.Credential { return protocol.Card(100 + w.rnd.Uint64N(8)) }

func (w *world) restart(i int) {
	if w.stops[i] != nil {
		w.stops[i]()
		w.stops[i] = nil
		return
	}
	w.up(i)
}

// note remembers whom the journal has as enrolled.
func (w *world) note() {
	for e, err := range w.Entries(journal.Query{Events: []protocol.Event{protocol.EventEnrolled}}) {
		w.must(err)
		w.enrolled[e.UserID] = true
	}
}

func (w *world) syncAll() {
	for _, r := range w.readers {
		if _, err := r.Sync(w.Context(), Order{ConfirmDeletes: true, Restore: true}); err != nil {
			w.Error(err)
		}
		later(time.Minute)
	}
}

// check compares a reader with the users in effect.
func (w *world) check(i int) {
	f := w.fakes[i]
	want := map[string]driver.Held{}
	w.must(w.Users(context.Background(), func(v journal.View) error {
		rows, _ := fakeSession{f}.Project(v.User)
		for _, r := range rows {
			want[r.Key] = r.Lean()
		}
		delete(w.enrolled, v.User.ID)
		return nil
	}))
	have := map[string]driver.Held{}
	for k, r := range f.rows {
		have[k] = r.Lean()
	}
	if !maps.EqualFunc(want, have, sameHeld) {
		w.Errorf("reader %d holds %s, want %v", i, f.holds(), slices.Sorted(maps.Keys(want)))
	}
	if len(w.enrolled) > 0 {
		w.Errorf("enrolled and lost: %v", slices.Sorted(maps.Keys(w.enrolled)))
	}
	if st := w.readers[i].State(); st.State != wire.ReaderInSync || st.Error != "" {
		w.Errorf("reader %d: %s %s", i, st.State, st.Error)
	}
}
