package storetest

import (
	"bytes"
	"errors"
	"fmt"
	"testing"
	"time"

	"doorsync/cloud/roster"
	"doorsync/protocol"
)

// guid is written as those that the roster gives.
func guid(n int) string { return fmt.Sprintf("0198c0de-0000-7000-8000-%012x", n) }

func named(n int, digest uint64, guid string) roster.SourceUser {
	return roster.SourceUser{Identity: roster.Identity{0: byte(n >> 8), 1: byte(n), 15: 0xff}, Digest: digest, GUID: guid}
}

func sources(t *testing.T, s roster.Store) {
	hr := roster.SourceRow{
		Name: "hr", Kind: "csv", Keys: []roster.Key{roster.KeyEmail, "custom_cost_center"}, Gone: roster.GoneRemoveOnly,
		IDsFrom: 5000, Notify: true, Settings: []byte(`{"file":"people.csv"}`), Added: 1_700_000_000_000, Runs: 7,
	}
	office := roster.SourceRow{Name: "office", Keys: []roster.Key{roster.KeyUserID}}
	update(t, s, func(tx roster.Tx) {
		must(t, tx.PutSource(roster.SourceRow{Name: "visitors"}))
		must(t, tx.PutSource(office))
		must(t, tx.PutSource(roster.SourceRow{Name: "hr", Runs: 6}))
		must(t, tx.PutSource(hr))
		must(t, tx.DropSource("visitors"))
		must(t, tx.DropSource("nobody"))
	})
	view(t, s, func(v roster.View) {
		rows, err := v.SourceRows()
		must(t, err)
		equal(t, "by name, the last write", []roster.SourceRow{hr, office}, rows)
	})
}

func namedUsers(t *testing.T, s roster.Store) {
	update(t, s, func(tx roster.Tx) {
		must(t, tx.PutNamed("hr", nil))
		must(t, tx.PutNamed("hr", []roster.SourceUser{
			named(3, 1<<63, guid(1)), named(1, 1, guid(1)), named(2, 2, guid(2)), named(300, 4, ""), named(2, 5, guid(3)),
		}))
		must(t, tx.PutNamed("alumni", []roster.SourceUser{named(2, 9, guid(1)), named(9, 9, "not written as a GUID")}))
		must(t, tx.DropNamed("hr", nil))
	})
	list := func(v roster.View, from roster.Identity, limit int) (out []roster.SourceUser) {
		must(t, v.Named("hr", from, func(u roster.SourceUser) bool { out = append(out, u); return len(out) < limit }))
		return out
	}
	by := func(v roster.View, guid string) []roster.NamedUser {
		rows, err := v.NamedBy(guid)
		must(t, err)
		return rows
	}
	all := []roster.SourceUser{named(1, 1, guid(1)), named(2, 5, guid(3)), named(3, 1<<63, guid(1)), named(300, 4, "")}
	view(t, s, func(v roster.View) {
		equal(t, "in order, the last write", all, list(v, roster.Identity{}, 9))
		equal(t, "some", all[:2], list(v, roster.Identity{}, 2))
		equal(t, "after", all[2:], list(v, all[1].Identity, 9))
		one, ok, err := v.NamedOne("hr", all[2].Identity)
		must(t, err)
		if equal(t, "one", all[2], one); !ok {
			t.Fatal("one is not found")
		}
		if _, ok, err := v.NamedOne("alumni", all[2].Identity); ok || err != nil {
			t.Fatal("found with another source", err)
		}
		equal(t, "who names", []roster.NamedUser{
			{Source: "alumni", SourceUser: named(2, 9, guid(1))}, {Source: "hr", SourceUser: all[0]}, {Source: "hr", SourceUser: all[2]},
		}, by(v, guid(1)))
		equal(t, "who named once", 0, len(by(v, guid(2))))
		equal(t, "who names nobody", []roster.NamedUser{{Source: "hr", SourceUser: all[3]}}, by(v, ""))
		equal(t, "text", 1, len(by(v, "not written as a GUID")))
	})
	update(t, s, func(tx roster.Tx) {
		must(t, tx.DropNamed("hr", []roster.Identity{all[0].Identity, {}}))
		must(t, tx.PutNamed("hr", []roster.SourceUser{named(2, 6, guid(3)), named(3, 3, guid(2))}))
		equal(t, "as the transaction left it", []roster.SourceUser{named(2, 6, guid(3)), named(3, 3, guid(2)), all[3]}, list(tx, roster.Identity{}, 9))
		equal(t, "whom it moved", []roster.NamedUser{{Source: "hr", SourceUser: named(3, 3, guid(2))}}, by(tx, guid(2)))
		equal(t, "whom it left", 1, len(by(tx, guid(1))))
	})
}

