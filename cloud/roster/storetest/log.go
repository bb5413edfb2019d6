package storetest

import (
	"fmt"
	"testing"
	"time"

	"doorsync/cloud/roster"
	"doorsync/protocol"
	"doorsync/protocol/wire"
)

func event(n int) roster.Event {
	at := time.UnixMilli(1_700_000_000_000 + int64(n)*1000).UTC()
	return roster.Event{
		ID: protocol.EntryID{1, byte(n >> 8), byte(n)}, Site: []string{"A", "B", ""}[n%3], Epoch: "e", Number: uint64(n), At: at,
		Arrived: at.Add(time.Minute), Event: protocol.EventEnrolled, Reader: []string{"front", "back"}[n%2], ReaderID: "1",
		UserID: fmt.Sprint(n % 5), GUID: "g", Detail: "d", Actor: "anna",
	}
}

func log(t *testing.T, s roster.Store) {
	const all = 300
	var events []roster.Event
	for n := range all {
		events = append(events, event(n))
	}
	update(t, s, func(tx roster.Tx) { must(t, tx.AddEvents(nil)); must(t, tx.AddEvents(events)) })
	list := func(q roster.EventFilter, limit int) (out []roster.Event) {
		view(t, s, func(v roster.View) {
			must(t, v.Events(q, func(e *roster.Event) bool { out = append(out, *e); return len(out) < limit }))
		})
		return out
	}
	want := event(0)
	got := list(roster.EventFilter{Oldest: true}, 1)[0]
	want.Seq = got.Seq
	equal(t, "first", want, got)
	site := "A"
	equal(t, "newest first", uint64(all-1), list(roster.EventFilter{}, 1)[0].Number)
	next := list(roster.EventFilter{Oldest: true, After: got.Seq}, 2)
	equal(t, "after", []uint64{1, 2}, []uint64{next[0].Number, next[1].Number})
	older := list(roster.EventFilter{After: next[1].Seq}, 9)
	equal(t, "before", []uint64{1, 0}, []uint64{older[0].Number, older[1].Number})
	equal(t, "site", 100, len(list(roster.EventFilter{Site: &site}, 999)))
	equal(t, "users", 120, len(list(roster.EventFilter{Users: []string{"1", "4"}}, 999)))
	equal(t, "reader", 150, len(list(roster.EventFilter{Reader: "front"}, 999)))
	equal(t, "event", 0, len(list(roster.EventFilter{Event: protocol.EventConflict}, 999)))
	equal(t, "span", 10, len(list(roster.EventFilter{SinceMS: event(20).At.UnixMilli(), UntilMS: event(30).At.UnixMilli()}, 999)))
	equal(t, "since", 5, len(list(roster.EventFilter{SinceMS: event(all - 5).At.UnixMilli()}, 999)))
	known := map[protocol.EntryID]bool{}
	view(t, s, func(v roster.View) {
		must(t, v.Known("A", 297, func(id protocol.EntryID) { known[id] = true }))
	})
	equal(t, "known", map[protocol.EntryID]bool{event(297).ID: true}, known)
}

func verdicts(t *testing.T, s roster.Store) {
	one := wire.Verdict{Number: 5, Event: protocol.EventTooLate, UserID: "7", Detail: "d"}
	two := wire.Verdict{Number: 5, Event: protocol.EventConflict}
	three := wire.Verdict{Number: 8, Event: protocol.EventConflict}
	update(t, s, func(tx roster.Tx) {
		must(t, tx.AddVerdicts([]roster.VerdictRow{
			{Site: "A", Epoch: "e", Verdict: one},
			{Site: "A", Epoch: "e", Verdict: two},
			{Site: "A", Epoch: "e", Verdict: three},
			{Site: "A", Epoch: "f", Verdict: one},
			{Site: "B", Epoch: "e", Verdict: one},
		}))
	})
	read := func(after, upTo uint64) (out []wire.Verdict) {
		view(t, s, func(v roster.View) {
			var err error
			out, err = v.Verdicts("A", "e", after, upTo)
			must(t, err)
		})
		return out
	}
	equal(t, "some", []wire.Verdict{one, two}, read(4, 7))
	equal(t, "all", []wire.Verdict{one, two, three}, read(0, 8))
	update(t, s, func(tx roster.Tx) { must(t, tx.DropVerdicts("A", "e", 5)) })
	equal(t, "left", []wire.Verdict{three}, read(0, 99))
}
