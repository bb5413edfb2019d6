package sqlstore

import (
	"fmt"
	"unsafe"

	sqlite3 "modernc.org/sqlite/lib"
)

// stmt is a prepared statement. Values are bound in order of its parameters, by
// int, text, blob and guid, and are copied: SQLite reads the copies until the
// statement is reset, and asks nobody for memory.
type stmt struct {
	n       *native
	handle  uintptr
	params  int32
	bound   int32 // parameters so far
	err     error // of binding
	busy    bool  // begun and not reset yet
	extra   bool  // finalized when it ends
	blocks  []memory
	used    int // of the last block
	columns int
}

// What is bound goes to a block of memory. A statement that needs more is given
// one that holds as much the next time, unless that is a lot.
const (
	blockSize = 16 << 10
	mostKept  = 1 << 20
)

func (n *native) prepare(query string) (*stmt, error) {
	m, err := n.copied(query)
	if err != nil {
		return nil, err
	}
	defer n.free(m)
	out, err := n.allocate(int(unsafe.Sizeof(uintptr(0))))
	if err != nil {
		return nil, err
	}
	defer n.free(out)
	code := sqlite3.Xsqlite3_prepare_v3(n.tls, n.db, m.at, int32(len(m.b)), sqlite3.SQLITE_PREPARE_PERSISTENT, out.at, 0)
	if code != sqlite3.SQLITE_OK {
		return nil, n.failure(code)
	}
	s := &stmt{n: n, handle: out.pointer()}
	s.params = sqlite3.Xsqlite3_bind_parameter_count(n.tls, s.handle)
	s.columns = int(sqlite3.Xsqlite3_column_count(n.tls, s.handle))
	return s, nil
}

func (s *stmt) finalize() {
	sqlite3.Xsqlite3_finalize(s.n.tls, s.handle) // returns what step has returned
	s.release(0)
}

// begin is before values are bound.
func (s *stmt) begin() {
	s.busy, s.bound, s.err, s.used = true, 0, nil, 0
	if len(s.blocks) > 1 {
		s.release(blockSize)
	}
}

// release gives memory back, all but one block of as much as was needed.
func (s *stmt) release(least int) {
	size := 0
	for _, m := range s.blocks {
		size += len(m.b)
		s.n.free(m)
	}
	s.blocks = s.blocks[:0]
	if least > 0 && size <= mostKept {
		_, _ = s.block(size) // what is lacking is told when it is needed
	}
}

// reset lets go of what the statement holds, so that others may write.
func (s *stmt) reset() {
	sqlite3.Xsqlite3_reset(s.n.tls, s.handle) // returns what step has returned
	s.busy = false
}

// step goes to the next row, if there is one.
func (s *stmt) step() (row bool, err error) {
	switch code := sqlite3.Xsqlite3_step(s.n.tls, s.handle); code {
	case sqlite3.SQLITE_ROW:
		return true, nil
	case sqlite3.SQLITE_DONE:
		return false, nil
	default:
		return false, s.n.failure(code)
	}
}

// complete tells whether every parameter was bound.
func (s *stmt) complete() error {
	if s.err == nil && s.bound != s.params {
		s.err = fmt.Errorf("%d values for %d parameters", s.bound, s.params)
	}
	return s.err
}

func (s *stmt) int(v int64) {
	s.bound++
	s.check(sqlite3.Xsqlite3_bind_int64(s.n.tls, s.handle, s.bound, v))
}

func (s *stmt) text(v string) {
	s.bound++
	at, to := s.room(len(v))
	copy(to, v)
	s.check(sqlite3.Xsqlite3_bind_text(s.n.tls, s.handle, s.bound, at, int32(len(v)), 0))
}

// blob binds an empty one for nil, never NULL.
func (s *stmt) blob(v []byte) {
	s.bound++
	at, to := s.room(len(v))
	copy(to, v)
	s.check(sqlite3.Xsqlite3_bind_blob(s.n.tls, s.handle, s.bound, at, int32(len(v)), 0))
}

// any binds a value whose type is not known before.
func (s *stmt) any(v any) {
	switch v := v.(type) {
	case int64:
		s.int(v)
	case string:
		s.text(v)
	case []byte:
		s.blob(v)
	default:
		s.bound++
		s.err = fmt.Errorf("parameter %d is of type %T", s.bound, v)
	}
}

func (s *stmt) check(code int32) {
	if code != sqlite3.SQLITE_OK && s.err == nil {
		s.err = s.n.failure(code)
	}
}

// room is where a value is copied to. It is never address 0, which is NULL.
func (s *stmt) room(size int) (at uintptr, to []byte) {
	if len(s.blocks) == 0 || s.used+size > len(s.blocks[len(s.blocks)-1].b) {
		if _, err := s.block(max(size, blockSize)); err != nil {
			if s.err == nil {
				s.err = err
			}
			return 0, nil
		}
	}
	m := s.blocks[len(s.blocks)-1]
	at, to = m.at+uintptr(s.used), m.b[s.used:s.used+size]
	s.used += size
	return at, to
}

func (s *stmt) block(size int) (memory, error) {
	m, err := s.n.allocate(size)
	if err == nil {
		s.blocks, s.used = append(s.blocks, m), 0
	}
	return m, err
}
