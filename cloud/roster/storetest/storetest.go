// Package storetest decides whether a roster.Store is finished: a store is, when
// Run passes.
package storetest

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"testing"

	"doorsync/cloud/roster"
	"doorsync/protocol"
	"doorsync/protocol/wire"
)

// Run examines stores. open returns the store at a place, the same one for the
// same place; Run closes it before it opens it again.
func Run(t *testing.T, open func(t *testing.T, place string) roster.Store) {
	t.Helper()
	for _, test := range []struct {
		name string
		fn   func(*testing.T, roster.Store)
	}{
		{"users", users},
		{"orders", orders},
		{"index", index},
		{"credentials", credentials},
		{"log", log},
		{"verdicts", verdicts},
		{"sites", sites},
		{"sources", sources},
		{"named", namedUsers},
		{"keys", keys},
		{"merges", merges},
		{"contested", contested},
		{"fields", fields},
		{"runs", runs},
		{"mails", mails},
		{"random", random},
		{"rollback", rollback},
		{"rollback of sources", sourcesRollback},
		{"snapshot", snapshot},
		{"canceled", canceled},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := open(t, t.TempDir())
			defer func() { must(t, s.Close()) }()
			test.fn(t, s)
		})
	}
	t.Run("durable", func(t *testing.T) { durable(t, open) })
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func equal(t *testing.T, what string, want, got any) {
	t.Helper()
	if !reflect.DeepEqual(want, got) {
		t.Fatalf("%s:\nwant %+v\ngot  %+v", what, want, got)
	}
}

func update(t *testing.T, s roster.Store, fn func(roster.Tx)) {
	t.Helper()
	must(t, s.Update(t.Context(), func(tx roster.Tx) error { fn(tx); return nil }))
}

func view(t *testing.T, s roster.Store, fn func(roster.View)) {
	t.Helper()
	must(t, s.View(t.Context(), func(v roster.View) error { fn(v); return nil }))
}

func sample(n int) *roster.UserRow {
	return &roster.UserRow{
		GUID: fmt.Sprintf("guid-%04d", n), Revision: uint64(n), Created: uint64(n), Foreign: 3, Site: "A", EnrolledBy: "B",
		ChangedBy: "C", IDs: []string{fmt.Sprint(n), "alias"}, Keys: []uint64{1, 1 << 63}, Groups: []string{"it", "staff"},
		Sort: fmt.Sprintf("%020d", 1000-n), Search: "jörg\n5", Inactive: true, Known: []protocol.Source{"office", "hr"}, Sum: wire.Sum{1, 2, byte(n)},
		Record: []byte{0, 1, byte(n)}, Contributions: []byte("what was said"),
	}
}

func users(t *testing.T, s roster.Store) {
	one, two := sample(1), sample(2)
	update(t, s, func(tx roster.Tx) { must(t, tx.PutUsers([]*roster.UserRow{one, two})) })
	if one.Handle == 0 || one.Handle == two.Handle {
		t.Fatal("rows were given no handles of their own")
	}
	view(t, s, func(v roster.View) {
		got, ok, err := v.User(one.GUID)
		must(t, err)
		equal(t, "a row", *one, got)
		_, ok2, err := v.User("nobody")
		must(t, err)
		if !ok || ok2 {
			t.Fatal("found")
		}
	})
	one.Revision, one.IDs, one.Keys, one.Record, one.Contributions = 7, []string{"9"}, nil, []byte("new"), nil
	two.Contributions = []byte("more")
	two.Revision = 99 // not written
	update(t, s, func(tx roster.Tx) {
		must(t, tx.PutUsers([]*roster.UserRow{one}))
		must(t, tx.PutContributions([]*roster.UserRow{two}))
		got, _, err := tx.User(one.GUID)
		must(t, err)
		if got.Revision != 7 || len(got.Contributions) != 0 || len(got.Keys) != 0 || string(got.Record) != "new" {
			t.Fatalf("the transaction does not see what it wrote: %+v", got)
		}
	})
	one.Moved, one.Removed, one.MergedInto, one.Sort, one.Site = true, 7, "guid-0002", "~", ""
	update(t, s, func(tx roster.Tx) { must(t, tx.PutUsers([]*roster.UserRow{one})) })
	view(t, s, func(v roster.View) {
		got, _, err := v.User(two.GUID)
		must(t, err)
		if string(got.Contributions) != "more" || got.Revision != 2 {
			t.Fatalf("contributions alone: %+v", got)
		}
		got, _, err = v.User(one.GUID)
		must(t, err)
		if got.Removed != 7 || got.MergedInto != "guid-0002" || got.Sort != "~" || got.Site != "" {
			t.Fatalf("moved: %+v", got)
		}
	})
	if err := s.Update(t.Context(), func(tx roster.Tx) error {
		return tx.PutContributions([]*roster.UserRow{{Handle: 4711, GUID: "nobody"}})
	}); err == nil {
		t.Fatal("wrote to a row that is not there")
	}
	update(t, s, func(tx roster.Tx) {
		must(t, tx.PutGrave(roster.Grave{GUID: "g", Record: []byte("r"), Contributions: []byte("c")}))
		must(t, tx.PutGrave(roster.Grave{GUID: "h", Record: []byte("r")}))
		must(t, tx.DropGrave("h"))
	})
	view(t, s, func(v roster.View) {
		g, ok, err := v.Grave("g")
		must(t, err)
		equal(t, "grave", roster.Grave{GUID: "g", Record: []byte("r"), Contributions: []byte("c")}, g)
		if _, gone, err := v.Grave("h"); err != nil || gone || !ok {
			t.Fatal("graves", err)
		}
	})
}

