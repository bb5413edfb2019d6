package chain

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"doorsync/agent/journal"
	"doorsync/agent/uplink"
	"doorsync/cloud/exchange"
	"doorsync/cloud/roster"
	"doorsync/cloud/roster/sqlstore"
	"doorsync/protocol"
	"doorsync/protocol/wire"
)

// center is a roster and its exchange.
type center struct {
	t     testing.TB
	path  string
	store *sqlstore.Store
	r     *roster.Roster
	x     *exchange.Exchange
	clock *clock
	stop  context.CancelFunc
	wg    *sync.WaitGroup
}

// startCenter opens a roster with some sites and lets it talk.
func startCenter(t testing.TB, path string, pipe exchange.Pipe, sites ...string) *center {
	t.Helper()
	return startCenterAt(t, path, pipe, &clock{}, sites...)
}

// startCenterAt does so with a clock of its own.
func startCenterAt(t testing.TB, path string, pipe exchange.Pipe, k *clock, sites ...string) *center {
	t.Helper()
	c := &center{t: t, path: path, clock: k, wg: new(sync.WaitGroup)}
	ctx, stop := context.WithCancel(t.Context())
	c.stop = stop
	var err error
	if c.store, err = sqlstore.Open(ctx, path, sqlstore.Options{}); err != nil {
		t.Fatal(err)
	}
	if c.r, err = roster.Open(ctx, c.store, roster.Options{Now: k.Now}); err != nil {
		t.Fatal(err)
	}
	for _, s := range sites {
		if !c.r.HasSite(s) {
			if _, err := c.r.AddSite(ctx, roster.Actor{Name: "test"}, s, roster.SiteSettings{}); err != nil {
				t.Fatal(err)
			}
		}
	}
	if c.x, err = exchange.New(exchange.Options{Roster: c.r, Pipe: pipe, Logger: logger(t, "center")}); err != nil {
		t.Fatal(err)
	}
	for _, run := range []func(context.Context) error{c.x.Run, c.r.Run} {
		c.wg.Go(func() {
			if err := run(ctx); err != nil {
				t.Error(err)
			}
		})
	}
	return c
}

func (c *center) close() {
	c.stop()
	c.wg.Wait()
	if err := c.store.Close(); err != nil {
		c.t.Error(err)
	}
}

// user is a user's full name at the center, "" for nobody.
func (c *center) user(id string) string {
	v, err := c.r.User(c.t.Context(), id)
	if err != nil {
		return ""
	}
	return v.User.FullName()
}

// site is a journal and its uplink.
type site struct {
	t     testing.TB
	name  string
	path  string
	j     *journal.Journal
	up    *uplink.Uplink
	clock *clock
	stop  context.CancelFunc
	wg    *sync.WaitGroup
}

func startSite(t testing.TB, name, path string, connect uplink.Connect, readers uplink.Syncer) *site {
	t.Helper()
	return startSiteAt(t, name, path, connect, readers, &clock{})
}

// startSiteAt does so with a clock of its own.
func startSiteAt(t testing.TB, name, path string, connect uplink.Connect, readers uplink.Syncer, k *clock) *site {
	t.Helper()
	s := &site{t: t, name: name, path: path, clock: k, wg: new(sync.WaitGroup)}
	var err error
	if s.j, err = journal.Open(path, journal.Options{Site: name, Now: k.Now}); err != nil {
		t.Fatal(err)
	}
	s.up, err = uplink.New(uplink.Options{
		Site: name, Connect: connect, Outbox: s.j, Copy: s.j, Log: s.j, Syncer: readers,
		Now: k.Now, Logger: logger(t, name),
	})
	if err != nil {
		t.Fatal(err)
	}
	// The uplink ends before the journal that it writes to.
	ctx, stopJournal := context.WithCancel(t.Context())
	upCtx, stopUp := context.WithCancel(t.Context())
	var up sync.WaitGroup
	s.stop = func() { stopUp(); up.Wait(); stopJournal() }
	s.wg.Go(func() {
		if err := s.j.Run(ctx); err != nil && !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
	up.Go(func() {
		if err := s.up.Run(upCtx); err != nil {
			t.Error(err)
		}
	})
	return s
}

func (s *site) close() {
	s.stop()
	s.wg.Wait()
	if err := s.j.Close(); err != nil {
		s.t.Error(err)
	}
}

// enroll is an edit at a reader of the site.
func (s *site) enroll(ids ...int) {
	s.t.Helper()
	b := journal.Batch{Reader: "door"}
	for _, id := range ids {
		name := strconv.Itoa(id)
		b.Drafts = append(b.Drafts, journal.Draft{Event: protocol.EventEnrolled, UserID: name, Edit: &protocol.Edit{
			UserID: name, Values: map[protocol.Field]protocol.Value{protocol.FieldName: protocol.Text("Person " + name)},
			Given: []protocol.Credential{protocol.Card(uint64(1000 + id))},
		}})
	}
	if _, err := s.j.Append(s.t.Context(), b); err != nil {
		s.t.Fatal(err)
	}
}

// user is a user's full name at the site, "" for nobody.
func (s *site) user(id string) string {
	v, ok, err := s.j.User(id)
	if err != nil {
		s.t.Fatal(err)
	}
	if !ok || v.Removed {
		return ""
	}
	return v.User.FullName()
}

// settled reports whether all that is here is there and the other way around.
func (s *site) settled(c *center) error {
	st := s.j.State()
	digest, err := c.r.SiteDigest(s.t.Context(), s.name)
	if err != nil {
		return err
	}
	switch {
	case st.Confirmed != st.Last:
		return fmt.Errorf("site %s: %d of %d entries are confirmed", s.name, st.Confirmed, st.Last)
	case st.Revision != c.r.Revision():
		return fmt.Errorf("site %s: holds revision %d of %d", s.name, st.Revision, c.r.Revision())
	case wire.Root(&digest) != st.Digest:
		return fmt.Errorf("site %s: its copy differs from the roster", s.name)
	}
	return nil
}

func count(t testing.TB, j *journal.Journal, e protocol.Event) int {
	t.Helper()
	n := 0
	for _, err := range j.Entries(journal.Query{Events: []protocol.Event{e}}) {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	return n
}

// until waits for something that must come true within d.
func until(t testing.TB, d time.Duration, what func() error) {
	t.Helper()
	end := time.Now().Add(d)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		err := what()
		if err == nil {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("after %v: %v", d, err)
		}
		<-tick.C
	}
}

type testLog struct{ t testing.TB }

func (l testLog) Write(p []byte) (int, error) { l.t.Logf("%s", p); return len(p), nil }

func logger(t testing.TB, who string) *slog.Logger {
	return slog.New(slog.NewTextHandler(testLog{t}, &slog.HandlerOptions{Level: slog.LevelInfo})).With("who", who)
}

func file(dir, name string) string { return filepath.Join(dir, name) }
