package uplink

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/fxamacker/cbor/v2"

	"doorsync/agent/journal"
	"doorsync/protocol/wire"
)

// How the journal is sent. A lone edit waits for nothing. While smallOut
// batches are under way, what is written makes up the next one, so that batches
// grow with the load and cost everybody less; a backlog keeps batchesOut under
// way, so that a long line does not bound what it carries.
const (
	batchEntries = 500
	batchBytes   = 88 << 10
	batchesOut   = 8
	smallOut     = 2
	backlog      = 64 // entries that are worth a message of their own
	resendAfter  = 2 * time.Second
)

// journalMessage is a wire.Journal whose entries travel as they are stored.
type journalMessage struct {
	Session string            `cbor:"session"`
	Epoch   string            `cbor:"epoch"`
	Entries []cbor.RawMessage `cbor:"entries"`
}

// outbox sends the journal and hears how far it was taken.
type outbox struct {
	s       *session
	wake    chan struct{} // answers wait
	confirm chan struct{} // confirmations wait to be stored
	again   chan struct{} // somebody asked for a new hello

	mu      sync.Mutex
	answers []wire.Confirm
	toStore *wire.Confirm
	resend  uint64 // order: send again from here, 0 for none
	anew    bool   // the center has forgotten this session: begin it anew
	leave   string // why a new epoch must begin, "" if none must

	// Owned by run.
	ready bool // the center has answered this session's hello
	epoch string
	taken uint64 // by the center, as it said in this session
	sent  uint64
	out   []uint64  // last number of each batch under way
	moved time.Time // when something was last heard or first sent
	goal  uint64    // to be caught up: our last entry at the first answer
}

func newOutbox(s *session) *outbox {
	return &outbox{
		s: s, wake: make(chan struct{}, 1), confirm: make(chan struct{}, 1), again: make(chan struct{}, 1),
		anew: true,
	}
}

// answered takes in a confirmation; run looks at it.
func (o *outbox) answered(c wire.Confirm) {
	o.mu.Lock()
	o.answers = append(o.answers, c)
	o.mu.Unlock()
	poke(o.wake)
}

// sendAgain begins the journal again at number.
func (o *outbox) sendAgain(number uint64) {
	o.mu.Lock()
	o.resend = number
	o.mu.Unlock()
	poke(o.wake)
}

// leaveEpoch makes run begin a new epoch.
func (o *outbox) leaveEpoch(why string) {
	o.mu.Lock()
	o.leave = why
	o.mu.Unlock()
	poke(o.wake)
}

// Why a journal begins a new epoch, for people.
const (
	restoredCopy = "the center knows another journal under these numbers: this one was restored from a copy, or runs twice"
	trimmedAway  = "the center, restored from a copy, asks for entries that are no longer kept here"
)

// hello makes run say again what the site has; anew, as if just connected.
func (o *outbox) hello(anew bool) {
	o.mu.Lock()
	o.anew = o.anew || anew
	o.mu.Unlock()
	poke(o.again)
}

func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// run greets, then keeps the journal flowing.
func (o *outbox) run(ctx context.Context) error {
	if err := o.greet(); err != nil {
		return err
	}
	due := time.NewTimer(resendAfter)
	defer due.Stop()
	for {
		if err := o.overdue(); err != nil {
			return err
		}
		if err := o.fill(); err != nil {
			return err
		}
		if !o.ready || len(o.out) > 0 {
			due.Reset(resendAfter - time.Since(o.moved))
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-o.s.Outbox.Appended():
		case <-due.C:
		case <-o.again:
			if err := o.greet(); err != nil {
				return err
			}
		case <-o.wake:
			if err := o.takeAnswers(ctx); err != nil {
				return err
			}
		}
	}
}

// greet says what the site has.
func (o *outbox) greet() error {
	o.mu.Lock()
	anew := o.anew
	if anew {
		o.anew, o.ready, o.out = false, false, nil
	}
	o.mu.Unlock()
	st := o.s.Outbox.State()
	o.epoch, o.moved = st.Epoch, time.Now()
	// What was sent is in the file, which entries reach before the state does. A
	// hello that names less would speak of a journal that was put back.
	last := max(st.Last, o.sent)
	h := wire.Hello{
		Session: o.s.id, Epoch: st.Epoch, First: st.First, Last: last, Oldest: st.Oldest, Hash: st.Hash, Taken: st.Confirmed,
		Revision: st.Revision, Roster: st.Roster, Cursor: st.Cursor,
		Groups: o.s.Groups, Mode: o.s.Mode, Version: o.s.Version, Now: o.s.Now().UnixMilli(),
	}
	if o.s.settled.Load() {
		h.Digest = st.Digest[:]
	}
	o.s.asks()
	if err := o.s.send(wire.KindHello, h); err != nil {
		return err
	}
	if anew {
		o.s.inbox.begin() // a pull means something only after its session's hello
	}
	return nil
}

