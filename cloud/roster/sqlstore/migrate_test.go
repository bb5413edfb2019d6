package sqlstore

import (
	"bytes"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"doorsync/cloud/roster"
)

// beginSchema2 makes a database as the program of schema 2 did, with a user whose
// head ends where Known begins now.
func beginSchema2(t *testing.T, path string) {
	t.Helper()
	head := packHead(nil, &roster.UserRow{IDs: []string{"5"}, Groups: []string{"it"}})
	db, err := sql.Open("sqlite", path)
	must(t, err)
	for _, q := range []string{
		fmt.Sprintf("PRAGMA application_id=%d", applicationID), "PRAGMA journal_mode=WAL", schema2, "PRAGMA user_version=2",
	} {
		_, err := db.ExecContext(t.Context(), q)
		must(t, err)
	}
	_, err = db.ExecContext(t.Context(), "INSERT INTO users (guid, sort, revision, search, head, record, contributions) VALUES (?,?,?,?,?,?,?)",
		"g", "5", 7, "anna", head[:len(head)-1], []byte("record"), []byte("said"))
	must(t, err)
	must(t, db.Close())
}

// A database of schema 2 is brought forward, with all that stood in it, after a
// copy of it was put beside it.
func TestMigrate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "roster.db")
	beginSchema2(t, path)
	before, err := os.ReadFile(path)
	must(t, err)
	for range 2 { // the second time there is nothing to do
		s := openAt(t, path)
		must(t, s.Update(t.Context(), func(tx roster.Tx) error {
			u, ok, err := tx.User("g")
			if !ok || len(u.Known) != 0 || u.IDs[0] != "5" || u.Groups[0] != "it" || string(u.Contributions) != "said" {
				t.Errorf("the user: %v %+v", ok, u)
			}
			u.Known = append(u.Known, "hr")
			return errors.Join(err, tx.PutSource(roster.SourceRow{Name: "hr"}),
				tx.PutNamed("hr", []roster.SourceUser{{GUID: "g"}}), tx.PutMails([]roster.MailRow{{}}))
		}))
		must(t, s.Close())
	}
	kept, err := os.ReadFile(path + ".schema2")
	must(t, err)
	if !bytes.Equal(before, kept) {
		t.Error("the copy is not what the file was")
	}
	if info, err := os.Stat(path + ".schema2"); err != nil || os.PathSeparator == '/' && info.Mode().Perm() != 0o600 {
		t.Error("the copy is not the owner's alone", err)
	}
	if list, _ := filepath.Glob(path + ".schema*"); len(list) != 1 {
		t.Errorf("copies: %v", list)
	}
}

// A copy of an earlier time is not replaced: somebody may have gone back to it.
func TestMigrateAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "roster.db")
	must(t, os.WriteFile(path+".schema2", []byte("kept"), 0o600))
	beginSchema2(t, path)
	must(t, openAt(t, path).Close())
	kept, err := os.ReadFile(path + ".schema2")
	must(t, err)
	if string(kept) != "kept" || !exists(path+".schema2.2") {
		t.Errorf("the copy of before: %q", kept)
	}
}

// Where no copy can be made nothing is changed, and the next start tries again.
func TestMigrateWithoutRoom(t *testing.T) {
	path := filepath.Join(t.TempDir(), "roster.db")
	beginSchema2(t, path)
	before, err := os.ReadFile(path)
	must(t, err)
	must(t, os.MkdirAll(path+".schema2.new/in the way", 0o700))
	if s, err := Open(t.Context(), path, Options{Reserve: 1 << 16}); err == nil {
		t.Fatal("opened", s.Close())
	}
	after, err := os.ReadFile(path)
	must(t, err)
	if !bytes.Equal(before, after) {
		t.Error("the file was changed")
	}
	must(t, os.RemoveAll(path+".schema2.new"))
	must(t, openAt(t, path).Close())
}
