package csvfile

import (
	"fmt"
	"slices"
	"strings"
)

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
	// Field is as in Format.Columns, with options; empty if the column is not read.
	Field string `json:"field,omitempty"`
	// Near is set where the header is not quite a name that is known.
	Near bool `json:"near,omitempty"`
}

// String is one line for people.
func (d Description) String() string {
	said := func(what, value string) string {
		if slices.Contains(d.Detected, what) {
			return value + " (detected)"
		}
		return value
	}
	header := "no header"
	if d.Header {
		header = "with header"
	}
	var columns []string
	for _, c := range d.Columns {
		if c.Field == "" {
			continue
		}
		name := fmt.Sprintf("%d", c.Position)
		if c.Header != "" {
			name += fmt.Sprintf(" %q", c.Header)
		}
		columns = append(columns, name+" is "+c.Field)
	}
	return fmt.Sprintf("%s, delimiter %s, %s; column %s", said("encoding", d.Encoding), said("delimiter", d.Delimiter),
		said("header", header), said("columns", strings.Join(columns, ", ")))
}

// describe says what a file was taken for.
func describe(p parsed, e encoded, comma byte, b *binding) Description {
	d := Description{Encoding: e.String(), Delimiter: delimiterName(comma), Header: b.header != nil, Notes: b.notes}
	for _, open := range []struct {
		what string
		left bool
	}{
		{"encoding", p.encoding == ""},
		{"delimiter", p.delimiter == 0},
		{"header", p.header == ""},
		{"columns", len(p.columns) == 0},
	} {
		if open.left {
			d.Detected = append(d.Detected, open.what)
		}
	}
	d.Columns = make([]ColumnUsed, b.count)
	for i := range d.Columns {
		d.Columns[i].Position = i + 1
		if b.header != nil {
			d.Columns[i].Header = showName(b.header[i])
		}
	}
	for _, c := range b.columns {
		d.Columns[c.Position-1].Field = c.Spec()
		d.Columns[c.Position-1].Near = slices.Contains(b.near, c.Position)
	}
	return d
}
