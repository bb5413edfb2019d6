package sqlstore

import (
	"bytes"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"doorsync/cloud/roster"
	"doorsync/cloud/roster/storetest"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func openAt(t *testing.T, path string) *Store {
	t.Helper()
	s, err := Open(t.Context(), path, Options{Reserve: 1 << 16})
	must(t, err)
	return s
}

func TestStore(t *testing.T) {
	storetest.Run(t, func(t *testing.T, place string) roster.Store {
		t.Helper()
		return openAt(t, filepath.Join(place, "deep", "roster.db"))
	})
}

// A store in which nearly every row waits is as good.
func TestStoreLater(t *testing.T) {
	storetest.Run(t, func(t *testing.T, place string) roster.Store {
		t.Helper()
		s := openAt(t, filepath.Join(place, "roster.db"))
		s.delayed.limit(1, 5)
		return s
	})
}

func fillUsers(t *testing.T, s *Store, n int) {
	t.Helper()
	must(t, s.Update(t.Context(), func(tx roster.Tx) error {
		for i := range n {
			row := &roster.UserRow{GUID: string(rune('a'+i%26)) + strings.Repeat("x", i/26), Record: make([]byte, 3000), Revision: uint64(i)}
			if err := tx.PutUsers([]*roster.UserRow{row}); err != nil {
				return err
			}
		}
		return nil
	}))
}

func TestOpenRefuses(t *testing.T) {
	fresh := func(t *testing.T) string {
		path := filepath.Join(t.TempDir(), "roster.db")
		s := openAt(t, path)
		fillUsers(t, s, 100)
		must(t, s.Close())
		return path
	}
	spoil := func(fn func([]byte) []byte) func(*testing.T, string) {
		return func(t *testing.T, path string) {
			b, err := os.ReadFile(path)
			must(t, err)
			must(t, os.WriteFile(path, fn(b), 0o600))
		}
	}
	unclean := func(t *testing.T, path string) { must(t, os.WriteFile(path+"-wal", []byte("not a log"), 0o600)) }
	pragma := func(q string) func(*testing.T, string) {
		return func(t *testing.T, path string) {
			db, err := sql.Open("sqlite", path)
			must(t, err)
			_, err = db.ExecContext(t.Context(), q)
			must(t, errors.Join(err, db.Close()))
		}
	}
	for _, test := range []struct {
		name  string
		spoil func(*testing.T, string)
		want  error
	}{
		{"an empty file", spoil(func([]byte) []byte { return nil }), roster.ErrDamaged},
		{"something else", spoil(func(b []byte) []byte { return bytes.Repeat([]byte("text "), 9999) }), roster.ErrDamaged},
		{"a file cut short", spoil(func(b []byte) []byte { return b[:len(b)/2] }), roster.ErrDamaged},
		{"garbage inside after a crash", func(t *testing.T, path string) {
			spoil(func(b []byte) []byte { copy(b[len(b)/2:], bytes.Repeat([]byte{0xa5}, 9000)); return b })(t, path)
			unclean(t, path)
		}, roster.ErrDamaged},
		{"somebody else's database", pragma("PRAGMA application_id=1"), roster.ErrDamaged},
		{"an earlier version", pragma("PRAGMA user_version=1"), roster.ErrOlder},
		{"a later version", pragma("PRAGMA user_version=99"), roster.ErrNewer},
	} {
		t.Run(test.name, func(t *testing.T) {
			path := fresh(t)
			test.spoil(t, path)
			before, err := os.ReadFile(path)
			must(t, err)
			s, err := Open(t.Context(), path, Options{Reserve: 1 << 16})
			if err == nil {
				must(t, s.Close())
			}
			if !errors.Is(err, test.want) || !strings.Contains(err.Error(), path) {
				t.Fatalf("want %v, got %v", test.want, err)
			}
			after, err := os.ReadFile(path)
			must(t, err)
			if !bytes.Equal(before, after) {
				t.Fatal("the file was changed")
			}
		})
	}
}

func TestFullDisk(t *testing.T) {
	path := filepath.Join(t.TempDir(), "roster.db")
	s := openAt(t, path)
	defer func() { must(t, s.Close()) }()
	fillUsers(t, s, 10)
	put := func(guid string) error {
		return s.Update(t.Context(), func(tx roster.Tx) error {
			return tx.PutUsers([]*roster.UserRow{{GUID: guid, Record: make([]byte, 1<<20)}})
		})
	}
	must(t, s.writer.exec("PRAGMA max_page_count=40"))
	if err := put("large"); !errors.Is(err, roster.ErrFull) || !strings.Contains(err.Error(), path) {
		t.Fatalf("full: %v", err)
	}
	if _, err := os.Stat(s.reserve.path); !errors.Is(err, os.ErrNotExist) {
		t.Fatalf("the reserve was not freed: %v", err)
	}
	// While the reserve cannot be made again the disk counts as full.
	must(t, os.Mkdir(s.reserve.path, 0o700))
	must(t, os.WriteFile(filepath.Join(s.reserve.path, "in the way"), nil, 0o600))
	must(t, s.writer.exec("PRAGMA max_page_count=100000"))
	if err := put("large"); !errors.Is(err, roster.ErrFull) {
		t.Fatalf("no reserve: %v", err)
	}
	must(t, s.View(t.Context(), func(v roster.View) error {
		_, ok, err := v.User("a")
		if !ok {
			t.Error("reading stopped")
		}
		return err
	}))
	must(t, os.RemoveAll(s.reserve.path))
	must(t, put("large"))
}

func TestFilesAreTheOwners(t *testing.T) {
	path := filepath.Join(t.TempDir(), "roster.db")
	s := openAt(t, path)
	defer func() { must(t, s.Close()) }()
	for _, name := range []string{path, path + "-wal", path + ".reserve"} {
		info, err := os.Stat(name)
		must(t, err)
		if os.PathSeparator == '/' && info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v", filepath.Base(name), info.Mode())
		}
	}
}

func TestOneProgram(t *testing.T) {
	path := filepath.Join(t.TempDir(), "roster.db")
	s := openAt(t, path)
	if _, err := Open(t.Context(), path, Options{}); !errors.Is(err, roster.ErrLocked) {
		t.Fatalf("opened twice: %v", err)
	}
	must(t, s.Close())
	must(t, openAt(t, path).Close())
}
