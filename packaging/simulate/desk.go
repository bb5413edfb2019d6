package simulate

import (
	"context"
	"fmt"

	"doorsync/cloud/roster"
	"doorsync/protocol"
	"doorsync/protocol/wire"
)

// desk is the roster as the exchange knows it. What goes in is told to the
// model in the order in which it went in, and what goes out is held against what
// a site has a right to. It is also where the center is killed at a write.
type desk struct {
	*roster.Roster
	c *center

	arm  string
	left int
}

// lock makes what the roster does and what the model does one step.
func (d *desk) lock() func() {
	d.c.w.order.Lock()
	return d.c.w.order.Unlock
}

// fate says how the next write ends; the order is held.
func (d *desk) fate(what string) string {
	if d.c.dead.Load() {
		return killNow
	}
	if d.arm == "" {
		return ""
	}
	if d.left--; d.left > 0 {
		return ""
	}
	arm := d.arm
	d.arm = ""
	d.c.w.tell("center", "is killed %s (%s)", arm, what)
	return arm
}

// write carries out something that changes the roster. fn tells the model of it
// when it came about.
func (d *desk) write(what string, fn func() error) error {
	defer d.lock()()
	fate := d.fate(what)
	switch fate {
	case killNow:
		return errKilled
	case killBefore:
		d.c.kill()
		return errKilled
	}
	err := fn()
	if fate == killAfter {
		d.c.kill()
		return errKilled
	}
	return err
}

// Hello is a site's greeting.
func (d *desk) Hello(ctx context.Context, name string, h wire.Hello) (out wire.Confirm, err error) {
	err = d.write("hello of "+name, func() error {
		before := d.Roster.ID()
		if out, err = d.Roster.Hello(ctx, name, h); err != nil {
			return err
		}
		w := d.c.w
		w.tell("center", "hello of %s: entries %d to %d, revision %d; answers taken %d%s", name, h.First, h.Last, h.Revision, out.Taken, yes(" NEW EPOCH", out.NewEpoch))
		if !out.NewEpoch {
			w.model.taken(name, h.Epoch, out.Taken)
		}
		if d.Roster.ID() != before {
			w.tell("center", "is an older copy than %s has known: a new roster begins", name)
		}
		return nil
	})
	return out, err
}

func yes(s string, ok bool) string {
	if ok {
		return s
	}
	return ""
}

// Hear takes journals in.
func (d *desk) Hear(ctx context.Context, batches []roster.SiteBatch) (out []wire.Confirm, err error) {
	err = d.write("journal", func() error {
		w := d.c.w
		before := d.Roster.Revision()
		if out, err = d.Roster.Hear(ctx, batches); err != nil {
			return err
		}
		for i, b := range batches {
			d.heard(b, out[i], span{before, d.Roster.Revision()})
			w.tell("center", "hears %s: entries %d to %d; taken %d%s%s", b.Site, b.Entries[0].Number, b.Entries[len(b.Entries)-1].Number,
				out[i].Taken, yes(" GAP", out[i].Gap), yes(" NEW EPOCH", out[i].NewEpoch))
		}
		return nil
	})
	return out, err
}

// heard tells the model of the entries that were taken.
func (d *desk) heard(b roster.SiteBatch, c wire.Confirm, at span) {
	if c.Roster == "" || c.NewEpoch {
		return
	}
	m := d.c.w.model
	said := map[uint64][]protocol.Event{}
	for _, v := range c.Verdicts {
		said[v.Number] = append(said[v.Number], v.Event)
	}
	from := m.takenOf(b.Site, b.Epoch)
	for _, e := range b.Entries {
		if e.Number <= from || e.Number > c.Taken {
			continue
		}
		if err := m.take(b.Site, e, said[e.Number], at, d.c.w.clock.now()); err != nil {
			d.c.w.fault("entry %d of %s (%s user %s): %v", e.Number, b.Site, e.Event, e.UserID, err)
		}
	}
	m.taken(b.Site, b.Epoch, c.Taken)
}

// Changes is what a site is told.
func (d *desk) Changes(ctx context.Context, name string, after uint64, cursor []byte, maxBytes int) (wire.Changes, error) {
	defer d.lock()()
	out, err := d.Roster.Changes(ctx, name, after, cursor, maxBytes)
	if err == nil {
		d.rightTo(name, out)
	}
	return out, err
}

// Mend is what a site is told after comparing.
func (d *desk) Mend(ctx context.Context, name string, g wire.Digest) (wire.Changes, error) {
	defer d.lock()()
	out, err := d.Roster.Mend(ctx, name, g)
	if err == nil {
		d.rightTo(name, out)
	}
	return out, err
}

// rightTo holds what a site is told against what it has a right to.
func (d *desk) rightTo(name string, c wire.Changes) {
	w := d.c.w
	for _, u := range c.Users {
		if u.Gone || len(u.Record) == 0 {
			continue
		}
		var rec protocol.Record
		if err := w.codec.Unmarshal(u.Record, &rec); err != nil {
			w.fault("a record for %s cannot be read: %v", name, err)
			continue
		}
		if rec.Removed {
			continue
		}
		if why := w.model.mayKnow(name, rec.Site, rec.UserID()); why != "" {
			w.fault("%s is told of user %s: %s", name, rec.UserID(), why)
		}
	}
}

// office carries out what a person at the office does, and has the model do the
// same. Both must agree whether it can be done.
func (w *World) office(what string, do func(context.Context, *roster.Roster) error, same func(m *model, at span) error) {
	w.mu.Lock()
	c := w.center
	w.mu.Unlock()
	if c == nil || c.dead.Load() {
		w.tell("office", "%s: the center is down", what)
		return
	}
	// What came of it is in the timeline.
	_ = c.desk.write("office", func() error {
		before := c.r.Revision()
		err := do(context.Background(), c.r)
		if failing(err) {
			w.tell("office", "%s: %v", what, err)
			return err
		}
		m := w.model.clone()
		want := same(m, span{before, c.r.Revision()})
		w.tell("office", "%s: %v", what, said(err))
		switch {
		case (err == nil) != (want == nil):
			w.fault("office: %s: the center says %v, the rules say %v", what, said(err), said(want))
		case err == nil:
			w.model = m
		}
		return err
	})
}

func said(err error) string {
	if err == nil {
		return "done"
	}
	return fmt.Sprint(err)
}
