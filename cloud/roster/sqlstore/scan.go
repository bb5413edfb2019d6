package sqlstore

import (
	"fmt"
	"unsafe"

	sqlite3 "modernc.org/sqlite/lib"
)

// scan puts what a row holds where it belongs.
func (s *stmt) scan(dest []any) error {
	if len(dest) != s.columns {
		return fmt.Errorf("%d columns, wanted %d", s.columns, len(dest))
	}
	for i := range dest {
		kind := sqlite3.Xsqlite3_column_type(s.n.tls, s.handle, int32(i))
		if !s.scanOne(dest[i], int32(i), kind) {
			return fmt.Errorf("column %d is of type %d, wanted %T", i, kind, dest[i])
		}
	}
	return nil
}

// scanOne tells whether the value is of the kind that is wanted.
func (s *stmt) scanOne(dest any, i, kind int32) bool {
	switch d := dest.(type) {
	case *string:
		return s.scanText(d, i, kind)
	case *[]byte:
		*d = nil
		if kind == sqlite3.SQLITE_BLOB {
			*d = append([]byte(nil), s.column(i, kind)...)
		}
		return kind == sqlite3.SQLITE_BLOB || kind == sqlite3.SQLITE_NULL
	case *storedGUID:
		if kind == sqlite3.SQLITE_BLOB {
			return d.fromBytes(s.column(i, kind))
		}
		return s.scanText((*string)(d), i, kind)
	default:
		switch kind {
		case sqlite3.SQLITE_INTEGER:
			return scanNumber(dest, sqlite3.Xsqlite3_column_int64(s.n.tls, s.handle, i))
		default:
			return kind == sqlite3.SQLITE_NULL
		}
	}
}

func (s *stmt) scanText(to *string, i, kind int32) bool {
	switch kind {
	case sqlite3.SQLITE_TEXT:
		*to = string(s.column(i, kind))
		return true
	default:
		*to = ""
		return kind == sqlite3.SQLITE_NULL
	}
}

// column is SQLite's own memory of a text or a blob, until the next step.
func (s *stmt) column(i, kind int32) []byte {
	var at uintptr
	if kind == sqlite3.SQLITE_TEXT {
		at = sqlite3.Xsqlite3_column_text(s.n.tls, s.handle, i)
	} else {
		at = sqlite3.Xsqlite3_column_blob(s.n.tls, s.handle, i)
	}
	size := sqlite3.Xsqlite3_column_bytes(s.n.tls, s.handle, i)
	if at == 0 {
		return nil
	}
	return unsafe.Slice(bytesAt(at), int(size))
}

func scanNumber(dest any, n int64) bool {
	switch d := dest.(type) {
	case *int64:
		*d = n
	case *uint64:
		*d = uint64(n)
	case *uint32:
		*d = uint32(n)
	case *int:
		*d = int(n)
	default:
		return false
	}
	return true
}
