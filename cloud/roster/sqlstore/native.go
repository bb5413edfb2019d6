package sqlstore

import (
	"fmt"
	"unsafe"

	"modernc.org/libc"
	_ "modernc.org/sqlite" // makes the library ready for the platform; some need that
	sqlite3 "modernc.org/sqlite/lib"
)

// native is one open database as SQLite's own functions know it. It has no lock:
// whoever owns the connection is the only one who calls it.
type native struct {
	tls *libc.TLS
	db  uintptr
}

// sqliteError is what SQLite says went wrong.
type sqliteError struct {
	code int32 // extended result code
	text string
}

func (e *sqliteError) Error() string { return fmt.Sprintf("%s (%d)", e.text, e.code) }

func openNative(path string) (_ *native, err error) {
	n := &native{tls: libc.NewTLS()}
	defer func() {
		if err != nil {
			_ = n.close() // adds nothing to why it did not open
		}
	}()
	m, err := n.copied(path)
	if err != nil {
		return nil, err
	}
	defer n.free(m)
	out, err := n.allocate(int(unsafe.Sizeof(uintptr(0))))
	if err != nil {
		return nil, err
	}
	defer n.free(out)
	const flags = sqlite3.SQLITE_OPEN_READWRITE | sqlite3.SQLITE_OPEN_CREATE | sqlite3.SQLITE_OPEN_NOMUTEX
	code := sqlite3.Xsqlite3_open_v2(n.tls, m.at, out.at, flags, 0)
	n.db = out.pointer()
	if code != sqlite3.SQLITE_OK {
		return nil, n.failure(code)
	}
	sqlite3.Xsqlite3_extended_result_codes(n.tls, n.db, 1)
	return n, nil
}

// close closes the database; its statements are finalized before.
func (n *native) close() error {
	var err error
	if n.db != 0 {
		if code := sqlite3.Xsqlite3_close_v2(n.tls, n.db); code != sqlite3.SQLITE_OK {
			err = n.failure(code)
		}
	}
	n.tls.Close()
	return err
}

// failure is the error of the call that has returned code.
func (n *native) failure(code int32) error {
	text := libc.GoString(sqlite3.Xsqlite3_errstr(n.tls, code))
	if n.db != 0 {
		if more := libc.GoString(sqlite3.Xsqlite3_errmsg(n.tls, n.db)); more != text {
			text += ": " + more
		}
	}
	return &sqliteError{code, text}
}

// exec runs statements that return nothing.
func (n *native) exec(query string) error {
	m, err := n.copied(query)
	if err != nil {
		return err
	}
	defer n.free(m)
	if code := sqlite3.Xsqlite3_exec(n.tls, n.db, m.at, 0, 0, 0); code != sqlite3.SQLITE_OK {
		return n.failure(code)
	}
	return nil
}

// changed is how many rows the last statement that changes rows has changed.
func (n *native) changed() int { return int(sqlite3.Xsqlite3_changes64(n.tls, n.db)) }

// lastID is the key of the row that was inserted last.
func (n *native) lastID() int64 { return sqlite3.Xsqlite3_last_insert_rowid(n.tls, n.db) }

// memory is some that SQLite can read: what Go allocates may not be handed to it.
type memory struct {
	at uintptr
	b  []byte // the same
}

func (n *native) allocate(size int) (memory, error) {
	at := sqlite3.Xsqlite3_malloc(n.tls, int32(size))
	if at == 0 {
		return memory{}, &sqliteError{sqlite3.SQLITE_NOMEM, "out of memory"}
	}
	return memory{at, unsafe.Slice(bytesAt(at), size)}, nil
}

// copied is a text with a zero at the end.
func (n *native) copied(text string) (memory, error) {
	m, err := n.allocate(len(text) + 1)
	if err == nil {
		m.b[copy(m.b, text)] = 0
	}
	return m, err
}

func (n *native) free(m memory) { sqlite3.Xsqlite3_free(n.tls, m.at) }

// pointer reads the address that SQLite has left there.
func (m memory) pointer() uintptr { return *(*uintptr)(unsafe.Pointer(unsafe.SliceData(m.b))) }

// bytesAt is where an address of SQLite's points to.
func bytesAt(at uintptr) *byte { return *(**byte)(unsafe.Pointer(&at)) }
