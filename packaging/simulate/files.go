package simulate

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
)

// mustRead and mustWrite are for files of the simulation's own machine, which
// does not fail: a failure ends the run.
func mustRead(path string) []byte {
	b, err := os.ReadFile(path)
	if err != nil {
		panic(fmt.Sprintf("simulate: %v", err))
	}
	return b
}

func mustWrite(path string, b []byte) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		panic(fmt.Sprintf("simulate: %v", err))
	}
	if err := os.WriteFile(path, b, 0o600); err != nil {
		panic(fmt.Sprintf("simulate: %v", err))
	}
}

// frame is about what SQLite adds to its log at a time.
const frame = 4096

// tornPages is a bbolt file whose last commit was cut off by a power failure:
// data pages are written in any order before the page that makes them count,
// which is missing or half written itself.
func tornPages(before, after []byte, d *dice) []byte {
	size := 4096
	if len(before) > 28 {
		size = int(binary.NativeEndian.Uint32(before[16+8:]))
	}
	whole := len(before) >= 2*size && len(after) >= len(before)
	if !whole || changed(before, after, 0, size) == changed(before, after, size, size) {
		return before // no commit, or more than one
	}
	out := append([]byte(nil), before...)
	torn := d.in(300) // all data, and the head torn
	if torn || d.in(700) {
		out = append(out, after[len(before):]...)
	}
	for at := 0; at+size <= len(out); at += size {
		switch {
		case at < 2*size && torn && changed(before, after, at, size):
			copy(out[at:], after[at:at+16+36])
			binary.NativeEndian.PutUint64(out[at+16+48:], 0) // the transaction's number
		case at < 2*size:
		case torn || d.in(500):
			copy(out[at:at+size], after[at:])
		}
	}
	return out
}

func changed(before, after []byte, at, size int) bool {
	return !bytes.Equal(before[at:at+size], after[at:at+size])
}

// tables is a SQLite database with its log.
type tables struct{ db, wal []byte }

func readTables(path string) tables {
	t := tables{db: mustRead(path)}
	if _, err := os.Stat(path + "-wal"); err == nil {
		t.wal = mustRead(path + "-wal")
	}
	return t
}

func (t tables) write(path string) {
	mustWrite(path, t.db)
	if len(t.wal) > 0 {
		mustWrite(path+"-wal", t.wal)
	}
}

// tornLog is a database whose last commit was cut off while it was written to
// the log.
func tornLog(before, after tables, d *dice) tables {
	first := 0
	for first < len(before.wal) && first < len(after.wal) && before.wal[first] == after.wal[first] {
		first++
	}
	last := len(after.wal)
	for last > first && last <= len(before.wal) && before.wal[last-1] == after.wal[last-1] {
		last--
	}
	if last-first < 2*frame || string(before.db) != string(after.db) {
		return before
	}
	cut := first + d.n(last-first-frame) // never the whole of its last frame
	wal := append([]byte(nil), after.wal[:cut]...)
	if len(before.wal) > cut {
		wal = append(wal, before.wal[cut:]...)
	}
	return tables{before.db, wal}
}