func orders(t *testing.T, s roster.Store) {
	var rows []*roster.UserRow
	for _, n := range []int{3, 1, 2, 5, 4} {
		rows = append(rows, sample(n))
	}
	update(t, s, func(tx roster.Tx) { must(t, tx.PutUsers(rows)) })
	view(t, s, func(v roster.View) {
		collect := func(limit int, err func(func(*roster.UserRow) bool) error) (out []uint64) {
			must(t, err(func(u *roster.UserRow) bool { out = append(out, u.Revision); return len(out) < limit }))
			return out
		}
		equal(t, "since", []uint64{3, 4}, collect(2, func(fn func(*roster.UserRow) bool) error { return v.UsersSince(2, fn) }))
		equal(t, "from", []uint64{2, 3, 4, 5}, collect(9, func(fn func(*roster.UserRow) bool) error { return v.UsersFrom("guid-0001", fn) }))
		equal(t, "heads", []uint64{5, 4, 3, 2, 1}, collect(9, func(fn func(*roster.UserRow) bool) error { return v.Heads("", "", fn) }))
		equal(t, "heads after", []uint64{2, 1}, collect(9, func(fn func(*roster.UserRow) bool) error {
			return v.Heads(rows[0].Sort, rows[0].GUID, fn)
		}))
		must(t, v.UsersSince(4, func(u *roster.UserRow) bool {
			if string(u.Record) != string(rows[3].Record) || u.Sum != rows[3].Sum || len(u.IDs) != 2 || len(u.Contributions) != 0 {
				t.Fatalf("row: %+v", u)
			}
			return true
		}))
	})
}

func index(t *testing.T, s roster.Store) {
	everywhere := roster.IDRow{ID: "5", GUID: "g", Since: 4, By: "A"}
	alias := roster.IDRow{ID: "6", GUID: "g", Since: 2}
	atB := roster.IDRow{ID: "5", Site: "B", GUID: "h", Since: 9, By: "B", Until: 12}
	update(t, s, func(tx roster.Tx) {
		must(t, tx.PutIDs(nil))
		must(t, tx.PutIDs([]roster.IDRow{{ID: "5", GUID: "before"}, everywhere, alias, atB, {ID: "7", GUID: "g"}}))
		must(t, tx.DropID("", "7"))
	})
	view(t, s, func(v roster.View) {
		got, _, err := v.ID("", "5")
		must(t, err)
		equal(t, "everywhere", everywhere, got)
		got, _, err = v.ID("B", "5")
		must(t, err)
		equal(t, "at B", atB, got)
		if _, ok, err := v.ID("A", "5"); ok || err != nil {
			t.Fatal("at A", err)
		}
		rows, err := v.IDsOf("g")
		must(t, err)
		equal(t, "of one", []roster.IDRow{alias, everywhere}, rows)
		rows, err = v.SiteIDs()
		must(t, err)
		equal(t, "of sites", []roster.IDRow{atB}, rows)
	})
}

func credentials(t *testing.T, s roster.Store) {
	one, two := protocol.Card(1).Key(), protocol.Card(2).Key()
	row := roster.RevokedRow{Key: one, GUID: "g", Before: protocol.Given, Stamp: protocol.Stamp{Wall: 5, Counter: 6, Origin: "A"}, By: "anna"}
	update(t, s, func(tx roster.Tx) {
		must(t, tx.PutHolders(nil))
		must(t, tx.PutHolders([]roster.HolderRow{{Key: one, GUID: "before"}, {Key: one, GUID: "g"}, {Key: two, GUID: "g"}}))
		must(t, tx.DropHolder(two))
		must(t, tx.PutRevoked(row))
		must(t, tx.PutRevoked(roster.RevokedRow{Key: two}))
		must(t, tx.DropRevoked(two))
	})
	view(t, s, func(v roster.View) {
		guid, ok, err := v.Holder(one)
		if err != nil || !ok || guid != "g" {
			t.Fatal("holder", guid, ok, err)
		}
		if _, ok, err := v.Holder(two); err != nil || ok {
			t.Fatal("dropped holder", err)
		}
		rows, err := v.Revoked()
		must(t, err)
		equal(t, "revoked", []roster.RevokedRow{row}, rows)
	})
}

