package uplink

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"doorsync/protocol"
	"doorsync/protocol/wire"
)

// order gives the site an order in its session and returns what it answers.
func (r *rig) order(o wire.Order) []wire.Done {
	r.t.Helper()
	o.Session = r.call.Session
	r.say(wire.KindOrder, o)
	return said[wire.Done](r.fakeCenter, wire.KindDone)
}

// TestSyncIsDoneOnce: an order that comes twice is done once and answered twice.
func TestSyncIsDoneOnce(t *testing.T) {
	atFaultyUplink(t, func(t *testing.T, r *rig) {
		r.confirm(0)
		for range 3 {
			if d := r.order(wire.Order{ID: "1", Do: wire.DoSync, Reader: "front", By: "Ada"}); len(d) != 1 || d[0].ID != "1" || d[0].Error != "" || d[0].Session != r.call.Session {
				t.Errorf("answers %+v", d)
			}
		}
		r.panel.refuse = errors.New("no reader back")
		for range 2 {
			if d := r.order(wire.Order{ID: "2", Do: wire.DoSync, Reader: "back", By: "Bob"}); len(d) != 1 || d[0].Error != "no reader back" {
				t.Errorf("answers %+v", d)
			}
		}
		if got := fmt.Sprint(r.panel.synced); got != "[front by Ada back by Bob]" {
			t.Errorf("synced: %s", got)
		}
		r.say(wire.KindOrder, wire.Order{Session: "another", ID: "3", Do: wire.DoSync})
		if len(r.panel.synced) != 2 {
			t.Error("an order for another session was obeyed")
		}
		for n := range rememberOrders {
			r.order(wire.Order{ID: fmt.Sprint("x", n), Do: wire.DoSync})
		}
		if n := len(r.up.done.said); n != rememberOrders || len(r.up.done.ids) != rememberOrders {
			t.Errorf("%d orders are remembered", n)
		}
	})
}

func TestOrdersNobodyCanObey(t *testing.T) {
	atFaultyUplink(t, func(t *testing.T, r *rig) {
		r.confirm(0)
		if d := r.order(wire.Order{ID: "1", Do: "dance"}); len(d) != 1 || !strings.Contains(d[0].Error, "update it") {
			t.Errorf("answers %+v", d)
		}
		if d := r.order(wire.Order{Do: "dance"}); len(d) != 0 {
			t.Errorf("answers what nobody waits for: %+v", d)
		}
		r.up.Syncer = nil
		if d := r.order(wire.Order{ID: "2", Do: wire.DoSync}); len(d) != 1 || !strings.Contains(d[0].Error, "no readers are configured") {
			t.Errorf("answers %+v", d)
		}
	})
}

// TestDigestIsTold: of all buckets, or of the users of some; and without being
// asked once a day.
func TestDigestIsTold(t *testing.T) {
	atFaultyUplink(t, func(t *testing.T, r *rig) {
		r.confirm(0)
		r.say(wire.KindChanges, wire.Changes{Session: r.call.Session, Roster: "R", To: 4})
		r.order(wire.Order{Do: wire.DoDigest})
		d := said[wire.Digest](r.fakeCenter, wire.KindDigest)
		if len(d) != 1 || len(d[0].Buckets) != wire.Buckets || len(d[0].Of) != 0 || d[0].Revision != 4 {
			t.Errorf("of all: %+v", d)
		}
		r.order(wire.Order{Do: wire.DoDigest, Buckets: []uint8{5, 6}})
		d = said[wire.Digest](r.fakeCenter, wire.KindDigest)
		if len(d) != 1 || fmt.Sprint(d[0].Of) != "[5 6]" || len(d[0].Users) != 1 || len(d[0].Buckets) != 0 {
			t.Errorf("of some: %+v", d)
		}
		r.confirm(r.j.State().Last)
		said[wire.Hello](r.fakeCenter, wire.KindHello)
		answered := time.Now()
		for time.Since(answered) < compareEvery {
			<-time.After(5 * time.Second)
			r.confirm(r.j.State().Last)
		}
		hellos := said[wire.Hello](r.fakeCenter, wire.KindHello)
		if len(hellos) != 1 || len(hellos[0].Digest) == 0 {
			t.Errorf("within a day it greets with %d, %+v", len(hellos), hellos)
		}
	})
}

