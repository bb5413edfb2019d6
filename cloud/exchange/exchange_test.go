package exchange

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"doorsync/protocol/wire"
)

// atDesk runs a test on virtual time; step waits until nothing moves any more.
func atDesk(t *testing.T, run func(t *testing.T, d *desk)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		ctx, stop := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() {
			if err := d.x.Run(ctx); err != nil {
				t.Error(err)
			}
		})
		run(t, d)
		stop()
		wg.Wait()
	})
}

func last[M any](t *testing.T, all []M) M {
	t.Helper()
	if len(all) == 0 {
		t.Fatal("nothing was sent")
	}
	return all[len(all)-1]
}

func TestWindow(t *testing.T) {
	atDesk(t, func(t *testing.T, d *desk) {
		d.r.commit(2000) // about 2 MB
		d.hello("LYON", "s1")
		d.say("LYON", wire.KindPull, wire.Pull{Session: "s1", Window: 300 << 10, Again: true})
		synctest.Wait()
		sent := take[wire.Changes](t, d.out, "LYON", wire.KindChanges)
		if n := len(sent); n < 3 || n > 5 {
			t.Fatalf("%d messages of 92 KiB in a window of 300 KiB", n)
		}
		first := sent[0]
		d.say("LYON", wire.KindPull, wire.Pull{Session: "s1", After: first.To, Window: 300 << 10})
		synctest.Wait()
		if more := take[wire.Changes](t, d.out, "LYON", wire.KindChanges); len(more) != 1 || more[0].From != last(t, sent).To {
			t.Errorf("after one was taken: %d more", len(more))
		}
		// The same again says nothing new; a question is always answered.
		d.say("LYON", wire.KindPull, wire.Pull{Session: "s1", After: first.To, Window: 300 << 10})
		synctest.Wait()
		if more := take[wire.Changes](t, d.out, "LYON", wire.KindChanges); len(more) != 0 {
			t.Errorf("a doubled pull brought %d messages", len(more))
		}
		d.say("LYON", wire.KindPull, wire.Pull{Session: "s1", After: 2000, Window: 300 << 10, Again: true})
		synctest.Wait()
		if c := last(t, take[wire.Changes](t, d.out, "LYON", wire.KindChanges)); c.From != 2000 || c.To != 2000 || len(c.Users) != 0 {
			t.Errorf("answer to a site that has all: %d to %d", c.From, c.To)
		}
	})
}

// TestTellsUnasked: a caught-up site is told without asking, and what changes
// while it is busy comes in one message.
func TestTellsUnasked(t *testing.T) {
	atDesk(t, func(t *testing.T, d *desk) {
		d.hello("LYON", "s1")
		d.say("LYON", wire.KindPull, wire.Pull{Session: "s1", Window: 1 << 20, Again: true})
		synctest.Wait()
		take[wire.Changes](t, d.out, "LYON", wire.KindChanges)
		begun := time.Now()
		for range 10 {
			d.r.commit(1)
			synctest.Wait()
		}
		if n := len(take[wire.Changes](t, d.out, "LYON", wire.KindChanges)); n != smallOut-1 {
			t.Errorf("%d messages to a site that does not answer", n)
		}
		d.say("LYON", wire.KindPull, wire.Pull{Session: "s1", After: 1, Window: 1 << 20})
		synctest.Wait()
		if c := take[wire.Changes](t, d.out, "LYON", wire.KindChanges); len(c) != 1 || c[0].To != 10 {
			t.Errorf("the rest came in %d messages", len(c))
		}
		if time.Since(begun) != 0 {
			t.Error("something waited for a timer")
		}
	})
}

func TestHearsSeveralSitesAtOnce(t *testing.T) {
	atDesk(t, func(t *testing.T, d *desk) {
		d.hello("LYON", "s1")
		d.hello("OSLO", "s2")
		synctest.Wait()
		d.say("LYON", wire.KindJournal, wire.Journal{Session: "s1", Epoch: "e", Entries: entries(1, 3)})
		d.say("LYON", wire.KindJournal, wire.Journal{Session: "s1", Epoch: "e", Entries: entries(4, 6)})
		d.say("OSLO", wire.KindJournal, wire.Journal{Session: "s2", Epoch: "e", Entries: entries(1, 2)})
		d.say("OSLO", wire.KindJournal, wire.Journal{Session: "s2", Epoch: "e", Entries: entries(9, 9)})
		synctest.Wait()
		if c := last(t, take[wire.Confirm](t, d.out, "LYON", wire.KindConfirm)); c.Taken != 6 || c.Session != "s1" {
			t.Errorf("LYON: %+v", c)
		}
		if c := last(t, take[wire.Confirm](t, d.out, "OSLO", wire.KindConfirm)); c.Taken != 2 || !c.Gap {
			t.Errorf("OSLO: %+v", c)
		}
	})
}