func sites(t *testing.T, s roster.Store) {
	row := roster.SiteRow{
		Name: "B", KeyHash: []byte("k"), Mode: "groups", Groups: []string{"it"}, OwnGroups: true, SaidMode: "all",
		Scope: 5, Settings: 6, Epoch: "e", Version: "1", Online: true, LastSeen: 9, Readers: []byte("r"),
	}
	meta := roster.Meta{
		Roster: "id", Revision: 1 << 60, Clock: protocol.Stamp{Wall: 5, Counter: 1}, Number: 3, Settings: 2,
		Salt: []byte("s"), Rules: protocol.DefaultRules(), Recompute: new(string), Recomputing: &roster.Recomputing{Began: 3, Started: 5, Done: 7, Total: 9},
	}
	view(t, s, func(v roster.View) {
		if _, ok, err := v.Meta(); ok || err != nil {
			t.Fatal("a new store has meta", err)
		}
	})
	update(t, s, func(tx roster.Tx) {
		must(t, tx.PutSite(roster.SiteRow{Name: "B"}))
		must(t, tx.PutSite(row))
		must(t, tx.PutSite(roster.SiteRow{Name: "A"}))
		must(t, tx.PutEpoch(roster.EpochRow{Site: "A", Epoch: "e", Taken: 1}))
		must(t, tx.PutEpoch(roster.EpochRow{Site: "A", Epoch: "e", Taken: 2, Hash: []byte("h")}))
		must(t, tx.PutEpoch(roster.EpochRow{Site: "A", Epoch: "d"}))
		must(t, tx.PutMeta(roster.Meta{}))
		must(t, tx.PutMeta(meta))
	})
	view(t, s, func(v roster.View) {
		rows, err := v.Sites()
		must(t, err)
		equal(t, "sites", []roster.SiteRow{{Name: "A"}, row}, rows)
		epochs, err := v.Epochs()
		must(t, err)
		equal(t, "epochs", []roster.EpochRow{{Site: "A", Epoch: "d"}, {Site: "A", Epoch: "e", Taken: 2, Hash: []byte("h")}}, epochs)
		got, ok, err := v.Meta()
		must(t, err)
		if !ok {
			t.Fatal("no meta")
		}
		equal(t, "meta", meta, got)
	})
}

func rollback(t *testing.T, s roster.Store) {
	update(t, s, func(tx roster.Tx) { must(t, tx.PutUsers([]*roster.UserRow{sample(1)})) })
	why := errors.New("no")
	err := s.Update(t.Context(), func(tx roster.Tx) error {
		must(t, tx.PutUsers([]*roster.UserRow{sample(2)}))
		must(t, tx.PutIDs([]roster.IDRow{{ID: "2", GUID: "guid-0002"}}))
		must(t, tx.AddEvents([]roster.Event{event(1)}))
		return why
	})
	if !errors.Is(err, why) {
		t.Fatalf("error: %v", err)
	}
	view(t, s, func(v roster.View) {
		if _, ok, err := v.User("guid-0002"); ok || err != nil {
			t.Fatal("the user was kept", err)
		}
		if _, ok, err := v.ID("", "2"); ok || err != nil {
			t.Fatal("the ID was kept", err)
		}
		must(t, v.Events(roster.EventFilter{}, func(*roster.Event) bool { t.Fatal("the event was kept"); return false }))
	})
	update(t, s, func(tx roster.Tx) { must(t, tx.PutUsers([]*roster.UserRow{sample(2)})) })
}

// snapshot reads while somebody writes.
func snapshot(t *testing.T, s roster.Store) {
	update(t, s, func(tx roster.Tx) { must(t, tx.PutMeta(roster.Meta{Revision: 1})) })
	view(t, s, func(v roster.View) {
		before, _, err := v.Meta()
		must(t, err)
		update(t, s, func(tx roster.Tx) { must(t, tx.PutMeta(roster.Meta{Revision: 2})) })
		after, _, err := v.Meta()
		must(t, err)
		equal(t, "snapshot", before, after)
	})
	var all sync.WaitGroup
	for n := range 16 {
		all.Go(func() {
			update(t, s, func(tx roster.Tx) { must(t, tx.PutUsers([]*roster.UserRow{sample(n + 1)})) })
			view(t, s, func(v roster.View) {
				if _, ok, err := v.User(sample(n + 1).GUID); !ok || err != nil {
					t.Error("what was committed cannot be read", err)
				}
			})
		})
	}
	all.Wait()
}

func canceled(t *testing.T, s roster.Store) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Update(ctx, func(roster.Tx) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Fatalf("update: %v", err)
	}
}

func durable(t *testing.T, open func(t *testing.T, place string) roster.Store) {
	place := t.TempDir()
	for n := range 3 {
		s := open(t, place)
		var have []string
		view(t, s, func(v roster.View) {
			must(t, v.UsersFrom("", func(u *roster.UserRow) bool { have = append(have, u.GUID); return true }))
		})
		var want []string
		for i := range n {
			want = append(want, sample(i+1).GUID)
		}
		if !slices.Equal(have, want) {
			t.Fatalf("opened %d times: want %v, got %v", n+1, want, have)
		}
		update(t, s, func(tx roster.Tx) { must(t, tx.PutUsers([]*roster.UserRow{sample(n + 1)})) })
		must(t, s.Close())
	}
}
