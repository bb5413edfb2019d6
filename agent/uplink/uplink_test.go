package uplink

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fxamacker/cbor/v2"

	"doorsync/agent/journal"
	"doorsync/protocol"
	"doorsync/protocol/wire"
)

// fakeJournal is a journal in memory whose entries are only numbers.
type fakeJournal struct {
	mu       sync.Mutex
	st       journal.State
	oldest   uint64
	lag      uint64 // entries that are in the file, but not yet in the state
	appended chan struct{}
	applied  [][]wire.Changes
	slow     chan struct{} // if set, Apply waits for it
	events   []protocol.Event
	codec    *wire.Codec
}

func newFakeJournal(t *testing.T) *fakeJournal {
	t.Helper()
	codec, err := wire.NewCodec()
	if err != nil {
		t.Fatal(err)
	}
	return &fakeJournal{
		st: journal.State{Epoch: "e1", First: 1}, oldest: 1, appended: make(chan struct{}, 1), codec: codec,
	}
}

func (j *fakeJournal) State() journal.State {
	j.mu.Lock()
	defer j.mu.Unlock()
	st := j.st
	st.Last -= j.lag
	return st
}

func (j *fakeJournal) write(n uint64) {
	j.mu.Lock()
	j.st.Last += n
	j.mu.Unlock()
	poke(j.appended)
}

func (j *fakeJournal) Pending(after uint64, maxEntries, _ int) (out []journal.RawEntry, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for n := max(after+1, j.oldest); n <= j.st.Last && len(out) < maxEntries; n++ {
		b, err := j.codec.Marshal(protocol.Entry{Number: n, Event: protocol.EventStarted})
		if err != nil {
			return nil, err
		}
		out = append(out, journal.RawEntry{Number: n, Data: b})
	}
	return out, nil
}

func (j *fakeJournal) Appended() <-chan struct{} { return j.appended }

func (j *fakeJournal) Confirm(_ context.Context, c wire.Confirm) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.st.Confirmed = c.Taken
	return nil
}

func (j *fakeJournal) NewEpoch(context.Context, string) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.st.Epoch, j.st.First = j.st.Epoch+"+", max(j.st.Confirmed, j.oldest-1)+1
	return nil
}

func (j *fakeJournal) Prepare(*wire.Changes) {}

func (j *fakeJournal) Apply(_ context.Context, changes ...wire.Changes) error {
	if j.slow != nil {
		<-j.slow
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, c := range changes {
		if c.From > j.st.Revision {
			return fmt.Errorf("apply: %w", journal.ErrGap)
		}
		j.st.Revision, j.st.Roster = max(j.st.Revision, c.To), c.Roster
	}
	j.applied = append(j.applied, changes)
	return nil
}

func (j *fakeJournal) Buckets() (b [wire.Buckets]wire.Sum) { return b }

func (j *fakeJournal) Digest(context.Context, []uint8) (map[string][]byte, error) { return nil, nil }

func (j *fakeJournal) Append(_ context.Context, b journal.Batch) ([]protocol.Entry, error) {
	j.mu.Lock()
	for _, d := range b.Drafts {
		j.events = append(j.events, d.Event)
		j.st.Last++
	}
	j.mu.Unlock()
	poke(j.appended)
	return nil, nil
}

// fakeCenter is the other end of the line, moved by the test.
type fakeCenter struct {
	t     *testing.T
	j     *fakeJournal
	up    *Uplink
	mu    sync.Mutex
	call  Call
	lost  chan struct{}
	heard map[wire.Kind][][]byte
}

func (c *fakeCenter) Publish(k wire.Kind, payload []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.heard[k] = append(c.heard[k], payload)
	return nil
}

func (c *fakeCenter) Lost() <-chan struct{} { return c.lost }
func (c *fakeCenter) Why() error            { return ErrNotConnected }
func (c *fakeCenter) Close()                {}

func (c *fakeCenter) say(k wire.Kind, m any) {
	c.t.Helper()
	payload, err := c.j.codec.Encode(m)
	if err != nil {
		c.t.Fatal(err)
	}
	c.call.Heard(k, payload)
	synctest.Wait()
}

func (c *fakeCenter) confirm(taken uint64) {
	c.t.Helper()
	c.say(wire.KindConfirm, wire.Confirm{Session: c.call.Session, Epoch: c.j.State().Epoch, Taken: taken, Roster: "R", Now: time.Now().UnixMilli()})
}

// taken returns the numbers of the journal messages since the last call.
func (c *fakeCenter) taken() (all [][]uint64) {
	c.t.Helper()
	for _, m := range said[wire.Journal](c, wire.KindJournal) {
		var numbers []uint64
		for _, e := range m.Entries {
			numbers = append(numbers, e.Number)
		}
		all = append(all, numbers)
	}
	return all
}

func said[M any](c *fakeCenter, k wire.Kind) (all []M) {
	c.t.Helper()
	synctest.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, payload := range c.heard[k] {
		var m M
		if err := c.j.codec.Decode(payload, &m); err != nil {
			c.t.Fatal(err)
		}
		all = append(all, m)
	}
	c.heard[k] = nil
	return all
}

func atUplink(t *testing.T, run func(t *testing.T, j *fakeJournal, c *fakeCenter)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		j := newFakeJournal(t)
		c := &fakeCenter{t: t, j: j, heard: map[wire.Kind][][]byte{}}
		connect := func(_ context.Context, call Call) (Link, error) {
			c.call, c.lost = call, make(chan struct{})
			return c, nil
		}
		var err error
		if c.up, err = New(Options{Site: "LYON", Connect: connect, Outbox: j, Copy: j, Log: j}); err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() { _ = c.up.Run(ctx) })
		synctest.Wait()
		run(t, j, c)
		stop()
		wg.Wait()
	})
}

