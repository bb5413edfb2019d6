package roster_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"doorsync/cloud/roster"
	"doorsync/protocol"
	"doorsync/protocol/wire"
)

// failing is a store whose commits fail when told to, after everything was
// written.
type failing struct {
	roster.Store
	fail bool
}

var errCommit = errors.New("the commit failed")

func (f *failing) Update(ctx context.Context, fn func(roster.Tx) error) error {
	return f.Store.Update(ctx, func(tx roster.Tx) error {
		if err := fn(tx); err != nil || !f.fail {
			return err
		}
		return errCommit
	})
}

// Memory changes only after the commit.
func TestFailedCommitLeavesMemory(t *testing.T) {
	c := newCenter(t, "A", "B")
	f := &failing{Store: c.store}
	c.store = f
	c.open()
	a, b := c.site("A"), c.site("B")
	a.edit(protocol.Edit{UserID: "5", New: true, Values: name("Anna"), Given: []protocol.Credential{protocol.Card(1)}})
	_, err := c.SiteDigest(t.Context(), "A")
	must(t, err)
	state := func() string {
		sites, err := c.Sites(t.Context())
		must(t, err)
		d, err := c.SiteDigest(t.Context(), "A")
		must(t, err)
		revoked, err := c.Revoked(t.Context())
		must(t, err)
		conflicts, err := c.Conflicts(t.Context())
		must(t, err)
		got, err := c.Changes(t.Context(), "A", 1, nil, 1<<20)
		must(t, err)
		var apart strings.Builder
		for _, one := range conflicts {
			apart.WriteString(one.Site + one.UserID + one.User.GUID + one.Holder.GUID)
		}
		return fmt.Sprint(c.Revision(), c.Rules(), c.SourceRows(), c.Reindexing(), c.Known("NEW group"), sites, wire.Root(&d), revoked, apart.String(), got.To, got.Journal, got.Users, got.Settings)
	}
	c.addSource("hr", roster.GoneRemoveOnly, roster.KeyEmail)
	c.feed("hr", row("S1", texts("user_id", "11", "email", "a@example.org")), row("S2", texts("user_id", "12"), "staff"))
	before := state()
	c.SpillAt(1)
	in, _ := c.plan("hr", []roster.Word{row("S2", texts("user_id", "12", "phone", "1"), "new group"), row("S3", texts("user_id", "13")), row("S4", nil)})
	one := a.entry(protocol.Edit{UserID: "6", New: true, Values: name("Bert"), Given: []protocol.Credential{protocol.Card(2)}})
	two := a.entry(protocol.Edit{UserID: "5", Given: []protocol.Credential{protocol.Card(3)}})
	apart := b.entry(protocol.Edit{UserID: "5", New: true, Values: name("Other")})
	f.fail = true
	wakes, end := c.Committed()
	defer end()
	for what, fn := range map[string]func() error{
		"hear": func() error {
			_, err := c.Hear(t.Context(), []roster.SiteBatch{
				{Site: "A", Epoch: a.epoch, Entries: []protocol.Entry{one, two}}, {Site: "B", Epoch: b.epoch, Entries: []protocol.Entry{apart}},
			})
			return err
		},
		"hello":  func() error { _, err := c.Hello(t.Context(), "A", wire.Hello{Epoch: "new", First: 1}); return err },
		"put":    func() error { _, err := c.Put(t.Context(), anna, "5", roster.Patch{Set: name("X")}); return err },
		"delete": func() error { return c.Delete(t.Context(), anna, "5") },
		"revoke": func() error { return c.Revoke(t.Context(), anna, protocol.Card(1).Key()) },
		"order": func() error {
			return c.SetOrder(t.Context(), anna, protocol.Rules{Order: []protocol.Source{"readers", "office", "hr"}, Settle: protocol.SettleFirst})
		},
		"import": func() error { _, err := c.Import(t.Context(), anna, in); return err },
		"source": func() error {
			return c.AddSource(t.Context(), anna, roster.SourceRow{Name: "badges", Keys: []roster.Key{roster.KeyUserID}})
		},
		"keys":   func() error { return c.SetSource(t.Context(), anna, roster.SourceRow{Name: "hr"}) },
		"remove": func() error { return c.RemoveSource(t.Context(), anna, "hr", nil) },
		"decide": func() error { return c.Decide(t.Context(), anna, "hr", roster.IdentityOf("S9"), "") },
		"run":    func() error { return c.PutRun(t.Context(), roster.RunRow{Source: "hr", Number: 9}) },
		"site":   func() error { _, err := c.AddSite(t.Context(), anna, "C", roster.SiteSettings{}); return err },
	} {
		if err := fn(); !errors.Is(err, errCommit) {
			t.Fatalf("%s: %v", what, err)
		}
		if after := state(); after != before {
			t.Fatalf("%s changed memory:\nbefore %s\nafter  %s", what, before, after)
		}
	}
	select {
	case <-wakes:
		t.Fatal("a commit that failed woke somebody")
	default:
	}
	f.fail = false
	if got := a.send(one, two); got.Taken != 3 {
		t.Fatalf("sent again: %+v", got)
	}
	wantEvents(t, events(b.send(apart)), protocol.EventConflict)
	if !c.user("5").User.Has(protocol.Card(3).Key()) {
		t.Fatal("the edit sent again had no effect")
	}
	must(t, c.Seen(t.Context(), "A", false))
	must(t, c.Seen(t.Context(), "B", false))
	before = state()
	c.open() // memory is what the store says
	if after := state(); after != before {
		t.Fatalf("memory and store differ:\nmemory %s\nstore  %s", before, after)
	}
}

