package uplink

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"doorsync/agent/journal"
	"doorsync/protocol"
	"doorsync/protocol/wire"
)

// How the roster's changes are taken in.
const (
	// window is how much the center may have under way to this site: enough for
	// a first copy at the speed of the disk, little enough for a small device.
	window = 8 << 20
	// applyAtOnce is how much is taken in by one transaction.
	applyAtOnce = 2 << 20
	pullAgain   = 2 * time.Second  // when the center is known to have more
	pullIdle    = 10 * time.Second // when nothing is known to be missing
)

// known is how far the center has said it is.
type known struct {
	roster   string
	revision uint64
}

// inbox takes in the roster's changes and says how far it has come.
type inbox struct {
	s    *session
	wake chan struct{}
	anew chan struct{}
	ask  chan []uint8 // buckets to tell the digests of

	mu     sync.Mutex
	queue  []sized
	bytes  int
	center known
	goal   *known // to be caught up: where the center was at its first answer

	// Owned by run.
	asked bool // to begin again, and nothing has come of it yet
}

// sized is changes and what they took on the wire.
type sized struct {
	wire.Changes
	bytes int
}

func newInbox(s *session) *inbox {
	return &inbox{s: s, wake: make(chan struct{}, 1), anew: make(chan struct{}, 1), ask: make(chan []uint8, 1)}
}

// put queues changes; more than the window is not ours to keep.
func (i *inbox) put(c wire.Changes, bytes int) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.bytes > 0 && i.bytes+bytes > 2*window {
		i.s.drop(string(wire.KindChanges), errors.New("more than was asked for"))
		return
	}
	i.queue = append(i.queue, sized{c, bytes})
	i.bytes += bytes
	poke(i.wake)
}

// centerAt notes how far the center is; first at the first answer of a session.
func (i *inbox) centerAt(roster string, revision uint64, first bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.center = known{roster, revision}
	if first || i.goal != nil && i.goal.roster != roster { // the first answer may be a late one
		i.goal = &known{roster, revision}
	}
}

// begin makes run pull again from what is held.
func (i *inbox) begin() { poke(i.anew) }

// compare makes run tell digests, once what came before the question is stored.
// A question beside one that waits is dropped: the center asks again.
func (i *inbox) compare(buckets []uint8) {
	select {
	case i.ask <- buckets:
	default:
	}
}

// run pulls, takes in, and pulls on.
func (i *inbox) run(ctx context.Context) error {
	silent := time.NewTimer(pullAgain)
	defer silent.Stop()
	for {
		var err error
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-i.wake:
			err = i.applyAll(ctx)
		case <-i.anew:
			err = i.pull(true)
		case buckets := <-i.ask:
			if err = i.applyAll(ctx); err == nil {
				err = i.s.tellDigest(ctx, buckets)
			}
		case <-silent.C:
			i.asked = false
			err = i.pull(true)
		}
		if err != nil {
			return err
		}
		i.check(ctx)
		silent.Reset(i.patience())
	}
}

// patience is how long the center may be silent before it is asked again.
func (i *inbox) patience() time.Duration {
	st := i.s.Copy.State()
	i.mu.Lock()
	defer i.mu.Unlock()
	if len(st.Cursor) > 0 || i.center.roster != st.Roster || i.center.revision > st.Revision {
		return pullAgain
	}
	return pullIdle + rand.N(pullIdle/4)
}

// check notes when all is here that the center had when the session began.
func (i *inbox) check(ctx context.Context) {
	st := i.s.Copy.State()
	i.mu.Lock()
	reached := i.goal != nil && len(st.Cursor) == 0 && st.Roster == i.goal.roster && st.Revision >= i.goal.revision
	i.mu.Unlock()
	if reached {
		i.s.settle(ctx, &i.s.allHeld)
	}
}

func (i *inbox) pull(again bool) error {
	if again {
		i.s.asks()
	}
	st := i.s.Copy.State()
	p := wire.Pull{Session: i.s.id, After: st.Revision, Cursor: st.Cursor, Window: window, Again: again}
	if again {
		p.Roster = st.Roster
	}
	return i.s.send(wire.KindPull, p)
}

// applyAll takes in everything that waits, much of it at once.
func (i *inbox) applyAll(ctx context.Context) error {
	for {
		run := i.next()
		if len(run) == 0 {
			return nil
		}
		err := i.s.Copy.Apply(ctx, run...)
		switch {
		case errors.Is(err, journal.ErrGap):
			if i.asked {
				continue // all that follows the gap is of no use
			}
			i.asked = true
			err = i.pull(true)
		case err == nil:
			i.asked = false
			i.mended(ctx, run[0])
			err = i.pull(false)
		default:
			err = fmt.Errorf("take in changes of the roster: %w", err)
		}
		if err != nil {
			return err
		}
	}
}

// mended tells people that the site's copy was not what it should be.
func (i *inbox) mended(ctx context.Context, c wire.Changes) {
	if c.Mend && len(c.Users) > 0 {
		i.s.append(ctx, protocol.EventMended, fmt.Sprintf("%d users differed from the center's", len(c.Users)))
	}
}

// next takes, of the changes that wait, those that follow one another.
func (i *inbox) next() []wire.Changes {
	i.mu.Lock()
	defer i.mu.Unlock()
	var run []wire.Changes
	bytes := 0
	for n, c := range i.queue {
		if n > 0 && (bytes > applyAtOnce || !follows(run[n-1], c.Changes)) {
			break
		}
		run = append(run, c.Changes)
		bytes += c.bytes
	}
	clear(i.queue[:len(run)])
	i.queue = i.queue[len(run):]
	i.bytes -= bytes
	if len(i.queue) == 0 {
		i.queue = nil
	}
	return run
}

// follows reports whether b goes on where a ends, so that both can be taken in
// by one transaction.
func follows(a, b wire.Changes) bool {
	if a.Mend || b.Mend || a.Roster != b.Roster {
		return false
	}
	if a.Page == nil || b.Page == nil {
		return a.Page == nil && b.Page == nil && b.From == a.To
	}
	return len(a.Page.Cursor) > 0 && b.Page.After == a.Page.UpTo
}
