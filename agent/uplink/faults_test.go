package uplink

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"doorsync/agent/journal"
	"doorsync/protocol"
	"doorsync/protocol/wire"
)

// TestDiskFails: whatever the journal cannot do ends the connection, nothing is
// taken for done, and the next connection does it.
func TestDiskFails(t *testing.T) {
	for _, c := range []struct {
		method, says string
		do           func(r *rig)
		done         func(r *rig) bool
	}{
		{
			"Pending", "read journal for the center", func(r *rig) { r.j.write(3) },
			func(r *rig) bool { return len(r.taken()) == 1 },
		},
		{
			"Confirm", "store what the center has taken", func(r *rig) { r.j.write(1); r.confirm(1) },
			func(r *rig) bool { r.confirm(1); return r.j.State().Confirmed == 1 },
		},
		{"NewEpoch", "disk full", func(r *rig) {
			r.say(wire.KindConfirm, wire.Confirm{Session: r.call.Session, Epoch: r.j.State().Epoch, NewEpoch: true})
		}, func(r *rig) bool {
			r.say(wire.KindConfirm, wire.Confirm{Session: r.call.Session, Epoch: r.j.State().Epoch, NewEpoch: true})
			return r.j.State().Epoch == "e1+"
		}},
		{"Apply", "take in changes of the roster", func(r *rig) {
			r.say(wire.KindChanges, wire.Changes{Session: r.call.Session, Roster: "R", To: 7})
		}, func(r *rig) bool {
			r.say(wire.KindChanges, wire.Changes{Session: r.call.Session, Roster: "R", To: 7})
			return r.j.State().Revision == 7
		}},
		{"Digest", "compare with the center", func(r *rig) {
			r.say(wire.KindOrder, wire.Order{Session: r.call.Session, Do: wire.DoDigest, Buckets: []uint8{3}})
		}, func(r *rig) bool {
			r.say(wire.KindOrder, wire.Order{Session: r.call.Session, Do: wire.DoDigest, Buckets: []uint8{3}})
			return len(said[wire.Digest](r.fakeCenter, wire.KindDigest)) == 1
		}},
	} {
		t.Run(c.method, func(t *testing.T) {
			atFaultyUplink(t, func(t *testing.T, r *rig) {
				r.confirm(0)
				r.f.fail(c.method, errDisk)
				r.taken()
				c.do(r)
				synctest.Wait()
				if s := r.up.Status(); s.State != Offline || !strings.Contains(s.Error, c.says) || !strings.Contains(s.Error, errDisk.Error()) {
					t.Errorf("status: %+v; must say %q", s, c.says)
				}
				r.f.fail(c.method, nil)
				<-time.After(retryMost)
				r.confirm(0)
				if r.calls != 2 {
					t.Errorf("%d connections", r.calls)
				}
				if !c.done(r) {
					t.Error("the next connection does not do it either")
				}
			})
		})
	}
}

// TestJournalThatDiverged: where the journal finds that the center knows another
// one, a new epoch begins.
func TestJournalThatDiverged(t *testing.T) {
	atFaultyUplink(t, func(t *testing.T, r *rig) {
		r.f.fail("Confirm", fmt.Errorf("confirm: %w", journal.ErrDiverged))
		r.confirm(9)
		r.f.fail("Confirm", nil)
		hellos := said[wire.Hello](r.fakeCenter, wire.KindHello)
		if h := hellos[len(hellos)-1]; h.Epoch != "e1+" || r.calls != 1 {
			t.Errorf("greets with %+v in connection %d", h, r.calls)
		}
		if r.log.times("new epoch of the journal") != 1 {
			t.Error("nobody is told")
		}
	})
}

// TestAnswersOfTheCenter: a gap, a center put back to an older copy, and what is
// about an epoch that has ended.
func TestAnswersOfTheCenter(t *testing.T) {
	atFaultyUplink(t, func(t *testing.T, r *rig) {
		r.confirm(0)
		r.j.write(5)
		r.taken()
		r.say(wire.KindConfirm, wire.Confirm{Session: r.call.Session, Epoch: "e0", Taken: 5, NewEpoch: true})
		if st := r.j.State(); st.Confirmed != 0 || st.Epoch != "e1" {
			t.Errorf("an answer about another epoch was taken: %+v", st)
		}
		r.confirm(5)
		if s := r.up.Status(); s.Pending != 0 {
			t.Errorf("status: %+v", s)
		}
		r.confirm(2) // restored from a copy
		if got := fmt.Sprint(r.taken()); got != "[[3 4 5]]" {
			t.Errorf("sent again: %s", got)
		}
		if s := r.up.Status(); s.Pending != 3 || !s.Behind {
			t.Errorf("status: %+v", s)
		}
		said[wire.Hello](r.fakeCenter, wire.KindHello)
		r.say(wire.KindConfirm, wire.Confirm{Session: r.call.Session, Epoch: "e1", Taken: 2, Gap: true})
		if h := said[wire.Hello](r.fakeCenter, wire.KindHello); len(h) != 1 || h[0].Last != 5 {
			t.Errorf("after a gap it greets with %+v", h)
		}
		if got := r.taken(); len(got) != 0 {
			t.Errorf("before the answer it sends %v", got)
		}
		r.confirm(2)
		if got := fmt.Sprint(r.taken()); got != "[[3 4 5]]" {
			t.Errorf("after it: %s", got)
		}
	})
}