func key(hash roster.KeyHash, n int) roster.KeyRow { return roster.KeyRow{Key: hash, GUID: guid(n)} }

func keys(t *testing.T, s roster.Store) {
	const high = 1 << 63
	all := []roster.KeyRow{key(1, 1), key(1, 2), key(5, 1), key(high-1, 1), key(high, 1), key(high|7, 1)}
	update(t, s, func(tx roster.Tx) {
		must(t, tx.PutKeys(nil))
		must(t, tx.PutKeys([]roster.KeyRow{all[5], all[1], all[0], all[3], key(6, 1), all[0]}))
		must(t, tx.PutKeys([]roster.KeyRow{all[4], all[2], all[4]}))
		must(t, tx.DropKeys([]roster.KeyRow{key(6, 1), key(5, 2)}))
	})
	list := func(v roster.View, from roster.KeyHash, limit int) (out []roster.KeyRow) {
		must(t, v.Keys(from, func(k roster.KeyRow) bool { out = append(out, k); return len(out) < limit }))
		return out
	}
	view(t, s, func(v roster.View) {
		equal(t, "in order, each once", all, list(v, 0, 99))
		equal(t, "some", all[:3], list(v, 0, 3))
		equal(t, "from one", all[3:], list(v, high-1, 99))
		for hash, want := range map[roster.KeyHash][]string{1: {guid(1), guid(2)}, high | 7: {guid(1)}, 2: nil} {
			got, err := v.KeyHolders(hash)
			must(t, err)
			equal(t, "holders", want, got)
		}
	})
	update(t, s, func(tx roster.Tx) {
		must(t, tx.DropKeys(all[:1]))
		must(t, tx.PutKeys(all[:1]))
		must(t, tx.DropKeys(all[1:2]))
		got, err := tx.KeyHolders(1)
		must(t, err)
		equal(t, "dropped and put again", []string{guid(1)}, got)
		must(t, tx.ClearKeys())
		must(t, tx.PutKeys(all[2:3]))
		equal(t, "made anew", all[2:3], list(tx, 0, 99))
	})
	view(t, s, func(v roster.View) { equal(t, "made anew", all[2:3], list(v, 0, 99)) })
}

func merges(t *testing.T, s roster.Store) {
	large := roster.MergeRow{GUID: guid(1), Row: bytes.Repeat([]byte{1, 0, 255}, 100_000)}
	update(t, s, func(tx roster.Tx) {
		must(t, tx.PutMerge(roster.MergeRow{GUID: guid(1), Row: []byte("before")}))
		must(t, tx.PutMerge(large))
		must(t, tx.PutMerge(roster.MergeRow{GUID: guid(2)}))
		must(t, tx.DropMerge(guid(2)))
		must(t, tx.PutGroup("staff"))
		must(t, tx.PutGroup("IT"))
		must(t, tx.PutGroup("staff"))
	})
	view(t, s, func(v roster.View) {
		got, ok, err := v.MergeOf(guid(1))
		must(t, err)
		if equal(t, "a merge", large, got); !ok {
			t.Fatal("a merge is not found")
		}
		if _, ok, err := v.MergeOf(guid(2)); ok || err != nil {
			t.Fatal("a dropped merge is found", err)
		}
		groups, err := v.Groups()
		must(t, err)
		equal(t, "groups", []string{"IT", "staff"}, groups)
	})
}

func runs(t *testing.T, s roster.Store) {
	at := time.UnixMilli(1_700_000_000_123).UTC()
	run := func(source string, n uint64, report string) roster.RunRow {
		return roster.RunRow{Source: protocol.Source(source), Number: n, At: at.Add(time.Duration(n) * time.Hour), Report: []byte(report)}
	}
	large := run("hr", 12, string(bytes.Repeat([]byte("effect"), 400_000)))
	update(t, s, func(tx roster.Tx) {
		for _, r := range []roster.RunRow{run("hr", 2, "two"), run("hr", 9, "before"), run("alumni", 5, ""), large, run("hr", 9, "nine")} {
			must(t, tx.PutRun(r))
		}
	})
	list := func(v roster.View, limit int) (out []roster.RunRow) {
		must(t, v.Runs("hr", func(r roster.RunRow) bool { out = append(out, r); return len(out) < limit }))
		return out
	}
	view(t, s, func(v roster.View) {
		equal(t, "newest first", []roster.RunRow{large, run("hr", 9, "nine"), run("hr", 2, "two")}, list(v, 99))
		equal(t, "the newest", []roster.RunRow{large}, list(v, 1))
		got, ok, err := v.Run("hr", 9)
		must(t, err)
		if equal(t, "one", run("hr", 9, "nine"), got); !ok {
			t.Fatal("a run is not found")
		}
		if _, ok, err := v.Run("hr", 5); ok || err != nil {
			t.Fatal("a run of another source is found", err)
		}
	})
}

