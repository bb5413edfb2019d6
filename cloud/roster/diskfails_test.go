package roster_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"doorsync/cloud/roster"
	"doorsync/cloud/roster/sqlstore"
	"doorsync/protocol"
	"doorsync/protocol/wire"
)

// TestWhateverCallFails: each operation is tried again and again, and each time
// another of its calls to the store fails, until none does. It must say so, and
// neither the store nor memory may have anything of it.
func TestWhateverCallFails(t *testing.T) {
	c, n := brittle(t)
	a, b := c.site("A"), c.site("B")
	for _, op := range operations(c, a, b) {
		t.Run(op.name, func(t *testing.T) {
			do := op.ready()
			before, held := c.dump(), c.remembered()
			tries := 0
			for k := 1; ; k++ {
				n.arm(k, false)
				err := do(t.Context())
				n.disarm()
				if err == nil {
					break
				}
				tries = k
				if !errors.Is(err, errDisk) {
					t.Fatalf("call %d, %s, failed, and it says %v", k, n.last, err)
				}
				if now := c.dump(); now != before {
					t.Fatalf("call %d, %s, failed, and the store has %s; had %s", k, n.last, now, before)
				}
				if now := c.remembered(); now != held {
					t.Fatalf("call %d, %s, failed, and memory has %s; had %s", k, n.last, now, held)
				}
			}
			if tries == 0 {
				t.Error("nothing of it ever failed")
			}
			must(t, c.Check(t.Context()))
		})
	}
	c.unreadable(n, a)
	for _, s := range []*site{a, b} { // who is online is not known to a center that starts
		must(t, c.Seen(t.Context(), s.name, false))
	}
	held := c.remembered()
	c.open()
	if now := c.remembered(); now != held {
		t.Errorf("the store has %s; memory had %s", now, held)
	}
}

// brittle is a center with two sites on a store that can fail.
func brittle(t *testing.T) (*center, *nth) {
	t.Helper()
	s, err := sqlstore.Open(t.Context(), filepath.Join(t.TempDir(), "roster.db"), sqlstore.Options{Reserve: 1 << 12})
	must(t, err)
	t.Cleanup(func() { must(t, s.Close()) })
	n := &nth{Store: s}
	c := &center{t: t, store: n}
	c.open()
	c.tick()
	for _, name := range []string{"A", "B"} {
		_, err := c.AddSite(t.Context(), anna, name, roster.SiteSettings{})
		must(t, err)
	}
	return c, n
}

func (n *nth) arm(k int, views bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.left, n.armed, n.views = k, true, views
}

func (n *nth) disarm() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.armed = false
}

// remembered is what the roster answers.
func (c *center) remembered() string {
	c.t.Helper()
	var b strings.Builder
	ctx := c.t.Context()
	page, err := c.Users(ctx, roster.Query{Limit: 1000})
	must(c.t, err)
	sites, err := c.Sites(ctx)
	must(c.t, err)
	revoked, err := c.Revoked(ctx)
	must(c.t, err)
	conflicts, err := c.Conflicts(ctx)
	must(c.t, err)
	fmt.Fprintf(&b, "%d %s %+v\n%+v\n%d conflicts\n%+v\n%+v\n", c.Revision(), c.ID(), c.Rules(), revoked, len(conflicts), c.SourceRows(), c.Fields())
	for _, u := range page.Users {
		fmt.Fprintf(&b, "%s %s %v %+v %v\n", u.GUID, u.ID, u.Aliases, u.User.Values, u.User.Credentials)
	}
	for _, s := range sites {
		d, err := c.SiteDigest(ctx, s.Name)
		must(c.t, err)
		got, err := c.Changes(ctx, s.Name, 1, nil, 1<<20)
		must(c.t, err)
		fmt.Fprintf(&b, "%+v %x %d users to %d, journal %d\n", s, wire.Root(&d), len(got.Users), got.To, got.Journal)
	}
	return b.String()
}

// operation is something that changes the roster. ready makes what it needs and
// returns what can be tried again as long as it fails.
type operation struct {
	name  string
	ready func() func(ctx context.Context) error
}

// plainly is an operation that needs nothing before.
func plainly(name string, do func(ctx context.Context) error) operation {
	return operation{name, func() func(ctx context.Context) error { return do }}
}

