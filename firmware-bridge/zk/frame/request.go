package frame

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
)

// Table is what a buffered read asks for.
type Table struct {
	inner Cmd
	fct   uint32
}

// Users is the table of users.
func Users() Table { return Table{inner: CmdReadTemplate, fct: 5} }

// Templates is the table of fingerprint templates.
func Templates() Table { return Table{inner: CmdReadTable, fct: 2} }

// Attendance is the log of who passed.
func Attendance() Table { return Table{inner: CmdReadAttendance} }

// Oplog is the log of what was done at the terminal.
func Oplog() Table { return Table{inner: CmdReadOplog} }

// Request is the data of CmdOpenRead.
func (t Table) Request() []byte {
	b := append(make([]byte, 0, 11), 1)
	b = le.AppendUint16(b, uint16(t.inner))
	b = le.AppendUint32(b, t.fct)
	return le.AppendUint32(b, 0)
}

// ParseTable reads the data of CmdOpenRead.
func ParseTable(b []byte) (Table, error) {
	if len(b) < 11 {
		return Table{}, fmt.Errorf("buffered read of %d bytes: %w", len(b), ErrShort)
	}
	return Table{inner: Cmd(le.Uint16(b[1:])), fct: le.Uint32(b[3:])}, nil
}

// Prepared is the answer to CmdOpenRead for a table that is fetched in chunks.
func Prepared(size int) []byte {
	b := append(make([]byte, 0, 13), 0)
	b = le.AppendUint32(b, uint32(size))
	b = le.AppendUint32(b, uint32(size))
	return le.AppendUint32(b, 0)
}

// ParsePrepared reads the size of a table that is to be fetched in chunks.
func ParsePrepared(b []byte) (int, error) {
	if len(b) < 5 {
		return 0, fmt.Errorf("prepared read of %d bytes: %w", len(b), ErrShort)
	}
	n := le.Uint32(b[1:])
	if n > MaxTable {
		return 0, fmt.Errorf("table of %d bytes: %w", n, ErrLong)
	}
	return int(n), nil
}

// MaxTable is the longest table that is believed: far more than the largest
// terminals hold, far less than what would exhaust a small gateway.
const MaxTable = 256 << 20

// Chunk is the data of CmdReadChunk.
func Chunk(offset, length int) []byte {
	return le.AppendUint32(le.AppendUint32(nil, uint32(offset)), uint32(length))
}

// ParseChunk reads the data of CmdReadChunk.
func ParseChunk(b []byte) (offset, length uint32, err error) {
	if len(b) < 8 {
		return 0, 0, fmt.Errorf("chunk request of %d bytes: %w", len(b), ErrShort)
	}
	return le.Uint32(b), le.Uint32(b[4:]), nil
}

// ParseSize reads the size in the data of CmdPrepareData.
func ParseSize(b []byte) (int, error) {
	switch {
	case len(b) >= 4:
		n := le.Uint32(b)
		if n > MaxTable {
			return 0, fmt.Errorf("data of %d bytes: %w", n, ErrLong)
		}
		return int(n), nil
	case len(b) >= 2:
		return int(le.Uint16(b)), nil
	default:
		return 0, fmt.Errorf("prepare of %d bytes: %w", len(b), ErrShort)
	}
}

// ParseOption reads `key=value` with its ending zero.
func ParseOption(b []byte) (key, value string, ok bool) {
	return strings.Cut(string(cString(b)), "=")
}

// U16 is the data of requests that carry one short number.
func U16(v uint16) []byte { return le.AppendUint16(nil, v) }

// U32 is the data of requests that carry one long number.
func U32(v uint32) []byte { return le.AppendUint32(nil, v) }

// ZString is text with its ending zero.
func ZString(s string) []byte { return append([]byte(s), 0) }

// Text is a terminal's text without what follows its end.
func Text(b []byte) string { return strings.TrimSpace(string(cString(bytes.Clone(b)))) }

func decimal(v uint32) string { return strconv.FormatUint(uint64(v), 10) }
