package roster_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"doorsync/cloud/roster"
	"doorsync/protocol"
	"doorsync/protocol/wire"
)

func TestJournalsAreTakenInOnce(t *testing.T) {
	enroll := func(id string) protocol.Edit { return protocol.Edit{UserID: id, New: true, Values: name("User " + id)} }
	count := func(t *testing.T, c *center) int {
		got, err := c.Events(t.Context(), roster.EventQuery{Site: "A"})
		must(t, err)
		return len(got)
	}
	t.Run("doubled and with a gap", func(t *testing.T) {
		c := newCenter(t, "A")
		a := c.site("A")
		one, two, three := a.entry(enroll("1")), a.entry(enroll("2")), a.entry(enroll("3"))
		if got := a.send(two, three); !got.Gap || got.Taken != 0 {
			t.Fatalf("gap: %+v", got)
		}
		if got := a.send(one); got.Taken != 1 || got.Gap {
			t.Fatalf("first: %+v", got)
		}
		if got := a.send(one, two, three); got.Taken != 3 || !slices.Equal(got.Hash, a.hash) {
			t.Fatalf("rest: %+v", got)
		}
		if got := a.send(one, two); got.Taken != 3 || count(t, c) != 3 {
			t.Fatalf("again: %+v, %d events", got, count(t, c))
		}
	})
	t.Run("a lost confirm loses no verdict", func(t *testing.T) {
		c := newCenter(t, "A", "B")
		a, b := c.site("A"), c.site("B")
		a.edit(enroll("1"))
		e := b.entry(enroll("1"))
		wantEvents(t, events(b.send(e)), protocol.EventConflict)
		wantEvents(t, events(b.send(e)), protocol.EventConflict)
		if got := b.hello(); len(got.Verdicts) != 0 {
			t.Fatalf("heard verdicts again: %+v", got)
		}
		wantEvents(t, events(b.send(e)))
	})
	t.Run("a restored agent", func(t *testing.T) {
		c := newCenter(t, "A")
		a := c.site("A")
		a.send(a.entry(enroll("1")))
		copied := *a
		kept := copied.entry(enroll("2"))
		a.send(kept, a.entryAfter(kept, enroll("3")))
		// The copy ends before what was taken.
		if got := copied.hello(); !got.NewEpoch {
			t.Fatalf("not noticed: %+v", got)
		}
		// A copy that went on has the numbers but other entries.
		four, five := copied.entry(enroll("4")), copied.entry(enroll("5"))
		if got := copied.send(five); !got.NewEpoch || got.Taken != 3 {
			t.Fatalf("not noticed: %+v", got)
		}
		copied.epoch = "the second"
		got, err := c.Hello(t.Context(), "A", wire.Hello{Epoch: copied.epoch, First: 2, Last: 4, Taken: 1})
		must(t, err)
		if got.Taken != 1 || got.NewEpoch {
			t.Fatalf("second epoch: %+v", got)
		}
		if got := copied.send(kept, four, five); got.Taken != 4 || len(got.Verdicts) > 0 {
			t.Fatalf("second epoch: %+v", got)
		}
		if n := count(t, c); n != 5 {
			t.Fatalf("%d events, want 5: one was sent twice", n)
		}
		for i := range 5 {
			wantName(t, c.user(fmt.Sprint(1+i)).User, fmt.Sprintf("User %d", 1+i))
		}
	})
	t.Run("before hello, unknown site, bad edits", func(t *testing.T) {
		c := newCenter(t, "A")
		a := c.site("A")
		got, err := c.Hear(t.Context(), []roster.SiteBatch{
			{Site: "nobody", Epoch: "x", Entries: []protocol.Entry{a.entry(enroll("1"))}},
			{Site: "A", Epoch: "unheard", Entries: []protocol.Entry{a.entry(enroll("1"))}},
		})
		must(t, err)
		if got[0].Roster != "" || !got[1].Gap {
			t.Fatalf("answers: %+v", got)
		}
		if _, err := c.Hello(t.Context(), "nobody", wire.Hello{}); !errors.Is(err, roster.ErrUnknownSite) {
			t.Fatalf("hello: %v", err)
		}
		b := c.site("A")
		wantEvents(t, events(b.send(b.entry(protocol.Edit{UserID: "", New: true}), b.entry(enroll("7")))), protocol.EventSaveFailed)
		wantName(t, c.user("7").User, "User 7")
	})
	t.Run("a restored center", func(t *testing.T) {
		c := newCenter(t, "A")
		a := c.site("A")
		a.send(a.entry(enroll("1")))
		got, err := c.Hello(t.Context(), "A", wire.Hello{Epoch: a.epoch, First: 1, Last: 9, Taken: 8, Hash: []byte("of 8"), Revision: 900})
		must(t, err)
		if got.NewEpoch || got.Taken != 1 {
			t.Fatalf("answer: %+v", got)
		}
		changes, err := c.Changes(t.Context(), "A", 900, nil, 1<<20)
		must(t, err)
		if changes.Page == nil || len(changes.Users) != 1 || changes.To != c.Revision() {
			t.Fatalf("no snapshot: %+v", changes)
		}
	})
}