func operations(c *center, a, b *site) []operation {
	put := func(id string, p roster.Patch) func(ctx context.Context) error {
		return func(ctx context.Context) error { _, err := c.Put(ctx, anna, id, p); return err }
	}
	return append([]operation{
		plainly("a new user", put("1", roster.Patch{Set: name("Anna"), Give: []protocol.Credential{protocol.Card(1)}, Join: []string{"staff"}})),
		plainly("another", put("2", roster.Patch{Set: texts("first_name", "Bob", "email", "bob@example.org"), Give: []protocol.Credential{protocol.Card(2)}})),
		plainly("an edit of everything", put("1", roster.Patch{
			Set: texts("user_id", "10", "email", "anna@example.org"), Blank: []protocol.Field{protocol.FieldPhone},
			Give: []protocol.Credential{protocol.Card(3)}, TakeBack: []protocol.CredentialKey{protocol.Card(1).Key()}, Join: []string{"it"}, Leave: []string{"staff"},
		})),
		edited("an enrollment at a site", a, protocol.Edit{UserID: "5", New: true, Values: name("Cyd"), Given: []protocol.Credential{protocol.Card(5)}}),
		edited("the same ID at another", b, protocol.Edit{UserID: "5", New: true, Values: name("Dan"), Given: []protocol.Credential{protocol.Card(6), protocol.Card(5)}}),
		plainly("revoke", func(ctx context.Context) error { return c.Revoke(ctx, anna, protocol.Card(5).Key()) }),
		plainly("revoke what nobody has", func(ctx context.Context) error { return c.Revoke(ctx, anna, protocol.Card(99).Key()) }),
		plainly("allow", func(ctx context.Context) error { return c.Allow(ctx, anna, protocol.Card(5).Key()) }),
		{"resolve by renumbering", func() func(ctx context.Context) error {
			guid := c.conflict()
			return func(ctx context.Context) error {
				_, err := c.Resolve(ctx, anna, guid, roster.Resolution{Renumber: "55"})
				return err
			}
		}},
		edited("an ID in conflict again", b, protocol.Edit{UserID: "2", New: true, Values: name("Eve")}),
		{"resolve by merging", func() func(ctx context.Context) error {
			guid := c.conflict()
			return func(ctx context.Context) error {
				_, err := c.Resolve(ctx, anna, guid, roster.Resolution{MergeInto: "2"})
				return err
			}
		}},
		plainly("merge", func(ctx context.Context) error { _, err := c.Merge(ctx, anna, "10", "55"); return err }),
		plainly("split", func(ctx context.Context) error {
			_, err := c.Split(ctx, anna, "10", roster.SplitOptions{})
			return err
		}),
		plainly("delete", func(ctx context.Context) error { return c.Delete(ctx, anna, "2") }),
		edited("an edit that is too late", a, protocol.Edit{UserID: "2", Values: name("Fay")}),
		plainly("restore", func(ctx context.Context) error { _, err := c.Restore(ctx, anna, "2"); return err }),
	}, append(administration(c), imports(c)...)...)
}

// edited is an entry of a site. It is sent again as long as it is not taken.
func edited(name string, s *site, e protocol.Edit) operation {
	return operation{name, func() func(ctx context.Context) error {
		s.c.tick()
		batch := []roster.SiteBatch{{Site: s.name, Session: "1", Epoch: s.epoch, Entries: []protocol.Entry{s.entry(e)}}}
		return func(ctx context.Context) error { _, err := s.c.Hear(ctx, batch); return err }
	}}
}

// conflict is somebody who waits for a person to decide.
func (c *center) conflict() string {
	c.t.Helper()
	all, err := c.Conflicts(c.t.Context())
	must(c.t, err)
	if len(all) == 0 {
		c.t.Fatal("nobody is in conflict")
	}
	return all[0].User.GUID
}

// administration is what concerns everybody.
func administration(c *center) []operation {
	mode := wire.ModeGroups
	return []operation{
		plainly("a field", func(ctx context.Context) error {
			return c.PutField(ctx, anna, protocol.Custom{Field: "custom:floor", Type: protocol.CustomNumber})
		}),
		plainly("no field", func(ctx context.Context) error { return c.DropField(ctx, anna, "custom:floor") }),
		plainly("a site's mode", func(ctx context.Context) error {
			_, err := c.SetSite(ctx, anna, "B", roster.SiteSettings{Mode: &mode})
			return err
		}),
		plainly("a site's key", func(ctx context.Context) error { _, err := c.RenewKey(ctx, anna, "A"); return err }),
		plainly("a site's readers", func(ctx context.Context) error {
			return c.SetReaders(ctx, "A", []wire.ReaderState{{Name: "front"}})
		}),
		plainly("a site seen", func(ctx context.Context) error { return c.Seen(ctx, "A", false) }),
		plainly("a hello of an epoch", func(ctx context.Context) error {
			_, err := c.Hello(ctx, "A", wire.Hello{Session: "2", Epoch: "later", First: 9, Last: 8, Taken: 8, Roster: c.ID()})
			return err
		}),
		plainly("a source", func(ctx context.Context) error {
			return c.AddSource(ctx, anna, roster.SourceRow{Name: "hr", Kind: "csv", Gone: roster.GoneRemoveOnly, Keys: []roster.Key{roster.KeyEmail, roster.KeyFullName}})
		}),
		plainly("its keys made anew", c.Reindex),
		plainly("mails", func(ctx context.Context) error { return c.PutMails(ctx, []roster.MailRow{{Mail: []byte("dear")}}) }),
		plainly("a mail sent", func(ctx context.Context) error { return c.DropMail(ctx, 1) }),
	}
}

