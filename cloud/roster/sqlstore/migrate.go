package sqlstore

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// migrated is the oldest schema that is brought forward.
const migrated = 2

// migrate brings a database of an earlier schema forward, after a copy of it was
// put beside it: an earlier version of the program goes on with the copy. What is
// new is added, nothing that stands there is rewritten, so it takes one small
// transaction however large the roster is.
func (s *Store) migrate(path string, version int) error {
	kept, err := s.keep(path, version)
	if err != nil {
		return fmt.Errorf("%s: copy it before it is brought from schema %d to %d: %w; "+
			"make room for a second file of its size in the same folder and start again, nothing was changed",
			path, version, schemaVersion, err)
	}
	err = s.writer.exec("BEGIN IMMEDIATE; " + schema3 + fmt.Sprintf("; PRAGMA user_version=%d; COMMIT", schemaVersion))
	if err != nil {
		_ = s.writer.exec("ROLLBACK") // a full disk may have ended it already
		return fmt.Errorf("bring it from schema %d to %d (it is as it was, and a copy is %s): %w", version, schemaVersion, kept, err)
	}
	return nil
}

// keep copies the database beside itself, under a name that is not taken.
func (s *Store) keep(path string, version int) (string, error) {
	// What the log holds goes to the file first; nobody else has it open.
	if _, err := s.writer.run("PRAGMA wal_checkpoint(TRUNCATE)"); err != nil {
		return "", err
	}
	to := fmt.Sprintf("%s.schema%d", path, version)
	for n := 2; exists(to); n++ {
		to = fmt.Sprintf("%s.schema%d.%d", path, version, n)
	}
	tmp := to + ".new"
	if err := copyFile(path, tmp); err != nil {
		_ = os.Remove(tmp)
		return "", err
	}
	if err := os.Rename(tmp, to); err != nil {
		return "", err
	}
	return to, syncDir(filepath.Dir(path))
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return !errors.Is(err, fs.ErrNotExist)
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	out, err := os.OpenFile(to, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return errors.Join(err, in.Close())
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Sync(), out.Close(), in.Close())
}