// fill sends what is waiting, as far as the window allows.
func (o *outbox) fill() error {
	for o.ready && len(o.out) < batchesOut {
		if len(o.out) >= smallOut && o.s.Outbox.State().Last < o.sent+backlog {
			return nil
		}
		entries, err := o.s.Outbox.Pending(o.sent, batchEntries, batchBytes)
		if err != nil {
			return fmt.Errorf("read journal for the center: %w", err)
		}
		if len(entries) == 0 {
			return nil
		}
		if entries[0].Number > o.sent+1 {
			o.leaveEpoch(trimmedAway)
			return nil
		}
		m := journalMessage{Session: o.s.id, Epoch: o.epoch, Entries: make([]cbor.RawMessage, len(entries))}
		for i, e := range entries {
			m.Entries[i] = e.Data
		}
		o.s.asks()
		if err := o.s.send(wire.KindJournal, m); err != nil {
			return err
		}
		if len(o.out) == 0 {
			o.moved = time.Now()
		}
		o.sent = entries[len(entries)-1].Number
		o.out = append(o.out, o.sent)
	}
	return nil
}

// overdue begins again at what the center is known to have, when it has been
// silent about what was sent.
func (o *outbox) overdue() error {
	if time.Since(o.moved) < resendAfter {
		return nil
	}
	if !o.ready {
		return o.greet()
	}
	if len(o.out) > 0 {
		o.rewind(o.taken)
	}
	return nil
}

func (o *outbox) rewind(taken uint64) {
	o.sent, o.out, o.moved = taken, nil, time.Now()
}

// takeAnswers looks at all that the center has said meanwhile.
func (o *outbox) takeAnswers(ctx context.Context) error {
	o.mu.Lock()
	answers, resend, leave := o.answers, o.resend, o.leave
	o.answers, o.resend, o.leave = nil, 0, ""
	o.mu.Unlock()
	if leave != "" {
		return o.newEpoch(ctx, leave)
	}
	for _, c := range answers {
		if err := o.take(ctx, c); err != nil {
			return err
		}
	}
	if resend > 0 && o.ready && resend <= o.sent {
		o.rewind(resend - 1)
	}
	return nil
}

func (o *outbox) newEpoch(ctx context.Context, why string) error {
	o.ready, o.out = false, nil
	o.s.Logger.Warn("new epoch of the journal", "why", why)
	if err := o.s.Outbox.NewEpoch(ctx, why); err != nil {
		return err
	}
	return o.greet()
}

func (o *outbox) take(ctx context.Context, c wire.Confirm) error {
	if c.Epoch != o.epoch {
		return nil // about an epoch that has ended meanwhile
	}
	if c.NewEpoch {
		return o.newEpoch(ctx, restoredCopy)
	}
	first := !o.ready
	switch {
	case first:
		o.ready, o.taken, o.goal = true, c.Taken, o.s.Outbox.State().Last
		o.rewind(c.Taken)
	case c.Gap:
		// Begin anew: the answer to a hello says what to go on from.
		o.ready, o.out = false, nil
		return o.greet()
	case c.Taken > o.taken:
		o.arrived(c.Taken)
	case c.Taken < o.taken && len(o.out) == 0:
		// The center was restored from a copy while we were connected.
		o.taken = c.Taken
		o.rewind(c.Taken)
	}
	o.store(c)
	o.s.heardFrom(ctx, c, first)
	if o.taken >= o.goal {
		o.s.settle(ctx, &o.s.allTaken)
	}
	return nil
}

// arrived closes the batches that are wholly taken.
func (o *outbox) arrived(taken uint64) {
	o.taken, o.moved = taken, time.Now()
	for len(o.out) > 0 && o.out[0] <= taken {
		o.out = o.out[1:]
	}
	if o.sent < taken {
		o.sent = taken
	}
}

// store leaves a confirmation to be stored: the latest, with all verdicts.
func (o *outbox) store(c wire.Confirm) {
	o.mu.Lock()
	if o.toStore != nil {
		c.Verdicts = append(o.toStore.Verdicts, c.Verdicts...)
	}
	o.toStore = &c
	o.mu.Unlock()
	poke(o.confirm)
}

// confirming stores confirmations. What is not stored before a crash is sent
// once more and not taken twice.
func (o *outbox) confirming(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return errors.Join(ctx.Err(), o.storeConfirm(context.WithoutCancel(ctx)))
		case <-o.confirm:
		}
		if err := o.storeConfirm(ctx); err != nil {
			return err
		}
	}
}

func (o *outbox) storeConfirm(ctx context.Context) error {
	o.mu.Lock()
	c := o.toStore
	o.toStore = nil
	o.mu.Unlock()
	if c == nil {
		return nil
	}
	err := o.s.Outbox.Confirm(ctx, *c)
	switch {
	case errors.Is(err, journal.ErrDiverged):
		o.leaveEpoch(restoredCopy)
		return nil
	case err != nil:
		return fmt.Errorf("store what the center has taken: %w", err)
	}
	return nil
}
