package journal

import (
	"context"
	"crypto/rand"
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"doorsync/protocol"
	"doorsync/protocol/wire"
)

// kilobyteUser is a user of about 1 KiB: two templates, a card and a name.
func kilobyteUser(n int) protocol.Record {
	c := protocol.NewContribution(protocol.SourceOffice)
	at := stamp(int64(n + 1))
	c.Set(protocol.FieldUserID, protocol.Text(fmt.Sprint(n+1)), at)
	c.Set(protocol.FieldName, protocol.Text(fmt.Sprintf("User Number %d", n)), at)
	c.SetCredential(protocol.Card(uint64(n+1)), protocol.Given, at)
	for _, cr := range fingers() {
		c.SetCredential(cr, protocol.Given, at)
	}
	return protocol.Fold([]protocol.Contribution{c}, protocol.DefaultRules())
}

// email is a value that nobody else holds.
var email = map[protocol.Field]protocol.Value{protocol.FieldEmail: protocol.Text("somebody@example.org")}

func fingers() []protocol.Credential {
	a, b := make([]byte, 384), make([]byte, 384)
	_, _ = rand.Read(a)
	_, _ = rand.Read(b)
	return []protocol.Credential{protocol.Fingerprint("zk10", 1, a), protocol.Fingerprint("zk10", 2, b)}
}

// snapshot makes the pages that a new site gets.
func snapshot(t testing.TB, users, pageBytes int) []wire.Changes {
	var pages []wire.Changes
	page := wire.Changes{Roster: "r", To: 1, Page: &wire.Page{}}
	size := 0
	for n := range users {
		c := change(t, guid(n), kilobyteUser(n))
		page.Users = append(page.Users, c)
		if size += len(c.Record) + 150; size >= pageBytes {
			page.Page.UpTo = c.GUID
			pages = append(pages, page)
			page = wire.Changes{Roster: "r", To: 1, Page: &wire.Page{After: c.GUID}}
			size = 0
		}
	}
	return append(pages, page)
}

// BenchmarkApply is a new site's first 100,000 users, in messages of 90 KiB that
// are taken in by the 2 MiB, against a bare bbolt that puts as many bytes in order:
// with and without making the next ready while the ones before are committed.
func BenchmarkApply(b *testing.B) {
	const users, together = 100_000, 24
	calls := slices.Collect(slices.Chunk(snapshot(b, users, 90<<10), together))
	for name, apply := range map[string]func(*site, [][]wire.Changes){"ahead": (*site).applyAhead, "in turn": (*site).applyInTurn} {
		b.Run(name, func(b *testing.B) { benchmarkApply(b, users, calls, apply) })
	}
}

func benchmarkApply(b *testing.B, users int, calls [][]wire.Changes, apply func(*site, [][]wire.Changes)) {
	var raw time.Duration
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		s := openAt(b, filepath.Join(b.TempDir(), "j.db"), Options{})
		b.StartTimer()
		apply(s, calls)
		b.StopTimer()
		if s.State().Revision != 1 {
			b.Fatal("not all was applied")
		}
		s.must(s.Close())
		raw += rawApply(b, calls)
		b.StartTimer()
	}
	b.ReportMetric(float64(users)*float64(b.N)/b.Elapsed().Seconds(), "users/s")
	b.ReportMetric(float64(users)*float64(b.N)/raw.Seconds(), "raw-users/s")
	b.ReportMetric(b.Elapsed().Seconds()/raw.Seconds(), "ratio")
}

func (s *site) applyInTurn(calls [][]wire.Changes) {
	for _, call := range calls {
		s.apply(call...)
	}
}

// applyAhead is how the uplink does it: one goroutine makes ready, another applies.
func (s *site) applyAhead(calls [][]wire.Changes) {
	ready := make(chan []wire.Changes, 2)
	go func() {
		defer close(ready)
		for _, call := range calls {
			ready <- s.prepared(call...)
		}
	}()
	for call := range ready {
		s.apply(call...)
	}
}

// prepared makes copies of changes ready.
func (s *site) prepared(changes ...wire.Changes) []wire.Changes {
	out := slices.Clone(changes)
	for i := range out {
		out[i].Users = slices.Clone(out[i].Users)
		s.Prepare(&out[i])
	}
	return out
}

