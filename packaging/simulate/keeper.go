package simulate

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"doorsync/agent/journal"
	"doorsync/protocol"
	"doorsync/protocol/wire"
)

var errKilled = errors.New("killed")

// How a machine is killed: between two writes, just before or after one, or in
// the middle, so that the disk has part of it.
const (
	killNow    = "now"
	killBefore = "before a write"
	killAfter  = "after a write, before anybody hears of it"
	killTorn   = "in the middle of a write"
)

// keeper is the journal as the readers and the uplink of an agent know it. It
// notes what was acknowledged to them, and it is where an agent is killed at a
// write, and where its disk is full.
type keeper struct {
	*journal.Journal
	a *agent

	gate sync.RWMutex // held by writes; whoever copies the file takes it alone
	mu   sync.Mutex
	arm  string // how to die
	left int    // writes until then
	full bool   // disk
}

// fate says how the next write ends.
func (k *keeper) fate(what string) string {
	k.mu.Lock()
	defer k.mu.Unlock()
	switch {
	case k.a.dead.Load():
		return killNow
	case k.full:
		return "full"
	case k.arm == "":
		return ""
	}
	if k.left--; k.left > 0 {
		return ""
	}
	arm := k.arm
	k.arm = ""
	k.a.w.tell(k.a.who, "is killed %s (%s)", arm, what)
	return arm
}

// write carries a write out, if it comes to that.
func (k *keeper) write(what string, fn func() error) error {
	switch k.fate(what) {
	case killNow:
		return errKilled
	case "full":
		return fmt.Errorf("%s: %w", what, journal.ErrFull)
	case killBefore:
		k.a.kill()
		return errKilled
	case killAfter:
		k.gate.RLock()
		err := fn()
		k.gate.RUnlock()
		k.a.kill()
		return errors.Join(errKilled, err)
	case killTorn:
		k.gate.Lock()
		before := mustRead(k.a.path)
		_ = fn()
		after := mustRead(k.a.path)
		first := !k.a.dead.Swap(true) // before anybody who waits can write what this disk will lack
		k.gate.Unlock()
		if first {
			k.a.fall(tornPages(before, after, k.a.s.dice))
		}
		return errKilled
	}
	k.gate.RLock()
	defer k.gate.RUnlock()
	if k.a.dead.Load() {
		return errKilled
	}
	return fn()
}

// Append notes what was acknowledged.
func (k *keeper) Append(ctx context.Context, b journal.Batch) (made []protocol.Entry, err error) {
	if k.a.w.plant == plantCursorApart && len(b.Drafts) > 0 && len(b.Rows) > 0 {
		first := b
		first.Drafts = nil
		b.Rows, b.Cursor, b.ForgetRows = nil, nil, false
		if _, err := k.Append(ctx, first); err != nil {
			return nil, err
		}
	}
	err = k.write("journal", func() error {
		made, err = k.Journal.Append(ctx, b)
		return err
	})
	k.a.journaled(b, made)
	if err != nil {
		return nil, err
	}
	k.a.s.mu.Lock()
	defer k.a.s.mu.Unlock()
	for _, e := range made {
		k.a.acked[e.ID] = e.Number
	}
	return made, nil
}

// Apply takes in what the center has changed.
func (k *keeper) Apply(ctx context.Context, cs ...wire.Changes) error {
	if k.a.w.plant == plantLeak {
		k.a.w.jobs.Go(func() { <-k.a.w.stop })
	}
	err := k.write("roster", func() error { return k.Journal.Apply(ctx, cs...) })
	if err == nil {
		for _, c := range cs {
			k.a.w.tell(k.a.who, "has revision %d to %d, %d users, journal %d", c.From, c.To, len(c.Users), c.Journal)
		}
	}
	return err
}

// Confirm takes in what the center has taken.
func (k *keeper) Confirm(ctx context.Context, c wire.Confirm) error {
	return k.write("confirm", func() error { return k.Journal.Confirm(ctx, c) })
}

// NewEpoch begins an epoch.
func (k *keeper) NewEpoch(ctx context.Context, why string) error {
	return k.write("epoch", func() error { return k.Journal.NewEpoch(ctx, why) })
}

// journaled notes what stands in the journal, whether or not anybody was told.
func (a *agent) journaled(b journal.Batch, made []protocol.Entry) {
	var at *reader
	for _, r := range a.s.readers {
		if r.name == b.Reader {
			at = r
		}
	}
	for _, e := range made {
		a.w.tell(a.who, "journal %d: %s%s%s %s (at revision %d)", e.Number, e.Event, optional(" user ", e.UserID), optional(" at ", e.Reader), e.Detail, e.Revision)
		if at == nil {
			continue
		}
		all := e.Event == protocol.EventTooLate || e.Event == protocol.EventNotTaken || e.Event == protocol.EventLeftOut
		if e.Edit != nil || all {
			at.told(e.UserID, e.Edit, all)
		}
		if e.Event == protocol.EventDeletedReader {
			a.checkDeleted(at, e)
		}
	}
}

// checkDeleted holds the journal to the truth: who is said to have been deleted
// at a reader must have been, under one of their IDs.
func (a *agent) checkDeleted(at *reader, e protocol.Entry) {
	view, _, err := a.j.User(e.UserID)
	if err != nil {
		return // of the journal itself: the reader will hear of it
	}
	a.s.mu.Lock()
	blurred := a.s.blurred
	a.s.mu.Unlock()
	at.mu.Lock()
	defer at.mu.Unlock()
	if at.kind.controller && (len(at.removed) > 0 || blurred && len(at.cleared) > 0) {
		return // by their cards, of which they may have had any
	}
	for _, id := range append(view.IDs, e.UserID) {
		if at.removed[id] || blurred && at.cleared[id] {
			return
		}
	}
	a.w.fault("%s says that user %s was deleted at reader %s, and nobody did", a.who, e.UserID, at.name)
}

func optional(before, s string) string {
	if s == "" {
		return ""
	}
	return before + s
}