func TestJournalWaitsForNothingAndGrowsWithTheLoad(t *testing.T) {
	atUplink(t, func(t *testing.T, j *fakeJournal, c *fakeCenter) {
		j.write(1)
		if got := c.taken(); len(got) != 0 {
			t.Fatalf("sent before the center has answered: %v", got)
		}
		c.confirm(0)
		begun := time.Now()
		if got := fmt.Sprint(c.taken()); got != "[[1]]" {
			t.Errorf("after the answer: %s", got)
		}
		for range 5 {
			j.write(1)
			synctest.Wait()
		}
		if got := fmt.Sprint(c.taken()); got != "[[2]]" {
			t.Errorf("while two are under way: %s", got)
		}
		c.confirm(1)
		if got := fmt.Sprint(c.taken()); got != "[[3 4 5 6]]" {
			t.Errorf("after one was taken: %s", got)
		}
		if time.Since(begun) != 0 {
			t.Error("something waited for a timer")
		}
		j.write(10_000)
		if got := c.taken(); len(got) != batchesOut-2 || len(got[0]) != batchEntries {
			t.Errorf("%d messages of a backlog", len(got))
		}
	})
}

// A hello that follows entries names them, or the center would take the journal
// for one that was put back.
func TestHelloNamesWhatWasSent(t *testing.T) {
	atUplink(t, func(t *testing.T, j *fakeJournal, c *fakeCenter) {
		c.confirm(0)
		j.mu.Lock()
		j.lag = 1
		j.mu.Unlock()
		j.write(2)
		if got := fmt.Sprint(c.taken()); got != "[[1 2]]" {
			t.Fatalf("sent %s", got)
		}
		said[wire.Hello](c, wire.KindHello)
		c.say(wire.KindOrder, wire.Order{Do: wire.DoHello})
		if got := said[wire.Hello](c, wire.KindHello); len(got) != 1 || got[0].Last != 2 {
			t.Errorf("greeted with %+v", got)
		}
	})
}

func TestJournalIsSentAgain(t *testing.T) {
	atUplink(t, func(t *testing.T, j *fakeJournal, c *fakeCenter) {
		c.confirm(0)
		j.write(2)
		c.taken()
		<-time.After(resendAfter + time.Millisecond)
		if got := fmt.Sprint(c.taken()); got != "[[1 2]]" {
			t.Errorf("unanswered: %s", got)
		}
		c.say(wire.KindOrder, wire.Order{Session: c.call.Session, Do: wire.DoResend, Number: 2})
		if got := fmt.Sprint(c.taken()); got != "[[2]]" {
			t.Errorf("ordered: %s", got)
		}
		c.say(wire.KindConfirm, wire.Confirm{Session: "another", Epoch: "e1", Taken: 2})
		if j.State().Confirmed != 0 {
			t.Error("a message of another session was taken for an answer")
		}
	})
}

