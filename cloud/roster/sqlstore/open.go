package sqlstore

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"doorsync/cloud/roster"
	"doorsync/protocol/wire"
)

// Open opens the database file, or begins one where there is none.
//
// A file that is not a database, or does not hold together, is reported as
// roster.ErrDamaged and left alone. The whole file is checked when the program
// was not stopped in order the last time.
func Open(ctx context.Context, path string, o Options) (*Store, error) {
	s, err := open(ctx, path, o)
	if err != nil {
		return nil, fmt.Errorf("open roster: %w", err)
	}
	return s, nil
}

func open(ctx context.Context, path string, o Options) (*Store, error) {
	codec, err := wire.NewCodec()
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	s := &Store{codec: codec, reserve: newReserve(path, o.Reserve)}
	if s.lock, err = takeLock(path); err != nil {
		return nil, err
	}
	if err := s.begin(ctx, path, o); err != nil {
		_ = s.Close() // adds nothing to why it did not open
		return nil, err
	}
	return s, nil
}

func (s *Store) begin(ctx context.Context, path string, o Options) error {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		err = create(path)
	case err == nil && info.Size() == 0:
		err = damaged(path, "the file is empty")
	}
	if err != nil {
		return err
	}
	// A log beside the database is a stop that was not in order.
	log, err := os.Stat(path + "-wal")
	unclean := err == nil && log.Size() > 0
	if err := s.connect(path, cmp.Or(o.Readers, 4)); err != nil {
		return err
	}
	if err := s.check(path, unclean); err != nil {
		return err
	}
	return errors.Join(ctx.Err(), s.reserve.ready())
}

// takeLock keeps a second program from the database: what the roster has in
// memory holds only while nobody else writes.
func takeLock(path string) (*os.File, error) {
	f, err := os.OpenFile(path+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := lockFile(f); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w; stop that one first: %w", path, roster.ErrLocked, err), f.Close())
	}
	return f, nil
}

func (s *Store) connect(path string, readers int) (err error) {
	s.readers = newReaders(readers)
	// FULL makes COMMIT wait for the disk; a larger log is moved less often,
	// and a page that changed many times is then moved once.
	s.writer, err = newConn(path, "busy_timeout=10000", "journal_mode=WAL", "synchronous=FULL",
		fmt.Sprintf("wal_autocheckpoint=%d", checkpointed), "cache_size=-32768", "temp_store=MEMORY", "journal_size_limit=67108864")
	if err != nil {
		return err
	}
	s.delayed = newDelayed(s.writer)
	for range readers {
		c, err := newConn(path, "busy_timeout=10000", "query_only=1", "cache_size=-2048", "mmap_size=134217728")
		if err != nil {
			return err
		}
		s.readers.put(c)
		s.count++
	}
	return nil
}

// create writes a new database under another name first: a crash in between
// leaves no file that looks damaged.
func create(path string) error {
	tmp := path + ".new"
	for _, end := range []string{"", "-journal", "-wal", "-shm"} {
		if err := os.Remove(tmp + end); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	// SQLite gives a file the rights of the one it finds.
	f, err := os.OpenFile(tmp, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	if err := errors.Join(f.Close(), fill(tmp)); err != nil {
		return err
	}
	if err := os.Rename(tmp, path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

func fill(path string) error {
	c, err := newConn(path, fmt.Sprintf("page_size=%d", pageSize), "synchronous=FULL",
		fmt.Sprintf("application_id=%d", applicationID))
	if err != nil {
		return err
	}
	err = c.exec("BEGIN; " + schema + fmt.Sprintf("; PRAGMA user_version=%d; COMMIT", schemaVersion))
	return errors.Join(err, c.close())
}

// check tells our database from a foreign, later or damaged one, and brings an
// earlier one forward.
func (s *Store) check(path string, whole bool) error {
	var app, version int
	if _, err := s.writer.row([]any{&app}, "PRAGMA application_id"); err != nil {
		return err
	}
	if _, err := s.writer.row([]any{&version}, "PRAGMA user_version"); err != nil {
		return err
	}
	switch {
	case app != applicationID:
		return damaged(path, "this is not the database of a roster")
	case version > schemaVersion:
		return fmt.Errorf("%s: %w (%d; this program knows %d): update the program",
			path, roster.ErrNewer, version, schemaVersion)
	case version < migrated:
		return fmt.Errorf("%s: %w (%d; this program knows %d): go on with the program that wrote it, or move the file away to begin a new roster",
			path, roster.ErrOlder, version, schemaVersion)
	}
	if whole {
		if err := s.checkWhole(path); err != nil {
			return err
		}
	}
	if version < schemaVersion {
		return s.migrate(path, version)
	}
	return nil
}

func (s *Store) checkWhole(path string) error {
	var line string
	var faults []string
	err := s.writer.each([]any{&line}, func() bool { faults = append(faults, line); return true }, "PRAGMA quick_check(5)")
	if err != nil {
		return err
	}
	if len(faults) != 1 || faults[0] != "ok" {
		return damaged(path, strings.Join(faults, "; "))
	}
	return nil
}
