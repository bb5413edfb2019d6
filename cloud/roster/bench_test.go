package roster_test

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"doorsync/cloud/roster"
	"doorsync/cloud/roster/sqlstore"
	"doorsync/protocol"
)

// oneKiB is a new user with two templates, about 1 KiB encoded.
func oneKiB(i int) protocol.Edit {
	rnd := rand.New(rand.NewPCG(uint64(i), 1))
	template := func() []byte {
		b := make([]byte, 384)
		for j := 0; j < len(b); j += 8 {
			binary.LittleEndian.PutUint64(b[j:], rnd.Uint64())
		}
		return b
	}
	return protocol.Edit{
		UserID: fmt.Sprint(1 + i), New: true,
		Values: map[protocol.Field]protocol.Value{
			protocol.FieldName: protocol.Text(fmt.Sprintf("Person Number %d", i)), protocol.FieldPIN: {First: "1234", Second: "digits"},
		},
		Given: []protocol.Credential{
			protocol.Card(uint64(1e6 + i)), protocol.Fingerprint("zk10", 5, template()), protocol.Fingerprint("zk10", 6, template()),
		},
	}
}

func benchCenter(b *testing.B, users int) (*center, *site) {
	b.Helper()
	c := newCenterIn(b)
	must(b, c.SetOrder(b.Context(), anna, protocol.Rules{Order: []protocol.Source{"readers", "office"}, Settle: protocol.SettleLatest}))
	s := c.site("A")
	s.c.now = time.Now()
	for i := 0; i < users; i += 500 {
		var es []protocol.Entry
		for j := i; j < min(i+500, users); j++ {
			es = append(es, s.entry(oneKiB(j)))
		}
		if got := s.send(es...); len(got.Verdicts) > 0 {
			b.Fatal(got.Verdicts)
		}
	}
	return c, s
}

func newCenterIn(b *testing.B) *center {
	b.Helper()
	st, err := sqlstore.Open(b.Context(), filepath.Join(b.TempDir(), "roster.db"), sqlstore.Options{})
	must(b, err)
	b.Cleanup(func() { must(b, st.Close()) })
	c := &center{t: b, store: st, now: time.Now()}
	c.Roster, err = roster.Open(b.Context(), st, roster.Options{})
	must(b, err)
	_, err = c.AddSite(b.Context(), anna, "A", roster.SiteSettings{})
	must(b, err)
	return c
}

// BenchmarkHear takes edits of 10,000 users of 1 KiB in, one operation an edit:
// a name is changed and three credentials are given again. Raw SQLite commits as
// many rows of 1 KiB in turns.
func BenchmarkHear(b *testing.B) {
	for _, batch := range []int{64, 500} {
		b.Run(fmt.Sprintf("batch=%d", batch), func(b *testing.B) {
			const users = 10_000
			_, s := benchCenter(b, users)
			r := newRaw(b)
			rnd := rand.New(rand.NewPCG(1, 2))
			var edits, raws time.Duration
			b.ReportAllocs()
			for done := 0; done < b.N; done += batch {
				b.StopTimer()
				var es []protocol.Entry
				for range min(batch, b.N-done) {
					e := oneKiB(rnd.IntN(users))
					e.New = false
					e.Values = name(fmt.Sprintf("Person %d", rnd.IntN(1e6)))
					es = append(es, s.entry(e))
				}
				raws += r.commit(len(es))
				b.StartTimer()
				began := time.Now()
				s.send(es...)
				edits += time.Since(began)
			}
			b.ReportMetric(float64(b.N)/edits.Seconds(), "edits/s")
			b.ReportMetric(edits.Seconds()/raws.Seconds(), "×raw")
		})
	}
}

// BenchmarkSnapshot gives a new site 100,000 users of 1 KiB, one operation the
// whole.
func BenchmarkSnapshot(b *testing.B) {
	const users = 100_000
	c, _ := benchCenter(b, users)
	b.ResetTimer()
	for range b.N {
		var cursor []byte
		n, more := 0, true
		for more {
			got, err := c.Changes(b.Context(), "A", 0, cursor, 96<<10)
			must(b, err)
			n += len(got.Users)
			cursor, more = got.Page.Cursor, len(got.Page.Cursor) > 0
		}
		if n != users {
			b.Fatalf("%d users", n)
		}
	}
}

