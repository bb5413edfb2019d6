package roster_test

import (
	"encoding/binary"
	"fmt"
	"testing"

	"doorsync/cloud/roster"
	"doorsync/protocol"
)

// exported is one row of a file as a personnel system writes it.
func exported(i int, phone string) roster.Word {
	w := roster.Word{
		Line: i + 2, Identity: roster.IdentityOf(fmt.Sprint("S", i)), SyncID: fmt.Sprint("S", i),
		Values: map[protocol.Field]protocol.Value{
			protocol.FieldFirstName: protocol.Text(fmt.Sprintf("First%d", i%977)), protocol.FieldLastName: protocol.Text(fmt.Sprintf("Last%d", i)),
			protocol.FieldEmail:  protocol.Text(fmt.Sprintf("first%d.last%d@example.org", i%977, i)),
			protocol.FieldUserID: protocol.Text(fmt.Sprint(1_000_000 + i)), protocol.FieldPhone: protocol.Text(phone),
		},
		Credentials: []protocol.Credential{protocol.Card(uint64(5_000_000 + i))},
		Groups:      []string{[]string{"staff", "it", "lab"}[i%3]},
	}
	sum := roster.IdentityOf(phone)
	w.Digest = binary.BigEndian.Uint64(sum[:]) >> 1
	return w
}

// BenchmarkImport takes in a file of new users, and then 1 % of it changed; one
// operation is one user.
func BenchmarkImport(b *testing.B) {
	for _, keys := range [][]roster.Key{nil, {roster.KeyEmail}} {
		b.Run(fmt.Sprint("keys=", len(keys)), func(b *testing.B) {
			c := newCenterIn(b)
			must(b, c.AddSource(b.Context(), anna, roster.SourceRow{Name: "hr", Kind: "csv", Keys: keys}))
			in := roster.Import{Source: "hr", Run: 1, Revision: c.Revision(), Effect: func(roster.Effect) {}}
			words := make([]roster.Word, b.N)
			for i := range words {
				words[i] = exported(i, "1")
			}
			in.Persons = func(yield func(roster.Person, error) bool) {
				for i := range words {
					if !yield(roster.Person{Words: words[i : i+1]}, nil) {
						return
					}
				}
			}
			b.ReportAllocs()
			b.ResetTimer()
			n, err := c.Import(b.Context(), anna, in)
			must(b, err)
			if n.New != b.N {
				b.Fatalf("%+v", n)
			}
			b.StopTimer()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "users/s")
		})
	}
}
