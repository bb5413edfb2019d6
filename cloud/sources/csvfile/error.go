package csvfile

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// maxShown is how much of a value an error shows, in characters.
const maxShown = 60

// Error is one thing that is wrong in a file, in words for the person who made
// the file.
type Error struct {
	Line   int    `json:"line,omitempty"`   // physical line, counted from 1; 0 is the whole file
	Column int    `json:"column,omitempty"` // counted from 1; 0 is the whole row
	Name   string `json:"name,omitempty"`   // of the column: its header, or what it was taken for
	Value  string `json:"value,omitempty"`  // clipped; never that of a secret column
	Wrong  string `json:"wrong"`            // what is wrong
	Wanted string `json:"wanted,omitempty"` // what is wanted instead
	// Fatal: nothing after it could be read. Whoever skips bad rows must not take
	// the people of the rest for people who are gone.
	Fatal bool `json:"fatal,omitempty"`
}

// Error is one line: where, what is there, what is wrong, what is wanted.
func (e *Error) Error() string {
	var b strings.Builder
	if e.Line > 0 {
		fmt.Fprintf(&b, "line %d", e.Line)
	}
	if e.Column > 0 {
		if b.Len() > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "column %d", e.Column)
	}
	if e.Name != "" {
		fmt.Fprintf(&b, " (%s)", e.Name)
	}
	if b.Len() > 0 {
		b.WriteString(": ")
	}
	if e.Value != "" {
		fmt.Fprintf(&b, "%q: ", e.Value)
	}
	b.WriteString(e.Wrong)
	if e.Wanted != "" {
		b.WriteString("; wanted: " + e.Wanted)
	}
	return b.String()
}

// clip shortens what a file holds to what people can read.
func clip(s string) string {
	if utf8.RuneCountInString(s) <= maxShown {
		return strings.ToValidUTF8(s, "�")
	}
	n := 0
	for i := range s {
		if n++; n > maxShown {
			return strings.ToValidUTF8(s[:i], "�") + "…"
		}
	}
	return s
}
