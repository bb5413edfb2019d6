package wire

import (
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"doorsync/protocol"
)

// aUser is somebody with a card and two fingers, about 1 KiB.
func aUser(n uint64) protocol.Record {
	noise := rand.NewChaCha8([32]byte{byte(n), byte(n >> 8)})
	e := protocol.Edit{
		UserID: strconv.FormatUint(n, 10), New: true,
		Values: map[protocol.Field]protocol.Value{
			protocol.FieldName: protocol.Text("Invented Person " + strconv.FormatUint(n, 10)), protocol.FieldPIN: protocol.Text("123456"),
		},
		Given: []protocol.Credential{protocol.Card(1_000_000 + n)},
	}
	for finger := range uint8(2) {
		template := make([]byte, 384)
		_, _ = noise.Read(template)
		e.Given = append(e.Given, protocol.Fingerprint("zk10", 5+finger, template))
	}
	rules := protocol.DefaultRules()
	r := protocol.Fold([]protocol.Contribution{e.Contribution(protocol.Stamp{Wall: 1_790_000_000_000, Counter: 3, Origin: "LYON"}, rules)}, rules)
	r.GUID = "0190a0b0-c0d0-7000-8000-1234567" + strconv.FormatUint(10_000+n, 10)
	return r
}

func aRenaming(n uint64) protocol.Entry {
	return protocol.Entry{
		Number: n, Prev: make([]byte, 32), Stamp: protocol.Stamp{Wall: 1_790_000_000_000, Counter: 3, Origin: "LYON"},
		Event: protocol.EventUpdatedReader, Reader: "front", UserID: "4", Revision: 100_000,
		Edit: &protocol.Edit{UserID: "4", Values: map[protocol.Field]protocol.Value{protocol.FieldName: protocol.Text("Renamed Person")}},
	}
}

// BenchmarkOwn holds the encoders and decoders of this package against the
// general ones, in turns: xgeneral is the part of their time that is left.
func BenchmarkOwn(b *testing.B) {
	c := codec(b)
	rec, entry := aUser(4), aRenaming(4)
	recBytes, entryBytes := appendRecord(nil, rec), appendEntry(nil, entry)
	var changes Changes
	var journal Journal
	for n := range uint64(80) {
		u := aUser(n)
		changes.Users = append(changes.Users, Change{GUID: u.GUID, IDs: []string{u.UserID()}, Keys: []uint64{1 << 60, 1 << 61, 1 << 62}, Record: appendRecord(nil, u)})
	}
	for n := range uint64(400) {
		journal.Entries = append(journal.Entries, aRenaming(n))
	}
	changesBytes, err := c.appendBody(nil, changes)
	if err != nil {
		b.Fatal(err)
	}
	journalBytes := appendJournal(nil, &journal)
	general := func(v any) func() { return func() { _, _ = c.enc.Marshal(v) } }
	for _, tc := range []struct {
		name         string
		own, general func()
	}{
		{"write record", func() { _, _ = c.Marshal(rec) }, general(rec)},
		{"write entry", func() { _, _ = c.Marshal(entry) }, general(entry)},
		{"write changes of 80 users", func() { _, _ = c.appendBody(make([]byte, 0, len(changesBytes)), changes) }, general(changes)},
		{"read record", func() { _ = c.Unmarshal(recBytes, new(protocol.Record)) }, func() { _ = c.dec.Unmarshal(recBytes, new(protocol.Record)) }},
		{"read record's values", func() { _, _ = c.UnmarshalValues(recBytes) }, func() { _ = c.dec.Unmarshal(recBytes, new(protocol.Record)) }},
		{"read entry", func() { _ = c.Unmarshal(entryBytes, new(protocol.Entry)) }, func() { _ = c.dec.Unmarshal(entryBytes, new(protocol.Entry)) }},
		{"read changes of 80 users", func() { c.decodeKnown(changesBytes, new(Changes)) }, func() { _ = c.dec.Unmarshal(changesBytes, new(Changes)) }},
		{"read journal of 400", func() { c.decodeKnown(journalBytes, new(Journal)) }, func() { _ = c.dec.Unmarshal(journalBytes, new(Journal)) }},
	} {
		b.Run(tc.name, func(b *testing.B) {
			var own, general time.Duration
			for b.Loop() {
				start := time.Now()
				tc.own()
				between := time.Now()
				tc.general()
				own, general = own+between.Sub(start), general+time.Since(between)
			}
			b.ReportMetric(float64(own.Nanoseconds())/float64(b.N), "own-ns")
			b.ReportMetric(float64(own)/float64(general), "xgeneral")
		})
	}
}