// TestTrimmedAway: the center, restored from a copy, asks for what is no longer
// kept.
func TestTrimmedAway(t *testing.T) {
	atUplink(t, func(t *testing.T, j *fakeJournal, c *fakeCenter) {
		j.mu.Lock()
		j.st.Last, j.st.Confirmed, j.oldest = 100, 100, 50
		j.mu.Unlock()
		c.confirm(10)
		hellos := said[wire.Hello](c, wire.KindHello)
		if h := hellos[len(hellos)-1]; h.Epoch != "e1+" || h.First < 50 {
			t.Errorf("hello: %+v", h)
		}
	})
}

func TestChangesAreTakenInTogether(t *testing.T) {
	atUplink(t, func(t *testing.T, j *fakeJournal, c *fakeCenter) {
		c.confirm(0)
		said[wire.Pull](c, wire.KindPull)
		change := func(from, to uint64) []byte {
			payload, err := j.codec.Encode(wire.Changes{Session: c.call.Session, Roster: "R", From: from, To: to})
			if err != nil {
				t.Fatal(err)
			}
			return payload
		}
		j.slow = make(chan struct{})
		for n := range uint64(5) {
			c.call.Heard(wire.KindChanges, change(n, n+1))
			synctest.Wait()
		}
		close(j.slow)
		synctest.Wait()
		if n := len(j.applied); n != 2 || len(j.applied[1]) != 4 {
			t.Errorf("5 messages were taken in by %d transactions", n)
		}
		pulls := said[wire.Pull](c, wire.KindPull)
		if p := pulls[len(pulls)-1]; p.After != 5 || p.Again {
			t.Errorf("pull: %+v", p)
		}
		for range 3 { // a gap is asked about once
			c.call.Heard(wire.KindChanges, change(9, 10))
		}
		if pulls := said[wire.Pull](c, wire.KindPull); len(pulls) != 1 || !pulls[0].Again || pulls[0].After != 5 {
			t.Errorf("pulls at a gap: %+v", pulls)
		}
	})
}

func TestEventsOfTheLine(t *testing.T) {
	atUplink(t, func(t *testing.T, j *fakeJournal, c *fakeCenter) {
		c.confirm(0)
		c.say(wire.KindChanges, wire.Changes{Session: c.call.Session, Roster: "R"})
		close(c.lost)
		<-time.After(3 * time.Second)
		c.confirm(0)
		c.say(wire.KindChanges, wire.Changes{Session: c.call.Session, Roster: "R"})
		c.confirm(j.State().Last)
		want := []protocol.Event{protocol.EventCaughtUp, protocol.EventWANLost, protocol.EventWANBack, protocol.EventCaughtUp}
		j.mu.Lock()
		defer j.mu.Unlock()
		if !slices.Equal(j.events, want) {
			t.Errorf("events: %v, want %v", j.events, want)
		}
	})
}

// TestRawJournal: entries that travel as they are stored are a wire.Journal.
func TestRawJournal(t *testing.T) {
	j := newFakeJournal(t)
	j.st.Last = 2
	entries, err := j.Pending(0, 10, 0)
	if err != nil {
		t.Fatal(err)
	}
	raw := journalMessage{Session: "s", Epoch: "e", Entries: []cbor.RawMessage{entries[0].Data, entries[1].Data}}
	payload, err := j.codec.Encode(raw)
	if err != nil {
		t.Fatal(err)
	}
	var m wire.Journal
	if err := j.codec.Decode(payload, &m); err != nil {
		t.Fatal(err)
	}
	if m.Session != "s" || m.Epoch != "e" || len(m.Entries) != 2 || m.Entries[1].Number != 2 {
		t.Errorf("read back: %+v", m)
	}
}