func heap() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func watchHeap(peak *atomic.Uint64) (stop func()) {
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for {
			peak.Store(max(peak.Load(), heap()))
			select {
			case <-done:
				return
			case <-tick.C:
			}
		}
	}()
	return func() { close(done); <-ended }
}

func rawBolt(b *testing.B) *bbolt.DB {
	raw, err := bbolt.Open(filepath.Join(b.TempDir(), "raw.db"), 0o600, &bbolt.Options{NoFreelistSync: true, FreelistType: bbolt.FreelistMapType})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = raw.Close() })
	return raw
}

func rawApply(b *testing.B, calls [][]wire.Changes) time.Duration {
	raw := rawBolt(b)
	start := time.Now()
	for _, call := range calls {
		err := raw.Update(func(tx *bbolt.Tx) error {
			bucket, err := tx.CreateBucketIfNotExists([]byte("records"))
			if err != nil {
				return err
			}
			bucket.FillPercent = 0.9
			for _, page := range call {
				for _, c := range page.Users {
					if err := bucket.Put([]byte(c.GUID), c.Record); err != nil {
						return err
					}
				}
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	return time.Since(start)
}

// BenchmarkAppend is concurrent edits of 1 KiB, all durable, over 10,000 users.
func BenchmarkAppend(b *testing.B) {
	s := benchSite(b)
	const appenders = 256
	var next atomic.Int64
	var wg sync.WaitGroup
	b.ResetTimer()
	for range appenders {
		wg.Go(func() {
			for {
				n := int(next.Add(1))
				if n > b.N {
					return
				}
				e := protocol.Edit{UserID: fmt.Sprint(n%10_000 + 1), Values: email, Given: fingers()}
				if _, err := s.Append(context.Background(), Batch{Reader: "front", Drafts: []Draft{{Event: protocol.EventUpdatedReader, Edit: &e}}}); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "edits/s")
}

func benchSite(b *testing.B) *site {
	s := openAt(b, filepath.Join(b.TempDir(), "j.db"), Options{})
	for pages := range slices.Chunk(snapshot(b, 10_000, 90<<10), 16) {
		s.apply(pages...)
	}
	return s
}

// BenchmarkAppendAlone is one edit after another, against a bare bbolt commit of
// as many bytes, turn by turn so that both meet the same disk.
func BenchmarkAppendAlone(b *testing.B) {
	s := benchSite(b)
	raw := rawBolt(b)
	value := make([]byte, 1200)
	s.must(raw.Update(func(tx *bbolt.Tx) error {
		bucket, err := tx.CreateBucket([]byte("entries"))
		for n := uint64(0); n < 10_000 && err == nil; n++ {
			err = bucket.Put(numberKey(n), value)
		}
		return err
	}))
	var ours, theirs []time.Duration
	number := uint64(10_000)
	for b.Loop() {
		e := protocol.Edit{UserID: fmt.Sprint(number%10_000 + 1), Values: email, Given: fingers()}
		start := time.Now()
		s.edit(e)
		ours = append(ours, time.Since(start))
		// The center takes the edit in at once, as when the WAN is up.
		if number%50 == 0 {
			s.apply(wire.Changes{Roster: "r", From: 1, To: 1, Epoch: s.State().Epoch, Journal: s.State().Last})
		}
		start = time.Now()
		number++
		s.must(raw.Update(func(tx *bbolt.Tx) error { return tx.Bucket([]byte("entries")).Put(numberKey(number), value) }))
		theirs = append(theirs, time.Since(start))
	}
	slices.Sort(ours)
	slices.Sort(theirs)
	median := func(d []time.Duration) float64 { return float64(d[len(d)/2].Microseconds()) }
	b.ReportMetric(median(ours), "µs/edit")
	b.ReportMetric(median(theirs), "µs/raw")
	b.ReportMetric(median(ours)/median(theirs), "ratio")
}

// BenchmarkUsers is a reader's full pass over 10,000 users.
func BenchmarkUsers(b *testing.B) {
	s := benchSite(b)
	for b.Loop() {
		n := 0
		s.must(s.Users(context.Background(), func(View) error { n++; return nil }))
	}
	b.ReportMetric(10_000*float64(b.N)/b.Elapsed().Seconds(), "users/s")
}
