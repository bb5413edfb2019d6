package reader

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"

	"doorsync/agent/journal"
	"doorsync/protocol"
	"doorsync/protocol/wire"
)

// BenchmarkWholeTable compares a table of 10,000 rows that is in line.
func BenchmarkWholeTable(b *testing.B) {
	const users = 10000
	r, f := benchReader(b, users)
	order := func() {
		if st, err := r.Sync(b.Context(), Order{}); err != nil || st.State != wire.ReaderInSync {
			b.Fatalf("%+v, %v", st, err)
		}
	}
	for range 3 { // the second one reads back what the first one wrote
		order()
	}
	puts := f.puts
	for b.Loop() {
		order()
	}
	if f.puts != puts || f.puts != users {
		b.Errorf("%d writes, and %d more for a table in line", puts, f.puts-puts)
	}
}

func benchReader(b *testing.B, users int) (*Reader, *fake) {
	b.Helper()
	j, err := journal.Open(filepath.Join(b.TempDir(), "journal.db"), journal.Options{Site: "LYON"})
	if err != nil {
		b.Fatal(err)
	}
	codec, err := wire.NewCodec()
	if err != nil {
		b.Fatal(err)
	}
	f := newFake()
	r := New(Options{Name: "front", Open: f.Open, Journal: j, Codec: codec, Resync: 1 << 40, Poll: 1 << 40})
	ctx, cancel := context.WithCancel(context.Background())
	wrote, ran := make(chan error, 1), make(chan error, 1)
	go func() { wrote <- j.Run(ctx) }()
	c := wire.Changes{Roster: "R", To: 1, Settings: &wire.Settings{Mode: wire.ModeAllReaders, Rules: protocol.DefaultRules()}}
	for i := range users {
		c.Users = append(c.Users, benchUser(b, codec, i))
	}
	if err := j.Apply(ctx, c); err != nil {
		b.Fatal(err)
	}
	go func() { ran <- r.Run(ctx) }()
	b.Cleanup(func() {
		cancel()
		<-ran
		<-wrote
		if err := j.Close(); err != nil {
			b.Error(err)
		}
	})
	return r, f
}

func benchUser(b *testing.B, codec *wire.Codec, i int) wire.Change {
	b.Helper()
	at := protocol.Stamp{Wall: 1}
	c := protocol.NewContribution(protocol.SourceOffice)
	id := fmt.Sprint(1000 + i)
	c.Set(protocol.FieldUserID, protocol.Text(id), at)
	c.Set(protocol.FieldName, protocol.Text("Anna Meyer"), at)
	card := protocol.Card(uint64(100000 + i))
	c.SetCredential(card, protocol.Given, at)
	c.SetCredential(protocol.Fingerprint("zk10", 6, fmt.Appendf(nil, "%0500d", i)), protocol.Given, at)
	rec := protocol.Fold([]protocol.Contribution{c}, protocol.DefaultRules())
	rec.GUID = fmt.Sprintf("0190a000-0000-7000-8000-%012x", i)
	enc, err := codec.Marshal(rec)
	if err != nil {
		b.Fatal(err)
	}
	return wire.Change{GUID: rec.GUID, IDs: []string{id}, Keys: []uint64{wire.KeyHash(card.Key())}, Record: enc}
}
