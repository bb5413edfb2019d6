package exchange

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fxamacker/cbor/v2"

	"doorsync/cloud/roster"
	"doorsync/protocol/wire"
)

// TestDropped: what is of no use is counted by why, and logged once, however
// often it comes.
func TestDropped(t *testing.T) {
	later, err := cbor.Marshal(map[string]any{"v": 99, "b": []byte{0xa0}})
	if err != nil {
		t.Fatal(err)
	}
	topic := wire.Topics{}.Up("LYON", wire.KindPull)
	for _, c := range []struct {
		reason, topic string
		payload       []byte
		site          string // counted as its own
	}{
		{DropMalformed, topic, []byte("no message"), "LYON"},
		{DropTooLarge, topic, make([]byte, wire.MaxMessage+1), "LYON"},
		{DropVersion, topic, later, "LYON"},
		{DropForeign, "somebody/else", nil, ""},
		{DropUnknown, wire.Topics{}.Up("NICE", wire.KindPull), nil, ""},
		{DropKind, wire.Topics{}.Up("LYON", "gossip"), nil, "LYON"},
	} {
		t.Run(c.reason, func(t *testing.T) {
			atFaultyDesk(t, func(t *testing.T, d faultyDesk) {
				for range 3 {
					d.x.Heard(c.topic, c.payload)
				}
				if n := d.dropped(c.reason); n != 3 {
					t.Errorf("counted %d of 3: %+v", n, d.x.Counts())
				}
				if n := d.x.Counts().BySite[c.site][c.reason]; c.site != "" && n != 3 {
					t.Errorf("counted %d for the site", n)
				}
				if n := d.log.times("message dropped"); n != 1 {
					t.Errorf("logged %d times", n)
				}
			})
		})
	}
}

// TestSessionsThatAreOver: what an ended connection still says is of no use.
func TestSessionsThatAreOver(t *testing.T) {
	atFaultyDesk(t, func(t *testing.T, d faultyDesk) {
		d.greeted("LYON")
		d.hello("LYON", "s2")
		synctest.Wait()
		take[wire.Confirm](t, d.out, "LYON", wire.KindConfirm)
		d.hello("LYON", "s1")
		d.hello("LYON", "")
		d.say("LYON", wire.KindJournal, wire.Journal{Session: "s1", Epoch: "e", Entries: entries(1, 1)})
		d.say("LYON", wire.KindPull, wire.Pull{Session: "s1", Again: true})
		if n := d.dropped(DropSession); n != 4 {
			t.Errorf("%d were dropped", n)
		}
		if got := take[wire.Confirm](t, d.out, "LYON", wire.KindConfirm); len(got) != 0 {
			t.Errorf("answered: %+v", got)
		}
		if d.r.taken["LYON"] != 0 {
			t.Error("an entry of an ended session was taken")
		}
		if o := d.orders("LYON"); len(o) != 0 {
			t.Errorf("a session that is over was asked for %+v", o)
		}
	})
}

// TestOvertakenHello: a hello that is older than entries that have come speaks
// of less than there is, and would be taken for a journal that was put back.
func TestOvertakenHello(t *testing.T) {
	atFaultyDesk(t, func(t *testing.T, d faultyDesk) {
		d.greeted("LYON")
		d.say("LYON", wire.KindJournal, wire.Journal{Session: "s1", Epoch: "e", Entries: entries(1, 4)})
		synctest.Wait()
		take[wire.Confirm](t, d.out, "LYON", wire.KindConfirm)
		d.say("LYON", wire.KindHello, wire.Hello{Session: "s1", Epoch: "e", First: 1, Last: 3, Roster: "R"})
		if n := d.dropped(DropSession); n != 1 {
			t.Errorf("%d were dropped", n)
		}
		d.say("LYON", wire.KindHello, wire.Hello{Session: "s1", Epoch: "e", First: 1, Last: 4, Roster: "R"})
		synctest.Wait()
		if got := take[wire.Confirm](t, d.out, "LYON", wire.KindConfirm); len(got) != 1 || got[0].Taken != 4 {
			t.Errorf("a hello that names all was answered by %+v", got)
		}
	})
}