// mails holds the outbox to giving every mail an ID that no other has or had:
// what was sent is told by it.
func mails(t *testing.T, s roster.Store) {
	rows := []roster.MailRow{{Mail: []byte("one")}, {Mail: bytes.Repeat([]byte("two "), 100_000)}, {Mail: []byte("three")}}
	update(t, s, func(tx roster.Tx) { must(t, tx.PutMails(nil)); must(t, tx.PutMails(rows)) })
	if rows[0].ID == 0 || rows[1].ID <= rows[0].ID || rows[2].ID <= rows[1].ID {
		t.Fatalf("IDs: %d, %d, %d", rows[0].ID, rows[1].ID, rows[2].ID)
	}
	list := func(v roster.View, after uint64, limit int) (out []roster.MailRow) {
		must(t, v.Mails(after, func(m roster.MailRow) bool { out = append(out, m); return len(out) < limit }))
		return out
	}
	view(t, s, func(v roster.View) {
		equal(t, "oldest first", rows, list(v, 0, 99))
		equal(t, "after", rows[1:2], list(v, rows[0].ID, 1))
	})
	rows[0].Mail = []byte("one, tried once")
	again := []roster.MailRow{{Mail: []byte("four")}}
	update(t, s, func(tx roster.Tx) {
		must(t, tx.PutMails(rows[:1]))
		must(t, tx.DropMail(rows[1].ID))
		must(t, tx.DropMail(rows[2].ID))
		must(t, tx.PutMails(again))
		equal(t, "left", []roster.MailRow{rows[0], again[0]}, list(tx, 0, 99))
	})
	if again[0].ID <= rows[2].ID {
		t.Fatalf("the ID %d was given twice", again[0].ID)
	}
}

// sourcesRollback holds what a transaction that failed said about sources to
// nothing, at once and in the transaction after it.
func sourcesRollback(t *testing.T, s roster.Store) {
	why := errors.New("no")
	card := protocol.Card(5).Key()
	many := make([]roster.SourceUser, 50)
	var keys []roster.KeyRow
	var held []roster.HolderRow
	for i := range many {
		many[i] = named(i, 1, guid(i))
		keys = append(keys, roster.KeyRow{Key: roster.KeyHash(i), GUID: guid(i)})
		held = append(held, roster.HolderRow{Key: protocol.Card(uint64(i)).Key(), GUID: guid(i)})
	}
	err := s.Update(t.Context(), func(tx roster.Tx) error {
		for _, err := range []error{
			tx.PutSource(roster.SourceRow{Name: "hr"}), tx.PutNamed("hr", many), tx.PutKeys(keys), tx.PutHolders(held),
			tx.PutMerge(roster.MergeRow{GUID: "g"}), tx.PutRun(roster.RunRow{Source: "hr", Number: 1}),
			tx.PutMails([]roster.MailRow{{}}), tx.PutGroup("staff"),
		} {
			must(t, err)
		}
		if _, ok, err := tx.Holder(card); !ok || err != nil {
			t.Fatal("the transaction does not see whom it gave a card", err)
		}
		return why
	})
	if !errors.Is(err, why) {
		t.Fatalf("error: %v", err)
	}
	nothing := func(v roster.View) {
		rows, err := v.SourceRows()
		must(t, err)
		groups, err := v.Groups()
		must(t, err)
		_, merge, err := v.MergeOf("g")
		must(t, err)
		_, holder, err := v.Holder(card)
		must(t, err)
		if len(rows)+len(groups) > 0 || merge || holder {
			t.Fatal("something was kept", rows, groups, merge, holder)
		}
		kept := func(what string) { t.Fatalf("%s was kept", what) }
		must(t, v.Named("hr", roster.Identity{}, func(roster.SourceUser) bool { kept("a row"); return false }))
		must(t, v.Keys(0, func(roster.KeyRow) bool { kept("a key"); return false }))
		must(t, v.Runs("hr", func(roster.RunRow) bool { kept("a run"); return false }))
		must(t, v.Mails(0, func(roster.MailRow) bool { kept("a mail"); return false }))
	}
	update(t, s, func(tx roster.Tx) { nothing(tx) })
	view(t, s, nothing)
}
