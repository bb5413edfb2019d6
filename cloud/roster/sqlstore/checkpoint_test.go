package sqlstore

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"doorsync/cloud/roster"
)

func size(t *testing.T, path string) int64 {
	t.Helper()
	info, err := os.Stat(path)
	must(t, err)
	return info.Size()
}

// What a large transaction wrote goes from the log to the database beside what
// comes after, whether it was kept or not, and then commits move the log again.
func TestLargeTransaction(t *testing.T) {
	path := filepath.Join(t.TempDir(), "roster.db")
	s := openAt(t, path)
	defer func() { must(t, s.Close()) }()
	before := size(t, path)
	put := func(from, n int) func(roster.Tx) error {
		return func(tx roster.Tx) error {
			rows := make([]*roster.UserRow, n)
			for i := range rows {
				rows[i] = &roster.UserRow{GUID: fmt.Sprint(from + i), Record: make([]byte, 300)}
			}
			return tx.PutUsers(rows)
		}
	}
	small := put(1_000_000, 1)
	must(t, s.Update(t.Context(), put(0, soon+1)))
	if !s.manual {
		t.Error("its commit moved the log")
	}
	s.mover.Wait()
	if size(t, path) < before+soon*300 {
		t.Error("the log was not moved")
	}
	must(t, s.Update(t.Context(), small))
	if s.manual {
		t.Error("commits do not move the log again")
	}
	err := s.Update(t.Context(), func(tx roster.Tx) error {
		must(t, put(2_000_000, soon+1)(tx))
		return context.Canceled
	})
	if err == nil || s.last != 0 || s.wrote != 0 {
		t.Errorf("given up: %v", err)
	}
	s.mover.Wait()
	must(t, s.Update(t.Context(), put(3_000_000, 1)))
	if s.manual {
		t.Error("commits do not move the log after one was given up")
	}
}

// A change writes no more pages than it must: every page is one that the disk
// waits for.
func TestPagesOfAChange(t *testing.T) {
	path := filepath.Join(t.TempDir(), "roster.db")
	s := openAt(t, path)
	defer func() { must(t, s.Close()) }()
	people := make([]person, 2000)
	for i := range people {
		people[i] = madeUp(i)
	}
	must(t, s.Update(t.Context(), func(tx roster.Tx) error { return putPeople(tx, people) }))
	for _, test := range []struct {
		name string
		most int64
		do   func(tx roster.Tx, p *person) error
	}{
		{"a user of another revision", 3, func(tx roster.Tx, p *person) error {
			p.user.Revision = 5000 // the row, and the index of revisions where it goes and comes
			return tx.PutUsers([]*roster.UserRow{&p.user})
		}},
		{"the row of a source as it was", 0, func(tx roster.Tx, p *person) error {
			return tx.PutNamed("hr", []roster.SourceUser{p.named})
		}},
		{"the row of a source with another digest", 1, func(tx roster.Tx, p *person) error {
			p.named.Digest++
			return tx.PutNamed("hr", []roster.SourceUser{p.named})
		}},
		{"a key that is there", 0, func(tx roster.Tx, p *person) error { return tx.PutKeys([]roster.KeyRow{p.key}) }},
		{"a credential", 1, func(tx roster.Tx, p *person) error {
			return tx.PutHolders([]roster.HolderRow{{Key: p.cred.Key, GUID: "somebody"}})
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			must(t, s.writer.exec("PRAGMA wal_checkpoint(TRUNCATE)"))
			must(t, s.Update(t.Context(), func(tx roster.Tx) error { return test.do(tx, &people[1000]) }))
			pages := size(t, path+"-wal") / (pageSize + 24)
			if pages > test.most {
				t.Errorf("%d pages, want %d", pages, test.most)
			}
		})
	}
}
