package roster_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"doorsync/cloud/roster"
	"doorsync/protocol"
)

// readersOver puts readers above the source hr.
var readersOver = protocol.Rules{Order: []protocol.Source{"readers", "office", "hr"}, Settle: protocol.SettleLatest}

// contested are n users of whom hr and a reader say different names, n more of
// whom both say the same, and n whom only a reader knows.
func contested(t testing.TB, c *center, n int) *site {
	s := c.site("A")
	must(t, c.AddSource(t.Context(), anna, roster.SourceRow{Name: "hr", Kind: "csv"}))
	var persons []roster.Person
	for i := range n {
		for _, kind := range []string{"differs", "same"} {
			id := fmt.Sprint(kind, "-", i)
			values := name("File " + id)
			values[protocol.FieldUserID] = protocol.Text(id)
			persons = append(persons, roster.Person{Words: []roster.Word{word(id, values)}})
		}
	}
	c.imported(persons...)
	s.pull()
	var entries []protocol.Entry
	for i := range n {
		for kind, says := range map[string]string{"differs": "Reader ", "same": "File ", "lone": "Reader "} {
			id := fmt.Sprint(kind, "-", i)
			entries = append(entries, s.entry(protocol.Edit{UserID: id, New: kind == "lone", Values: name(says + id)}))
		}
	}
	if got := s.send(entries...); got.Taken != s.number {
		t.Fatalf("not taken: %+v", got)
	}
	s.pull()
	return s
}

// caughtUp has all, as the digests say.
func (s *site) caughtUp() {
	s.c.t.Helper()
	s.pull()
	s.agree()
}

// watched counts what is written, and calls before at the beginning of every
// transaction.
type watched struct {
	roster.Store
	before func(n int)
	n      int
	rows   []int // written by each transaction
}

