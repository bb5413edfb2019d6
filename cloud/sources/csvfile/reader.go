package csvfile

import (
	"errors"
	"io"
)

// Reader reads one file. It is not for several goroutines at once.
type Reader struct {
	described Description
}

// Description is what a file was taken for.
type Description struct {
	Encoding  string `json:"encoding"`  // such as "utf-8 with byte order mark"
	Delimiter string `json:"delimiter"` // "comma", "semicolon", "tab" or "pipe"
	Header    bool   `json:"header"`
	// Detected lists what the Format left open: "encoding", "delimiter",
	// "header", "columns".
	Detected []string     `json:"detected,omitempty"`
	Columns  []ColumnUsed `json:"columns"`
	// Notes are what a person should know although it is no error, such as a
	// column of the usual order that is not there.
	Notes []string `json:"notes,omitempty"`
}

// ColumnUsed is a column of the file and what it was taken for.
type ColumnUsed struct {
	Position int    `json:"position"`         // counted from 1
	Header   string `json:"header,omitempty"` // as the file has it
	Field    string `json:"field,omitempty"`  // as in Format.Columns; empty if it is not read
}

// Open looks at a file, detects what the Format leaves open, and stops before the
// first person. It reads the whole of r, once or twice, from its beginning. What
// is wrong with the file as a whole is an *Error; anything else is the Format's
// fault or that of reading.
func Open(r io.ReadSeeker, f Format) (*Reader, error) {
	return nil, errors.New("open CSV: not yet")
}

// Describe returns what the file was taken for.
func (r *Reader) Describe() Description { return r.described }

// Covers lists the fields of which the file speaks, as in Format.Columns without
// options: first_name, activates_at, card, groups, sync_id … A field that is not
// among them the file says nothing about, in no row.
func (r *Reader) Covers() []string { return nil }

// Next reads the next person into row. A row that is wrong is an *Error, after
// which Next goes on with the row after it unless it is Fatal. It returns io.EOF
// at the end. A row that has several faults gives several errors, one a call.
func (r *Reader) Next(row *Row) error { return io.EOF }

// ParseColumns reads Format.Columns; see Column for the parts.
func ParseColumns(s string) ([]Column, error) { return nil, nil }

// Column says what one column of a file is.
type Column struct {
	Header   string // its name in the header; "" if it is named by position
	Position int    // counted from 1; 0 if it is named by header
	Field    string // first_name …, activates_at, expires_at, card, mobile, groups, sync_id, language, custom:NAME
}

// Validate reports all that is wrong with the Format, without a file.
func (f Format) Validate() error { return nil }