// TestMendingIsJournaled: people hear that the copy was not what it should be.
func TestMendingIsJournaled(t *testing.T) {
	atFaultyUplink(t, func(t *testing.T, r *rig) {
		r.say(wire.KindConfirm, wire.Confirm{Session: r.call.Session, Epoch: "e1", Roster: "R", Revision: 9, Now: time.Now().UnixMilli()})
		r.say(wire.KindChanges, wire.Changes{Session: r.call.Session, Roster: "R", Mend: true})
		if len(r.j.events) != 0 {
			t.Errorf("nothing was mended: %v", r.j.events)
		}
		r.say(wire.KindChanges, wire.Changes{Session: r.call.Session, Roster: "R", Mend: true, Users: []wire.Change{{GUID: "g", Record: []byte{0xa0}}}})
		if len(r.j.events) != 1 || r.j.events[0] != protocol.EventMended {
			t.Errorf("journaled %v", r.j.events)
		}
	})
}

// TestReadersAreTold: at once when one changes, not in a stream, and again in
// case it was lost.
func TestReadersAreTold(t *testing.T) {
	atFaultyUplink(t, func(t *testing.T, r *rig) {
		r.confirm(0)
		told := func() []wire.Readers { return said[wire.Readers](r.fakeCenter, wire.KindReaders) }
		if got := told(); len(got) != 1 || got[0].Session != r.call.Session {
			t.Errorf("at first: %+v", got)
		}
		<-time.After(readersPause)
		for n := range 10 {
			r.panel.change(wire.ReaderState{Name: fmt.Sprint("r", n)})
			synctest.Wait()
		}
		if got := told(); len(got) != 1 || got[0].Readers[0].Name != "r0" {
			t.Errorf("at the first change: %+v", got)
		}
		<-time.After(readersPause)
		if got := told(); len(got) != 1 || got[0].Readers[0].Name != "r9" {
			t.Errorf("after the pause: %+v", got)
		}
		for range 20 {
			<-time.After(5 * time.Second)
			r.confirm(0)
		}
		if got := told(); len(got) != 1 {
			t.Errorf("told %d times in a minute and a half", len(got))
		}
	})
}

// TestTap: who looks on sees both ways, and no longer than they look.
func TestTap(t *testing.T) {
	atFaultyUplink(t, func(t *testing.T, r *rig) {
		seen := map[string]int{}
		stop := r.up.Tap(func(s wire.Shown) { seen[s.Dir]++ })
		r.confirm(0)
		r.j.write(1)
		synctest.Wait()
		if seen[wire.Up] == 0 || seen[wire.Down] != 1 {
			t.Errorf("seen: %v", seen)
		}
		stop()
		r.confirm(1)
		if seen[wire.Down] != 1 {
			t.Errorf("seen after the end: %v", seen)
		}
	})
}

// TestFollows: what may go into one transaction.
func TestFollows(t *testing.T) {
	page := func(after, upTo, cursor string) wire.Changes {
		return wire.Changes{Roster: "R", Page: &wire.Page{After: after, UpTo: upTo, Cursor: []byte(cursor)}}
	}
	delta := func(from, to uint64) wire.Changes { return wire.Changes{Roster: "R", From: from, To: to} }
	mend, other := delta(2, 3), delta(2, 3)
	mend.Mend, other.Roster = true, "older"
	for _, c := range []struct {
		name string
		a, b wire.Changes
		want bool
	}{
		{"the next revisions", delta(1, 2), delta(2, 3), true},
		{"a gap", delta(1, 2), delta(3, 4), false},
		{"of another roster", delta(1, 2), other, false},
		{"what mends", delta(1, 2), mend, false},
		{"after what mends", mend, delta(3, 4), false},
		{"the next page", page("", "k", "c"), page("k", "", ""), true},
		{"another page", page("", "k", "c"), page("l", "", ""), false},
		{"a page after the last one", page("", "", ""), page("", "k", "c"), false},
		{"a page after revisions", delta(1, 2), page("", "k", "c"), false},
		{"revisions after a page", page("", "k", ""), delta(0, 2), false},
	} {
		if got := follows(c.a, c.b); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}
