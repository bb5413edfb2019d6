package roster_test

import (
	"context"
	"crypto/rand"
	"path/filepath"
	"testing"
	"time"

	"doorsync/cloud/roster"
	"doorsync/cloud/roster/sqlstore"
	"doorsync/protocol"
	"doorsync/protocol/wire"
)

// center is a roster on disk, and sites that speak to it.
type center struct {
	*roster.Roster
	t     testing.TB
	store roster.Store
	now   time.Time
}

var anna = roster.Actor{Name: "anna", From: "test"}

func newCenter(t testing.TB, sites ...string) *center {
	t.Helper()
	return newCenterAt(t, filepath.Join(t.TempDir(), "roster.db"), sites...)
}

func newCenterAt(t testing.TB, path string, sites ...string) *center {
	t.Helper()
	s, err := sqlstore.Open(t.Context(), path, sqlstore.Options{Reserve: 1 << 16})
	must(t, err)
	t.Cleanup(func() { must(t, s.Close()) })
	c := &center{t: t, store: s, now: time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)}
	c.open()
	for _, name := range sites {
		_, err := c.AddSite(t.Context(), anna, name, roster.SiteSettings{})
		must(t, err)
	}
	return c
}

func (c *center) open() {
	c.t.Helper()
	r, err := roster.Open(c.t.Context(), c.store, roster.Options{Now: func() time.Time { return c.now }})
	must(c.t, err)
	c.Roster = r
}

// SetOrder waits until all users are computed anew.
func (c *center) SetOrder(ctx context.Context, a roster.Actor, rules protocol.Rules) error {
	if err := c.Roster.SetOrder(ctx, a, rules); err != nil {
		return err
	}
	return c.CatchUp(ctx)
}

func (c *center) tick() { c.now = c.now.Add(time.Second) }

// site plays an agent: it numbers and chains entries, and holds what it is given.
type site struct {
	c        *center
	name     string
	epoch    string
	codec    *wire.Codec
	number   uint64
	hash     []byte
	last     protocol.Stamp
	revision uint64
	held     map[string]wire.Change
	settings *wire.Settings
	journal  uint64
}

func (c *center) site(name string) *site {
	c.t.Helper()
	codec, err := wire.NewCodec()
	must(c.t, err)
	s := &site{c: c, name: name, epoch: "epoch of " + name, codec: codec, held: map[string]wire.Change{}}
	s.hello()
	return s
}

func (s *site) hello() wire.Confirm {
	s.c.t.Helper()
	got, err := s.c.Hello(s.c.t.Context(), s.name, wire.Hello{
		Session: "1", Epoch: s.epoch, First: 1, Last: s.number, Taken: s.number, Hash: s.hash, Revision: s.revision, Now: s.c.now.UnixMilli(),
	})
	must(s.c.t, err)
	return got
}

// entry makes the next journal entry of an edit.
func (s *site) entry(e protocol.Edit) protocol.Entry {
	s.c.t.Helper()
	s.number++
	s.last = protocol.Next(s.last, s.c.now, s.name)
	out := protocol.Entry{
		Number: s.number, Prev: s.hash, Stamp: s.last, Event: protocol.EventUpdatedReader, Reader: "front", UserID: e.UserID,
		Revision: s.revision, Edit: &e,
	}
	_, _ = rand.Read(out.ID[:]) // never fails
	if e.New {
		out.Event = protocol.EventEnrolled
	}
	h, err := s.codec.EntryHash(out)
	must(s.c.t, err)
	s.hash = h
	return out
}

// send gives entries to the center and returns what it answers.
func (s *site) send(entries ...protocol.Entry) wire.Confirm {
	s.c.t.Helper()
	got, err := s.c.Hear(s.c.t.Context(), []roster.SiteBatch{{Site: s.name, Session: "1", Epoch: s.epoch, Entries: entries}})
	must(s.c.t, err)
	return got[0]
}

// edit makes and sends one edit.
func (s *site) edit(e protocol.Edit) wire.Confirm {
	s.c.t.Helper()
	s.c.tick()
	return s.send(s.entry(e))
}

// pull takes everything the center has for the site.
func (s *site) pull() {
	s.c.t.Helper()
	s.pullBy(96 << 10)
}

func (s *site) pullBy(size int) {
	s.c.t.Helper()
	after, cursor := s.revision, []byte(nil)
	for {
		got, err := s.c.Changes(s.c.t.Context(), s.name, after, cursor, size)
		must(s.c.t, err)
		s.take(got)
		after, cursor = got.To, nil
		if got.Page != nil {
			cursor = got.Page.Cursor
		}
		if !got.More {
			break
		}
	}
	s.revision = after
}

func (s *site) take(got wire.Changes) {
	if p := got.Page; p != nil {
		for guid := range s.held {
			if guid > p.After && (p.UpTo == "" || guid <= p.UpTo) {
				delete(s.held, guid)
			}
		}
	}
	for _, u := range got.Users {
		if u.Gone {
			delete(s.held, u.GUID)
		} else {
			s.held[u.GUID] = u
		}
	}
	if got.Settings != nil {
		s.settings = got.Settings
	}
	s.journal = max(s.journal, got.Journal)
}

// users are the live users the site holds, by user ID.
func (s *site) users() map[string]protocol.User {
	s.c.t.Helper()
	out := map[string]protocol.User{}
	for _, c := range s.held {
		var rec protocol.Record
		must(s.c.t, s.codec.Unmarshal(c.Record, &rec))
		if !rec.Removed {
			u := rec.User(s.c.Rules())
			if _, twice := out[u.ID]; twice {
				s.c.t.Fatalf("site %s holds two users %s", s.name, u.ID)
			}
			out[u.ID] = u
		}
	}
	return out
}

// agree compares digests, as a caught-up site does.
func (s *site) agree() {
	s.c.t.Helper()
	want, err := s.c.SiteDigest(s.c.t.Context(), s.name)
	must(s.c.t, err)
	var got [wire.Buckets]wire.Sum
	for _, c := range s.held {
		var rec protocol.Record
		must(s.c.t, s.codec.Unmarshal(c.Record, &rec))
		if !rec.Removed {
			got[wire.Bucket(c.GUID)].Toggle(c.Sum())
		}
	}
	if got != want {
		s.c.t.Fatalf("site %s: its digests differ from the center's", s.name)
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func name(s string) map[protocol.Field]protocol.Value {
	return map[protocol.Field]protocol.Value{protocol.FieldName: protocol.Text(s)}
}

func events(c wire.Confirm) []protocol.Event {
	var out []protocol.Event
	for _, v := range c.Verdicts {
		out = append(out, v.Event)
	}
	return out
}

func (c *center) user(id string) roster.UserView {
	c.t.Helper()
	u, err := c.User(c.t.Context(), id)
	must(c.t, err)
	return u
}

func (c *center) put(id string, p roster.Patch) roster.UserView {
	c.t.Helper()
	c.tick()
	u, err := c.Put(c.t.Context(), anna, id, p)
	must(c.t, err)
	return u
}