// TestJournalBeforeItsHello: what comes in a session whose hello the roster has
// not answered is not heard, since nobody knows where the epoch begins.
func TestJournalBeforeItsHello(t *testing.T) {
	atFaultyDesk(t, func(t *testing.T, d faultyDesk) {
		d.f.fail("Hello", errStore)
		d.hello("LYON", "s1")
		d.say("LYON", wire.KindJournal, wire.Journal{Session: "s1", Epoch: "e", Entries: entries(1, 2)})
		<-time.After(2 * hearRetry)
		if got := take[wire.Confirm](t, d.out, "LYON", wire.KindConfirm); len(got) != 0 || d.r.taken["LYON"] != 0 {
			t.Errorf("answered %+v, %d taken", got, d.r.taken["LYON"])
		}
		if d.log.times("nothing was acknowledged") == 0 {
			t.Error("nobody is told that the roster fails")
		}
		d.f.fail("Hello", nil)
		d.say("LYON", wire.KindHello, wire.Hello{Session: "s1", Epoch: "e", First: 1, Last: 2, Roster: "R"})
		d.say("LYON", wire.KindJournal, wire.Journal{Session: "s1", Epoch: "e", Entries: entries(1, 2)})
		synctest.Wait()
		if c := last(t, take[wire.Confirm](t, d.out, "LYON", wire.KindConfirm)); c.Taken != 2 {
			t.Errorf("when the roster works again: %+v", c)
		}
	})
}

// TestRemovedSite: a site that was removed while it spoke is not answered.
func TestRemovedSite(t *testing.T) {
	atFaultyDesk(t, func(t *testing.T, d faultyDesk) {
		d.greeted("LYON")
		d.f.removed = true
		d.say("LYON", wire.KindJournal, wire.Journal{Session: "s1", Epoch: "e", Entries: entries(1, 1)})
		d.f.fail("Hello", fmt.Errorf("hello: %w", roster.ErrUnknownSite))
		d.hello("LYON", "s2")
		<-time.After(2 * hearRetry)
		if got := take[wire.Confirm](t, d.out, "LYON", wire.KindConfirm); len(got) != 0 {
			t.Errorf("answered: %+v", got)
		}
		if n := d.log.times("level=ERROR"); n != 0 {
			t.Errorf("%d errors logged", n)
		}
	})
}

// TestTwoAgentsUnderOneName: connections that take turns are told of, once.
func TestTwoAgentsUnderOneName(t *testing.T) {
	atFaultyDesk(t, func(t *testing.T, d faultyDesk) {
		for n := range 3 * changedOften {
			d.hello("LYON", fmt.Sprint("s", n))
			<-time.After(changedWithin / (changedOften + 2))
		}
		if n := d.log.times("two agents run under its name"); n != 1 {
			t.Errorf("told of %d times", n)
		}
	})
	atFaultyDesk(t, func(t *testing.T, d faultyDesk) {
		for n := range 3 * changedOften {
			d.hello("OSLO", fmt.Sprint("s", n))
			<-time.After(changedWithin / (changedOften - 2))
		}
		if n := d.log.times("two agents"); n != 0 {
			t.Error("a line that is lost now and then was taken for two agents")
		}
	})
}

// TestBrokerComesBack: who was connected all the while is asked what it has,
// and goes on in its session.
func TestBrokerComesBack(t *testing.T) {
	atFaultyDesk(t, func(t *testing.T, d faultyDesk) {
		d.greeted("LYON")
		d.x.Lost(errDown)
		synctest.Wait()
		if _, online := d.x.site("LYON").inSession(); online {
			t.Error("online without a line")
		}
		d.hello("OSLO", "s7")
		synctest.Wait()
		d.x.Connected()
		if o := d.orders("LYON"); len(o) != 1 || o[0].Do != wire.DoHello || o[0].Session != "" {
			t.Errorf("LYON is asked for %+v", o)
		}
		if o := d.orders("OSLO"); len(o) != 0 {
			t.Errorf("OSLO, which is in session, is asked for %+v", o)
		}
		d.hello("LYON", "s1")
		synctest.Wait()
		if got := take[wire.Confirm](t, d.out, "LYON", wire.KindConfirm); len(got) != 1 {
			t.Errorf("the session that went on was answered by %+v", got)
		}
		if n := fmt.Sprint(d.r.seen); n != "[true false true true]" {
			t.Errorf("noted of the sites: %s", n)
		}
		d.f.fail("Sites", errStore)
		d.x.Lost(errDown)
		d.x.Connected()
		if o := d.orders("LYON"); len(o) != 0 || d.log.times("store what was seen") != 1 {
			t.Errorf("while the roster fails LYON is asked for %+v", o)
		}
	})
}

// TestWhatIsSeenIsNotWorthAFailure: a store that takes no notes of who is online
// does not keep entries from being taken.
func TestWhatIsSeenIsNotWorthAFailure(t *testing.T) {
	atFaultyDesk(t, func(t *testing.T, d faultyDesk) {
		d.f.fail("Seen", errStore)
		d.greeted("LYON")
		d.say("LYON", wire.KindJournal, wire.Journal{Session: "s1", Epoch: "e", Entries: entries(1, 1)})
		synctest.Wait()
		if c := last(t, take[wire.Confirm](t, d.out, "LYON", wire.KindConfirm)); c.Taken != 1 {
			t.Errorf("confirmed %+v", c)
		}
		if d.log.times("store what was seen") == 0 {
			t.Error("nobody was told")
		}
	})
}