// entryAfter makes the entry that follows another one.
func (s *site) entryAfter(prev protocol.Entry, e protocol.Edit) protocol.Entry {
	s.number = prev.Number
	s.hash, _ = s.codec.EntryHash(prev)
	return s.entry(e)
}

func TestChanges(t *testing.T) {
	fill := func(t *testing.T, c *center, n int) {
		for i := range n {
			c.put(fmt.Sprint(i+1), roster.Patch{Set: name(fmt.Sprintf("User %d", i+1)), Join: []string{[]string{"staff", "it"}[i%2]}})
		}
	}
	t.Run("snapshot in pages while the roster changes", func(t *testing.T) {
		c := newCenter(t, "A")
		a := c.site("A")
		fill(t, c, 40)
		after, cursor, pages := uint64(0), []byte(nil), 0
		for more := true; more; pages++ {
			got, err := c.Changes(t.Context(), "A", after, cursor, 2000)
			must(t, err)
			if got.Page != nil && len(got.Page.Cursor) > 0 && (got.To != 0 || got.Journal != 0) {
				t.Fatalf("a page in the middle claims to be the end: %+v", got)
			}
			a.take(got)
			after, more, cursor = got.To, got.More, nil
			if got.Page != nil {
				cursor = got.Page.Cursor
			}
			if pages == 2 {
				c.put("1", roster.Patch{Set: name("Changed")})
				must(t, c.Delete(t.Context(), anna, "2"))
				must(t, c.Delete(t.Context(), anna, "39"))
				c.put("41", roster.Patch{})
			}
		}
		a.revision = after
		a.agree()
		wantName(t, a.users()["1"], "Changed")
		if len(a.users()) != 39 || pages < 5 {
			t.Fatalf("%d users in %d pages", len(a.users()), pages)
		}
	})
	t.Run("increments in pages", func(t *testing.T) {
		c := newCenter(t, "A")
		a := c.site("A")
		a.pull()
		fill(t, c, 40)
		a.pullBy(1500)
		a.agree()
	})
	t.Run("groups", func(t *testing.T) {
		c := newCenter(t, "A")
		mode := wire.ModeGroups
		fill(t, c, 10)
		a := c.site("A")
		a.pull()
		_, err := c.SetSite(t.Context(), anna, "A", roster.SiteSettings{Mode: &mode, Groups: &[]string{"staff"}})
		must(t, err)
		a.pull()
		a.agree()
		if len(a.users()) != 5 || a.settings.Mode != wire.ModeGroups {
			t.Fatalf("%d users in mode %s", len(a.users()), a.settings.Mode)
		}
		c.put("1", roster.Patch{Leave: []string{"staff"}, Join: []string{"it"}})
		c.put("2", roster.Patch{Join: []string{"staff"}})
		a.edit(protocol.Edit{UserID: "50", New: true, Values: name("Guest")})
		a.pull()
		a.agree()
		users := a.users()
		if _, in := users["1"]; in || len(users) != 6 {
			t.Fatalf("users: %v", users)
		}
		wantName(t, users["2"], "User 2")
		wantName(t, users["50"], "Guest")
		page, err := c.Users(t.Context(), roster.Query{Site: "A"})
		must(t, err)
		if len(page.Users) != 6 {
			t.Fatalf("listed %d", len(page.Users))
		}
	})
	t.Run("digests find and mend a difference", func(t *testing.T) {
		c := newCenter(t, "A")
		fill(t, c, 30)
		a := c.site("A")
		a.pull()
		before, err := c.SiteDigest(t.Context(), "A") // from here on kept with each commit
		must(t, err)
		c.put("3", roster.Patch{Set: name("Three")})
		must(t, c.Delete(t.Context(), anna, "4"))
		a.pull()
		a.agree()
		now, err := c.SiteDigest(t.Context(), "A")
		must(t, err)
		if now == before {
			t.Fatal("the digest did not move")
		}
		// The site's copy goes bad in three ways.
		var guids []string
		for guid := range a.held {
			guids = append(guids, guid)
		}
		slices.Sort(guids)
		delete(a.held, guids[0])
		bad := a.held[guids[1]]
		bad.IDs = []string{"999"}
		a.held[guids[1]] = bad
		a.held["a stranger"] = wire.Change{GUID: "a stranger", Record: bad.Record}
		d := wire.Digest{Revision: a.revision, Users: map[string][]byte{}}
		for i := range wire.Buckets {
			d.Of = append(d.Of, uint8(i))
		}
		for guid, u := range a.held {
			sum := u.Sum()
			d.Users[guid] = sum[:]
		}
		got, err := c.Mend(t.Context(), "A", d)
		must(t, err)
		if !got.Mend || len(got.Users) != 3 {
			t.Fatalf("mend: %+v", got)
		}
		a.take(got)
		a.agree()
	})
}