const crashEnv = "DOORSYNC_ROSTER_CRASH"

// TestCrashChild is the program that TestKilled kills; by itself it does nothing.
func TestCrashChild(t *testing.T) {
	path := os.Getenv(crashEnv)
	if path == "" {
		return
	}
	c := newCenterAt(t, path)
	a := resumed(t, c)
	for {
		a.c.now = time.Now()
		id := strconv.FormatUint(a.number+1, 10)
		got := a.send(a.entry(protocol.Edit{UserID: id, New: true, Values: name("User " + id)}))
		fmt.Println("taken", got.Taken)
	}
}

// resumed is site A of a center that has been running before.
func resumed(t *testing.T, c *center) *site {
	a := c.site("A")
	got, err := c.Hello(t.Context(), "A", wire.Hello{Epoch: a.epoch, First: 1, Last: 1 << 40})
	must(t, err)
	a.number, a.hash = got.Taken, got.Hash
	return a
}

// Killed at any moment, the center has everything it confirmed, once.
func TestKilled(t *testing.T) {
	path := filepath.Join(t.TempDir(), "roster.db")
	t.Run("prepared", func(t *testing.T) { newCenterAt(t, path, "A") })
	for round := range 8 {
		confirmed := killed(t, path, 3+7*round)
		t.Run(fmt.Sprint("round ", round), func(t *testing.T) {
			c := newCenterAt(t, path)
			a := resumed(t, c)
			if a.number < confirmed {
				t.Fatalf("confirmed %d, has %d", confirmed, a.number)
			}
			log, err := c.Events(t.Context(), roster.EventQuery{Site: "A", Limit: 1 << 20, Oldest: true})
			must(t, err)
			for i, e := range log {
				if e.Number != uint64(i+1) {
					t.Fatalf("event %d has number %d", i+1, e.Number)
				}
				wantName(t, c.user(e.UserID).User, "User "+e.UserID)
			}
			if uint64(len(log)) != a.number {
				t.Fatalf("%d events of %d entries", len(log), a.number)
			}
			a.pull()
			a.agree()
			if uint64(len(a.users())) != a.number {
				t.Fatalf("%d users of %d entries", len(a.users()), a.number)
			}
		})
	}
}

// killed runs the child until it has confirmed some entries, kills it, and
// returns the last number it confirmed.
func killed(t *testing.T, path string, confirms int) (last uint64) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestCrashChild$")
	cmd.Env = append(os.Environ(), crashEnv+"="+path)
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	lines := bufio.NewScanner(out)
	for n := 0; lines.Scan(); {
		number, err := strconv.ParseUint(string([]byte(lines.Text())[min(6, len(lines.Text())):]), 10, 64)
		if err != nil {
			t.Errorf("the child says %q", lines.Text())
			continue
		}
		last = max(last, number)
		if n++; n == confirms {
			must(t, cmd.Process.Kill())
		}
	}
	_ = cmd.Wait() // killed
	return last
}
