package sqlstore

import (
	"errors"
	"fmt"
)

// checkpointed is how many pages of log there are when they are moved to the
// database, by whoever commits then.
const checkpointed = 8000

// large is called by a transaction that writes much. What it leaves in the log
// takes seconds to move, so it is moved beside the edits that come after it.
func (s *Store) large() error {
	if s.manual {
		return nil
	}
	s.manual = true
	return s.writer.exec("PRAGMA wal_autocheckpoint=0")
}

// small goes back to where commits move the log, once a large transaction's was.
func (s *Store) small() error {
	if !s.manual || s.moving.Load() > 0 {
		return nil
	}
	s.manual = false
	return s.writer.exec(fmt.Sprintf("PRAGMA wal_autocheckpoint=%d", checkpointed))
}

// moveLog moves the log to the database on a connection of its own; Close waits
// for it. If it fails, commits move the log again, and report what is wrong.
func (s *Store) moveLog() {
	s.moving.Add(1)
	s.mover.Go(func() {
		defer s.moving.Add(-1)
		c, err := newConn(s.writer.path, "busy_timeout=10000", "synchronous=FULL", "cache_size=-1024")
		if err == nil {
			_ = errors.Join(c.exec("PRAGMA wal_checkpoint(PASSIVE)"), c.close())
		}
	})
}