// imports are files of a source, one after the other.
func imports(c *center) []operation {
	file := func(name string, words ...roster.Word) operation {
		return operation{name, func() func(ctx context.Context) error {
			in, _ := c.plan("hr", words)
			in.Mail = func(roster.Effect, protocol.User, string) []byte { return []byte("dear") }
			return func(ctx context.Context) error { _, err := c.Import(ctx, anna, in); return err }
		}}
	}
	ann := row("S1", texts("first_name", "Anna", "email", "anna@example.org"), protocol.Card(30), "staff")
	bob := row("S2", texts("first_name", "Bob", "email", "bob@example.org"), protocol.Card(30), protocol.Card(31))
	cat := row("S3", texts("first_name", "Cat", "user_id", "300"), protocol.Card(32), "guests")
	return []operation{
		file("a first import", ann, bob, cat),
		file("a second one", ann, row("S2", texts("first_name", "Rob", "email", "bob@example.org"), protocol.Card(33)), row("S4", texts("first_name", "Dee"))),
		file("a third one", ann),
		plainly("a run", func(ctx context.Context) error {
			return c.PutRun(ctx, roster.RunRow{Source: "hr", Number: 9, At: c.now, Report: []byte("failed")})
		}),
		{"a split by source", func() func(ctx context.Context) error {
			id := c.user("10").ID
			return func(ctx context.Context) error {
				_, err := c.Split(ctx, anna, id, roster.SplitOptions{Source: "hr", UserID: "400"})
				return err
			}
		}},
		plainly("a row decided", func(ctx context.Context) error {
			return c.Decide(ctx, anna, "hr", roster.IdentityOf("S9"), "2")
		}),
		plainly("the source removed", func(ctx context.Context) error { return c.RemoveSource(ctx, anna, "hr", func(roster.Effect) {}) }),
	}
}

// unreadable looks at all that can be looked at, while one read after the other
// fails: each must be told of, and none may be taken for nobody being there.
func (c *center) unreadable(n *nth, a *site) {
	c.t.Helper()
	all := c.Revision()
	for _, look := range []struct {
		name string
		at   func(ctx context.Context) error
	}{
		{"user", func(ctx context.Context) error { _, err := c.User(ctx, "10"); return err }},
		{"users", func(ctx context.Context) error { _, err := c.Users(ctx, roster.Query{Limit: 10}); return err }},
		{"search", func(ctx context.Context) error {
			_, err := c.Users(ctx, roster.Query{Text: "b", Limit: 10})
			return err
		}},
		{"events", func(ctx context.Context) error { _, err := c.Events(ctx, roster.EventQuery{Limit: 10}); return err }},
		{"events of a user", func(ctx context.Context) error {
			_, err := c.Events(ctx, roster.EventQuery{User: "10", Limit: 10})
			return err
		}},
		{"revoked", func(ctx context.Context) error { _, err := c.Revoked(ctx); return err }},
		{"conflicts", func(ctx context.Context) error { _, err := c.Conflicts(ctx); return err }},
		{"explained", func(ctx context.Context) error { _, err := c.Explain(ctx, "10"); return err }},
		{"mails", func(ctx context.Context) error { return c.Mails(ctx, 0, func(roster.MailRow) bool { return true }) }},
		{"first copy", func(ctx context.Context) error { _, err := c.Changes(ctx, a.name, 0, nil, 1<<20); return err }},
		{"mending", func(ctx context.Context) error {
			_, err := c.Mend(ctx, a.name, wire.Digest{Revision: all, Of: []uint8{0, 1, 2, 3}})
			return err
		}},
		{"another order", func(ctx context.Context) error {
			rules := c.Rules()
			rules.Order = []protocol.Source{protocol.SourceReaders, protocol.SourceOffice}
			_, err := c.PreviewOrder(ctx, rules, func(roster.Effect) {})
			return err
		}},
		{"a merge to be", func(ctx context.Context) error { _, err := c.PreviewMerge(ctx, "10", "2"); return err }},
	} {
		for k := 1; ; k++ {
			n.arm(k, true)
			err := look.at(c.t.Context())
			n.disarm()
			if err == nil {
				break
			}
			if !errors.Is(err, errDisk) {
				c.t.Errorf("%s: call %d, %s, failed, and it says %v", look.name, k, n.last, err)
				break
			}
		}
	}
}