// TestTellingFails: what could not be read, or not be sent, is told when the
// site asks again, and not a message of it is taken for under way.
func TestTellingFails(t *testing.T) {
	for _, c := range []struct {
		name  string
		spoil func(d faultyDesk, broken bool)
	}{
		{"roster", func(d faultyDesk, broken bool) {
			d.f.fail("Changes", map[bool]error{true: errStore}[broken])
		}},
		{"line", func(d faultyDesk, broken bool) {
			d.out.mu.Lock()
			defer d.out.mu.Unlock()
			d.out.down = broken
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			atFaultyDesk(t, func(t *testing.T, d faultyDesk) {
				d.greeted("LYON")
				before := d.x.site("LYON").underWay()
				c.spoil(d, true)
				d.r.commit(3)
				synctest.Wait()
				if n := d.log.times("could not be told"); n != 1 {
					t.Errorf("logged %d times", n)
				}
				c.spoil(d, false)
				if s := d.x.site("LYON"); s.underWay() != before {
					t.Errorf("%d bytes count as under way, of %d", s.underWay(), before)
				}
				d.say("LYON", wire.KindPull, wire.Pull{Session: "s1", Window: 1 << 20, Again: true})
				synctest.Wait()
				if got := take[wire.Changes](t, d.out, "LYON", wire.KindChanges); len(got) != 1 || got[0].From != 0 || got[0].To != 3 {
					t.Errorf("when it asks again it is told %+v", got)
				}
			})
		})
	}
}

// TestOwnEchoWaits: what a site has said itself is news to others first.
func TestOwnEchoWaits(t *testing.T) {
	atFaultyDesk(t, func(t *testing.T, d faultyDesk) {
		d.greeted("LYON")
		d.f.own = true
		for range 2 { // the next echo waits again
			d.r.commit(1)
			synctest.Wait()
			d.r.commit(1) // it waits already
			synctest.Wait()
			if got := take[wire.Changes](t, d.out, "LYON", wire.KindChanges); len(got) != 0 {
				t.Fatalf("told at once: %+v", got)
			}
			<-time.After(echoPause)
			synctest.Wait()
			got := take[wire.Changes](t, d.out, "LYON", wire.KindChanges)
			if len(got) != 1 || got[0].To-got[0].From != 2 {
				t.Fatalf("after the pause: %+v", got)
			}
			d.say("LYON", wire.KindPull, wire.Pull{Session: "s1", After: got[0].To, Window: 1 << 20})
			synctest.Wait()
			take[wire.Changes](t, d.out, "LYON", wire.KindChanges)
		}
		d.say("LYON", wire.KindPull, wire.Pull{Session: "s1", After: 4, Window: 1 << 20, Again: true})
		synctest.Wait()
		if got := take[wire.Changes](t, d.out, "LYON", wire.KindChanges); len(got) != 1 {
			t.Errorf("a question waited: %+v", got)
		}
	})
}

func TestNewNeedsItsParts(t *testing.T) {
	for name, o := range map[string]Options{
		"no roster": {Pipe: &outbound{}}, "no pipe": {Roster: newFakeRoster()},
	} {
		if _, err := New(o); err == nil || !strings.Contains(err.Error(), "required") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestLateWordAboutAnEarlierRoster: a roster that begins anew while a site is
// connected counts from the beginning. A late word of the site about the one
// before must not be taken for one about the new one for ever.
func TestLateWordAboutAnEarlierRoster(t *testing.T) {
	atFaultyDesk(t, func(t *testing.T, d faultyDesk) {
		d.r.commit(4)
		d.greeted("LYON")
		d.f.begin("R2")
		d.r.commit(1)
		// The site holds revision 4 of R, and its word about that arrives only now,
		// twice.
		for range 2 {
			d.say("LYON", wire.KindPull, wire.Pull{Session: "s1", After: 4, Window: 1 << 20})
			synctest.Wait()
		}
		take[wire.Changes](t, d.out, "LYON", wire.KindChanges)
		d.say("LYON", wire.KindPull, wire.Pull{Session: "s1", After: 4, Window: 1 << 20, Again: true, Roster: "R"})
		synctest.Wait()
		got := take[wire.Changes](t, d.out, "LYON", wire.KindChanges)
		if len(got) == 0 || got[0].From != 0 || got[0].Roster != "R2" {
			t.Errorf("a site that holds another roster is told %d messages", len(got))
		}
		d.say("LYON", wire.KindPull, wire.Pull{Session: "s1", After: 5, Window: 1 << 20, Again: true, Roster: "R2"})
		synctest.Wait()
		if got := take[wire.Changes](t, d.out, "LYON", wire.KindChanges); len(got) != 1 || got[0].From != 5 {
			t.Errorf("a site that holds this one is told %d messages, the first from %d", len(got), got[0].From)
		}
	})
}
