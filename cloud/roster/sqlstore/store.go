package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"

	"doorsync/cloud/roster"
	"doorsync/protocol/wire"
)

// Options tune a Store; the zero Options are good.
type Options struct {
	Readers int   // reading connections, 4 if 0
	Reserve int64 // bytes kept aside for a full disk, 4 MiB if 0
}

// Store is a roster.Store over SQLite: one connection writes, some read.
type Store struct {
	codec   *wire.Codec
	reserve *reserve
	lock    *os.File // held while the store is open

	writing sync.Mutex // held through Update
	writer  *conn
	wrote   int      // users in the transaction under way
	last    int64    // handle given last, 0 if it has to be read
	delayed *delayed // by the transaction under way
	manual  bool     // commits do not move the log, mover does
	moving  atomic.Int32
	mover   sync.WaitGroup
	readers *readers
	count   int
}

var _ roster.Store = (*Store)(nil)

// Update is roster.Store's.
func (s *Store) Update(ctx context.Context, fn func(roster.Tx) error) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := s.reserve.ready(); err != nil {
		return err
	}
	err := s.transact(fn)
	if errors.Is(err, roster.ErrFull) {
		err = errors.Join(err, s.giveWay())
	}
	return err
}

func (s *Store) transact(fn func(roster.Tx) error) error {
	if err := s.small(); err != nil {
		return err
	}
	if _, err := s.writer.run("BEGIN IMMEDIATE"); err != nil {
		return err
	}
	err := fn(tx{view{s.writer, s.codec}, s})
	if err == nil {
		err = s.delayed.flush()
	}
	s.delayed.forget()
	if err == nil {
		_, err = s.writer.run("COMMIT")
	}
	if err != nil {
		// A full disk may have ended the transaction already.
		_, _ = s.writer.run("ROLLBACK")
		s.last = 0
	}
	if s.wrote > soon {
		s.moveLog()
	}
	s.wrote = 0
	return err
}

// writes counts the users of a transaction.
func (s *Store) writes(users int) error {
	if s.wrote += users; s.wrote > soon {
		return s.large()
	}
	return nil
}

// giveWay frees the reserve, so that what the log holds can be moved to the
// database and the log be cut.
func (s *Store) giveWay() error {
	if err := s.reserve.free(); err != nil {
		return err
	}
	_, _ = s.writer.run("PRAGMA wal_checkpoint(TRUNCATE)") // best effort: readers may be in the way
	return nil
}

// View is roster.Store's.
func (s *Store) View(ctx context.Context, fn func(roster.View) error) error {
	c, err := s.readers.take(ctx)
	if err != nil {
		return err
	}
	defer s.readers.put(c)
	if _, err := c.run("BEGIN"); err != nil {
		return err
	}
	err = fn(view{c, s.codec})
	_, end := c.run("COMMIT")
	return errors.Join(err, end)
}

// Close ends all work and closes the file.
func (s *Store) Close() error {
	s.writing.Lock()
	defer s.writing.Unlock()
	s.mover.Wait()
	var errs []error
	if s.readers != nil {
		errs = append(errs, s.readers.close(s.count))
	}
	if s.writer != nil {
		errs = append(errs, s.writer.close())
	}
	if err := errors.Join(append(errs, s.lock.Close())...); err != nil {
		return fmt.Errorf("close roster: %w", err)
	}
	return nil
}