// BenchmarkEnroll takes new users of 1 KiB in, one operation a user.
func BenchmarkEnroll(b *testing.B) {
	_, s := benchCenter(b, 0)
	for done := 0; done < b.N; done += 500 {
		b.StopTimer()
		var es []protocol.Entry
		for i := range min(500, b.N-done) {
			es = append(es, s.entry(oneKiB(done+i)))
		}
		b.StartTimer()
		s.send(es...)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "users/s")
}

// BenchmarkOneEdit holds a lone edit against a lone commit of raw SQLite, taken
// in turns.
func BenchmarkOneEdit(b *testing.B) {
	const users = 2_000
	_, s := benchCenter(b, users)
	r := newRaw(b)
	var edits, raws []time.Duration
	for n := range b.N {
		e := oneKiB(n * 7 % users)
		e.New = false
		e.Values = name(fmt.Sprintf("Person %d", n))
		entry := s.entry(e)
		began := time.Now()
		s.send(entry)
		edits = append(edits, time.Since(began))
		raws = append(raws, r.commit(1))
	}
	slices.Sort(edits)
	slices.Sort(raws)
	b.ReportMetric(float64(edits[b.N/2])/float64(raws[b.N/2]), "×raw")
	b.ReportMetric(float64(edits[b.N/2].Microseconds()), "p50-µs")
}

// BenchmarkReorder turns the order of sources round, one operation a user of whom
// two sources say different names, while a site makes one edit after another.
func BenchmarkReorder(b *testing.B) {
	const users = 100_000
	c := newCenterIn(b)
	c.now = time.Now()
	must(b, c.AddSource(b.Context(), anna, roster.SourceRow{Name: "hr", Kind: "csv"}))
	_, err := c.Import(b.Context(), anna, roster.Import{
		Source: "hr", Run: 1, Revision: c.Revision(),
		Persons: func(yield func(roster.Person, error) bool) {
			for i := range users {
				values := name(fmt.Sprint("Person ", i))
				values[protocol.FieldUserID] = protocol.Text(fmt.Sprint(1 + i))
				if !yield(roster.Person{Words: []roster.Word{word(fmt.Sprint(i), values, protocol.Card(uint64(1e6+i)))}}, nil) {
					return
				}
			}
		},
	})
	must(b, err)
	s := c.site("A")
	s.revision = c.Revision()
	for i := 0; i < users; i += 500 {
		var es []protocol.Entry
		for j := i; j < i+500; j++ {
			es = append(es, s.entry(protocol.Edit{UserID: fmt.Sprint(1 + j), Values: name(fmt.Sprint("Known as ", j))}))
		}
		s.send(es...)
	}
	rnd := rand.New(rand.NewPCG(1, 2))
	edit := func() time.Duration {
		e := s.entry(protocol.Edit{UserID: fmt.Sprint(1 + rnd.IntN(users)), Values: name(fmt.Sprint("Edit ", rnd.IntN(1e6)))})
		began := time.Now()
		s.send(e)
		return time.Since(began)
	}
	var alone, waits []time.Duration
	for range 2000 {
		alone = append(alone, edit())
	}
	order := []protocol.Source{"office", "hr", "readers"}
	b.ResetTimer()
	for done := 0; done < b.N; done += users {
		slices.Reverse(order)
		must(b, c.Roster.SetOrder(b.Context(), anna, protocol.Rules{Order: order, Settle: protocol.SettleLatest}))
		ended := make(chan error, 1)
		go func() { ended <- c.CatchUp(b.Context()) }()
		for _, more := c.Progress(); more; _, more = c.Progress() {
			waits = append(waits, edit())
		}
		must(b, <-ended)
	}
	for what, took := range map[string][]time.Duration{"alone": alone, "meanwhile": waits} {
		slices.Sort(took)
		b.ReportMetric(took[len(took)/2].Seconds()*1000, "ms/edit-p50-"+what)
		b.ReportMetric(took[len(took)*99/100].Seconds()*1000, "ms/edit-p99-"+what)
		b.ReportMetric(took[len(took)-1].Seconds()*1000, "ms/edit-max-"+what)
	}
	b.ReportMetric(float64(len(waits)), "edits")
}