func TestNothingIsConfirmedThatWasNotStored(t *testing.T) {
	atDesk(t, func(t *testing.T, d *desk) {
		d.hello("LYON", "s1")
		synctest.Wait()
		take[wire.Confirm](t, d.out, "LYON", wire.KindConfirm)
		d.r.mu.Lock()
		d.r.fail = errors.New("disk full")
		d.r.mu.Unlock()
		d.say("LYON", wire.KindJournal, wire.Journal{Session: "s1", Epoch: "e", Entries: entries(1, 1)})
		<-time.After(5 * time.Second)
		if c := take[wire.Confirm](t, d.out, "LYON", wire.KindConfirm); len(c) != 0 {
			t.Errorf("confirmed: %+v", c)
		}
		d.r.mu.Lock()
		d.r.fail = nil
		d.r.mu.Unlock()
		d.say("LYON", wire.KindJournal, wire.Journal{Session: "s1", Epoch: "e", Entries: entries(1, 1)})
		synctest.Wait()
		if c := last(t, take[wire.Confirm](t, d.out, "LYON", wire.KindConfirm)); c.Taken != 1 {
			t.Errorf("when there is room again: %+v", c)
		}
	})
}

func TestUnknownSessionIsAskedForHelloOnceASecond(t *testing.T) {
	atDesk(t, func(t *testing.T, d *desk) {
		for range 5 {
			d.say("LYON", wire.KindPull, wire.Pull{Session: "older", Window: 1})
		}
		synctest.Wait()
		orders := take[wire.Order](t, d.out, "LYON", wire.KindOrder)
		if len(orders) != 1 || orders[0].Do != wire.DoHello {
			t.Errorf("orders: %+v", orders)
		}
	})
}

func TestPresence(t *testing.T) {
	atDesk(t, func(t *testing.T, d *desk) {
		d.hello("LYON", "s1")
		synctest.Wait()
		d.say("LYON", wire.KindReaders, wire.Readers{Session: "s1", Readers: []wire.ReaderState{{Name: "front"}}})
		d.say("LYON", wire.KindReaders, wire.Readers{Session: "s0", Readers: []wire.ReaderState{{Name: "old"}}})
		d.say("LYON", wire.KindPresence, wire.Presence{Session: "s0"})
		synctest.Wait()
		if _, online := d.x.site("LYON").inSession(); !online {
			t.Error("the will of an older connection took the site offline")
		}
		<-time.After(silence + 2*sweepEvery)
		if _, online := d.x.site("LYON").inSession(); online {
			t.Error("a silent site is taken for online")
		}
		d.r.mu.Lock()
		defer d.r.mu.Unlock()
		if len(d.r.readers) != 1 || d.r.readers[0][0].Name != "front" {
			t.Errorf("readers: %+v", d.r.readers)
		}
		if len(d.r.seen) != 2 || !d.r.seen[0] || d.r.seen[1] {
			t.Errorf("seen: %v", d.r.seen)
		}
	})
}

// TestFlood: more messages than can wait are dropped and counted, whoever sends.
func TestFlood(t *testing.T) {
	d := newDesk(t)
	for range waitingMessages + 10 {
		d.x.Heard(wire.Topics{}.Up("LYON", wire.KindPull), nil)
	}
	if n := d.x.Counts().Dropped[DropOverflow]; n != 10 {
		t.Errorf("dropped %d", n)
	}
	d = newDesk(t)
	for range 40 {
		d.x.Heard(wire.Topics{}.Up("LYON", wire.KindJournal), make([]byte, 1<<20))
	}
	if n := d.x.Counts().Dropped[DropOverflow]; n != 8 {
		t.Errorf("dropped %d of 40 MiB", n)
	}
}

// FuzzMessage: no message stops the exchange or begins what it must not.
func FuzzMessage(f *testing.F) {
	codec, err := wire.NewCodec()
	if err != nil {
		f.Fatal(err)
	}
	kinds := []wire.Kind{wire.KindHello, wire.KindJournal, wire.KindPull, wire.KindReaders, wire.KindDigest, wire.KindDone, wire.KindPresence, "x"}
	for i, m := range []any{
		wire.Hello{Session: "s", Epoch: "e", First: 1},
		wire.Journal{Session: "s", Epoch: "e", Entries: entries(1, 3)},
		wire.Pull{Session: "s", After: 1, Window: -1},
		wire.Readers{Session: "s"},
		wire.Digest{Session: "s", Of: []uint8{1}},
		wire.Done{Session: "s"},
		wire.Presence{Session: "s"},
	} {
		payload, err := codec.Encode(m)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(byte(i), "LYON", payload)
	}
	f.Add(byte(0), "../..", []byte{0xa1})
	f.Fuzz(func(t *testing.T, kind byte, site string, payload []byte) {
		d := newDesk(t)
		d.x.Tap(func(wire.Shown) {})
		d.x.message(raw{wire.Topics{}.Up(site, kinds[int(kind)%len(kinds)]), payload})
		for batch := d.x.ear.take(); len(batch) > 0; batch = d.x.ear.take() {
			if err := d.x.takeIn(t.Context(), batch); err != nil {
				t.Error(err)
			}
		}
		for s := d.x.mouth.next(); s != nil; s = d.x.mouth.next() {
			if _, err := d.x.tellOne(t.Context(), s); err != nil {
				t.Error(err)
			}
			d.x.mouth.done(s, false)
		}
	})
}