func (s *watched) Update(ctx context.Context, fn func(roster.Tx) error) error {
	s.n++
	if s.before != nil {
		s.before(s.n)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	s.rows = append(s.rows, 0)
	return s.Store.Update(ctx, func(tx roster.Tx) error { return fn(counting{tx, &s.rows[len(s.rows)-1]}) })
}

type counting struct {
	roster.Tx
	rows *int
}

func (c counting) PutUsers(rows []*roster.UserRow) error {
	*c.rows += len(rows)
	return c.Tx.PutUsers(rows)
}

func (c counting) PutContributions(rows []*roster.UserRow) error {
	*c.rows += len(rows)
	return c.Tx.PutContributions(rows)
}

// watch opens the center anew over a store that is watched.
func (c *center) watch(before func(n int)) *watched {
	w := &watched{Store: c.store, before: before}
	c.store = w
	c.open()
	return w
}

func TestReorderInTheBackground(t *testing.T) {
	const n = 150
	c := newCenter(t, "A")
	a := contested(t, c, n)
	w := c.watch(nil)
	before := c.Revision()
	must(t, c.Roster.SetOrder(t.Context(), anna, readersOver))
	if p, ok := c.Progress(); !ok || p.Done != 0 || p.Started.IsZero() {
		t.Fatalf("progress: %+v %t", p, ok)
	}
	wantName(t, c.user("differs-0").User, "File differs-0") // it has only just begun
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	wakes, unsubscribe := c.Committed()
	defer unsubscribe()
	go func() { ended <- c.Run(ctx) }()
	seen := 0
	for p, ok := c.Progress(); ok; p, ok = c.Progress() {
		if p.Done < seen || p.Done > p.Total || (p.Done > 0 && p.Total != 3*n) {
			t.Fatalf("progress: %+v after %d", p, seen)
		}
		seen = p.Done
		<-wakes
	}
	stop()
	must(t, <-ended)
	if seen == 0 {
		t.Error("nobody was told how far it is")
	}
	written := 0
	for _, rows := range w.rows {
		if rows > 128 {
			t.Errorf("one transaction wrote %d users", rows)
		}
		written += rows
	}
	// Who holds a name of equal letters is another source now, which sites must
	// know; nothing else is as it was.
	if written != 2*n {
		t.Errorf("wrote %d users", written)
	}
	got, err := c.Changes(t.Context(), "A", before, nil, 1<<20)
	must(t, err)
	if len(got.Users) != 2*n || got.Settings == nil {
		t.Errorf("sites are sent %d users", len(got.Users))
	}
	a.caughtUp()
	for _, id := range []string{"differs-0", "differs-149"} {
		wantName(t, a.users()[id], "Reader "+id)
	}
	must(t, c.Check(t.Context()))
}

// Nobody is sent whom the order does not matter to.
func TestReorderSendsWhatChanged(t *testing.T) {
	c := newCenter(t, "A", "B")
	contested(t, c, 3)
	before := c.Revision()
	must(t, c.SetOrder(t.Context(), anna, c.Rules()))
	rules := c.Rules()
	rules.Overrides[protocol.FieldPhone] = []protocol.Source{protocol.SourceReaders}
	must(t, c.SetOrder(t.Context(), anna, rules))
	got, err := c.Changes(t.Context(), "B", before, nil, 1<<20)
	must(t, err)
	if len(got.Users) > 0 || got.Settings == nil {
		t.Fatalf("sent %d users", len(got.Users))
	}
}

// Stopped at any transaction and opened again, it goes on where it was.
func TestReorderInterrupted(t *testing.T) {
	for stopAt := 1; stopAt <= 2; stopAt++ {
		t.Run(fmt.Sprint("at transaction ", stopAt), func(t *testing.T) {
			const n = 150
			c := newCenter(t, "A")
			a := contested(t, c, n)
			must(t, c.Roster.SetOrder(t.Context(), anna, readersOver))
			ctx, stop := context.WithCancel(t.Context())
			w := c.watch(func(n int) {
				if n == stopAt {
					stop()
				}
			})
			must(t, c.Run(ctx))
			p, ok := c.Progress()
			if !ok || (p.Done == 0) != (stopAt == 1) {
				t.Fatalf("progress: %+v %t", p, ok)
			}
			w.before = nil
			c.open()
			if now, ok := c.Progress(); !ok || now != p {
				t.Fatalf("opened again: %+v, was %+v", now, p)
			}
			must(t, c.CatchUp(t.Context()))
			written := 0
			for _, rows := range w.rows {
				written += rows
			}
			if _, more := c.Progress(); more || written != 2*n {
				t.Fatalf("wrote %d users", written)
			}
			a.c = c
			a.caughtUp()
			must(t, c.Check(t.Context()))
		})
	}
}

// Other rules in the middle of it: the last ones stand.
func TestReorderedAgain(t *testing.T) {
	c := newCenter(t, "A")
	a := contested(t, c, 150)
	must(t, c.Roster.SetOrder(t.Context(), anna, readersOver))
	w := c.watch(nil)
	ctx, stop := context.WithCancel(t.Context())
	w.before = func(n int) {
		if n == 2 {
			stop()
		}
	}
	must(t, c.Run(ctx))
	w.before = nil
	must(t, c.Roster.SetOrder(t.Context(), anna, protocol.Rules{Order: []protocol.Source{"office", "hr", "readers"}, Settle: protocol.SettleFirst}))
	if p, ok := c.Progress(); !ok || p.Done != 0 {
		t.Fatalf("progress: %+v", p)
	}
	must(t, c.CatchUp(t.Context()))
	a.c = c
	a.caughtUp()
	wantName(t, a.users()["differs-0"], "File differs-0")
	must(t, c.Check(t.Context()))
}

// Edits go on meanwhile, and come to the same as if they had been made after.
func TestEditsWhileReordering(t *testing.T) {
	const n = 150
	c := newCenter(t, "A")
	a := contested(t, c, n)
	must(t, c.Roster.SetOrder(t.Context(), anna, readersOver))
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- c.Run(ctx) }()
	edits := 0
	for _, more := c.Progress(); more || edits < 50; _, more = c.Progress() {
		id := fmt.Sprint("differs-", edits*37%n)
		a.send(a.entry(protocol.Edit{UserID: id, Values: name("Edited " + id)}))
		_, err := c.Put(t.Context(), anna, fmt.Sprint("same-", edits*31%n), roster.Patch{Join: []string{"staff"}})
		must(t, err)
		edits++
	}
	stop()
	must(t, <-ended)
	a.caughtUp()
	for i := range min(edits, n) {
		id := fmt.Sprint("differs-", i*37%n)
		wantName(t, a.users()[id], "Edited "+id)
	}
	must(t, c.Check(t.Context()))
}

// full is a store on a disk that is full for a while.
type full struct {
	roster.Store
	full atomic.Bool
}

func (f *full) Update(ctx context.Context, fn func(roster.Tx) error) error {
	if f.full.Load() {
		return roster.ErrFull
	}
	return f.Store.Update(ctx, fn)
}

// A disk that is full for a while keeps it waiting, not from ending.
func TestReorderAfterAFault(t *testing.T) {
	path := t.TempDir() + "/roster.db"
	synctest.Test(t, func(t *testing.T) {
		c := newCenterAt(t, path, "A")
		a := contested(t, c, 3)
		must(t, c.Roster.SetOrder(t.Context(), anna, readersOver))
		f := &full{Store: c.store}
		f.full.Store(true)
		c.store = f
		c.open()
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- c.Run(ctx) }()
		synctest.Wait()
		if _, more := c.Progress(); !more {
			t.Error("done although nothing can be written")
		}
		f.full.Store(false)
		<-time.After(time.Minute)
		if _, more := c.Progress(); more {
			t.Error("never tried again")
		}
		stop()
		must(t, <-ended)
		a.c = c
		a.caughtUp()
	})
}