func TestSites(t *testing.T) {
	c := newCenter(t)
	key, err := c.AddSite(t.Context(), anna, "north", roster.SiteSettings{})
	must(t, err)
	if !c.CheckKey("north", key) || c.CheckKey("north", key+"x") || c.CheckKey("south", key) || c.CheckKey("south", "") {
		t.Fatal("keys")
	}
	if _, err := c.AddSite(t.Context(), anna, "north", roster.SiteSettings{}); !errors.Is(err, roster.ErrExists) {
		t.Fatalf("added twice: %v", err)
	}
	if _, err := c.AddSite(t.Context(), anna, "a/b", roster.SiteSettings{}); !errors.Is(err, roster.ErrInvalid) {
		t.Fatalf("bad name: %v", err)
	}
	renewed, err := c.RenewKey(t.Context(), anna, "north")
	must(t, err)
	if c.CheckKey("north", key) || !c.CheckKey("north", renewed) {
		t.Fatal("renewed key")
	}
	must(t, c.SetReaders(t.Context(), "north", []wire.ReaderState{{Name: "front", State: wire.ReaderInSync}}))
	must(t, c.Seen(t.Context(), "north", true))
	wakes, end := c.Committed()
	defer end()
	must(t, c.Seen(t.Context(), "north", true))
	<-wakes
	c.open() // as after a restart
	s, err := c.Site(t.Context(), "north")
	must(t, err)
	if len(s.Readers) != 1 || s.Online || !s.LastSeen.Equal(c.now) || s.Mode != wire.ModeAllReaders || !c.CheckKey("north", renewed) {
		t.Fatalf("site: %+v", s)
	}
}

func TestUsersAreListed(t *testing.T) {
	c := newCenter(t)
	for _, id := range []string{"10", "9", "anna", "100"} {
		c.put(id, roster.Patch{Set: map[protocol.Field]protocol.Value{protocol.FieldFirstName: protocol.Text("Jo"), protocol.FieldLastName: protocol.Text("No" + id)}})
	}
	var got []string
	q := roster.Query{Limit: 3}
	for {
		page, err := c.Users(t.Context(), q)
		must(t, err)
		for _, u := range page.Users {
			got = append(got, u.ID)
		}
		if q.After = page.Next; q.After == "" {
			break
		}
	}
	if !slices.Equal(got, []string{"9", "10", "100", "anna"}) {
		t.Fatalf("order: %v", got)
	}
	page, err := c.Users(t.Context(), roster.Query{Text: "jo NO10"})
	must(t, err)
	if len(page.Users) != 2 {
		t.Fatalf("found %d", len(page.Users))
	}
	log, err := c.Events(t.Context(), roster.EventQuery{User: "9", Since: c.now.Add(-1e12), Site: "-"})
	must(t, err)
	if len(log) != 1 || log[0].Actor != "anna (test)" || log[0].Event != protocol.EventOfficeChanged {
		t.Fatalf("log: %+v", log)
	}
}