// TestSilentCenter: a broker without a center is not taken for a center.
func TestSilentCenter(t *testing.T) {
	atFaultyUplink(t, func(t *testing.T, r *rig) {
		if s := r.up.Status(); s.State != Waiting {
			t.Errorf("before any answer: %s", s.State)
		}
		<-time.After(centerPatience + 2*centerLook)
		synctest.Wait()
		if r.calls != 2 {
			t.Errorf("%d connections", r.calls)
		}
		if s := r.up.Status(); !strings.Contains(s.Error, "is doorsync-central running?") {
			t.Errorf("status: %+v", s)
		}
		if want := []protocol.Event{protocol.EventWANLost}; !slices.Equal(r.j.events, want) {
			t.Errorf("events: %v", r.j.events)
		}
		r.confirm(0)
		<-time.After(resendAfter)
		if r.calls != 2 {
			t.Error("a center that answers was left")
		}
	})
}

// TestDeadLine: a line that takes nothing is left, and told of once.
func TestDeadLine(t *testing.T) {
	atFaultyUplink(t, func(t *testing.T, r *rig) {
		r.confirm(0)
		r.dead = true
		r.j.write(1)
		<-time.After(3 * time.Minute)
		synctest.Wait()
		if s := r.up.Status(); s.State == Online || r.calls < 100 {
			t.Errorf("%s after %d connections", s.State, r.calls)
		}
		// Which message fails first, and therefore why there is no line, is chance.
		if n := r.log.times("center not reachable"); n == 0 || n > 4 {
			t.Errorf("logged %d times", n)
		}
		if n := len(r.j.events); n != 1 {
			t.Errorf("journaled %d times", n)
		}
	})
}

// TestLogThatCannotBeWritten: lines about the uplink itself are not worth a
// connection.
func TestLogThatCannotBeWritten(t *testing.T) {
	atFaultyUplink(t, func(t *testing.T, r *rig) {
		r.f.fail("Append", errDisk)
		r.confirm(0)
		r.say(wire.KindChanges, wire.Changes{Session: r.call.Session, Roster: "R"})
		if s := r.up.Status(); s.State != Online || r.calls != 1 {
			t.Errorf("%s in connection %d", s.State, r.calls)
		}
		if r.log.times("journal of the uplink") != 1 {
			t.Error("nobody is told")
		}
	})
}

// TestFlood: what is more than can wait is dropped and counted, never kept.
func TestFlood(t *testing.T) {
	atFaultyUplink(t, func(t *testing.T, r *rig) {
		s := newSession(r.up, "s")
		for range heardAtOnce + 7 {
			s.heard(wire.KindOrder, nil)
		}
		if n := r.up.Status().Dropped; n != 7 {
			t.Errorf("%d of 7 were dropped", n)
		}
		s = newSession(r.up, "s")
		for range 10 {
			s.heard(wire.KindChanges, make([]byte, heardAtOnceB/8))
		}
		if n := r.up.Status().Dropped; n != 7+2 || s.waiting.Load() != heardAtOnceB {
			t.Errorf("%d of 2 were dropped, %d bytes wait", n-7, s.waiting.Load())
		}
		for range 5 {
			s.inbox.put(wire.Changes{}, window)
		}
		if n := r.up.Status().Dropped; n != 7+2+3 || len(s.inbox.queue) != 2 {
			t.Errorf("%d of 3 were dropped, %d wait", n-9, len(s.inbox.queue))
		}
		if n := r.log.times("message from the center dropped"); n != 1 {
			t.Errorf("logged %d times", n)
		}
	})
}

// TestMessagesOfNoUse: they change nothing but a count.
func TestMessagesOfNoUse(t *testing.T) {
	atFaultyUplink(t, func(t *testing.T, r *rig) {
		r.confirm(0)
		for _, k := range []wire.Kind{wire.KindConfirm, wire.KindChanges, wire.KindOrder, "gossip"} {
			r.call.Heard(k, []byte("no message"))
		}
		synctest.Wait()
		if s := r.up.Status(); s.Dropped != 4 || s.State != Online {
			t.Errorf("status: %+v", s)
		}
	})
}

// TestClocksThatDiffer: people are told; nothing else comes of it.
func TestClocksThatDiffer(t *testing.T) {
	atFaultyUplink(t, func(t *testing.T, r *rig) {
		r.say(wire.KindConfirm, wire.Confirm{
			Session: r.call.Session, Epoch: "e1", Roster: "R", Now: time.Now().Add(-time.Hour).UnixMilli(),
		})
		if s := r.up.Status(); s.State != Online || s.CenterAhead != -time.Hour {
			t.Errorf("status: %+v", s)
		}
		if r.log.times("set this one by a time server") != 1 {
			t.Error("nobody is told")
		}
	})
}

func TestNewNeedsItsParts(t *testing.T) {
	j := newFakeJournal(t)
	whole := Options{Site: "LYON", Connect: (&broker{}).connect, Outbox: j, Copy: j, Log: j}
	for name, spoil := range map[string]func(o *Options){
		"site": func(o *Options) { o.Site = "a/b" }, "connect": func(o *Options) { o.Connect = nil },
		"outbox": func(o *Options) { o.Outbox = nil }, "copy": func(o *Options) { o.Copy = nil }, "log": func(o *Options) { o.Log = nil },
	} {
		o := whole
		spoil(&o)
		if _, err := New(o); err == nil || !strings.Contains(err.Error(), "new uplink") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := New(whole); err != nil {
		t.Error(err)
	}
}
