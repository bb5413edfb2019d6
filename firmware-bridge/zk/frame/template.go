package frame

import (
	"bytes"
	"fmt"
)

// Flags of a template.
const (
	FlagInvalid = 0
	FlagValid   = 1
	FlagDuress  = 3
)

// templateHead is the part of a table entry before the template.
const templateHead = 6

// MaxTemplate is the longest template that an entry can hold.
const MaxTemplate = 0xFFFF - templateHead

// Template is one finger of one user.
type Template struct {
	UID    uint16
	Finger uint8
	Flag   uint8
	Data   []byte
}

// ParseTemplates reads the template table.
func ParseTemplates(body []byte) ([]Template, error) {
	var out []Template
	for len(body) > 0 {
		if len(body) < templateHead {
			return nil, fmt.Errorf("template entry of %d bytes: %w", len(body), ErrShort)
		}
		n := int(le.Uint16(body))
		if n < templateHead || n > len(body) {
			return nil, fmt.Errorf("template entry of %d bytes where %d are left: %w", n, len(body), ErrTable)
		}
		t := Template{UID: le.Uint16(body[2:]), Finger: body[4], Flag: body[5], Data: bytes.Clone(body[templateHead:n])}
		out = append(out, t)
		body = body[n:]
	}
	return out, nil
}

// Append appends the entry of the table.
func (t Template) Append(b []byte) []byte {
	b = le.AppendUint16(b, uint16(templateHead+len(t.Data)))
	b = le.AppendUint16(b, t.UID)
	b = append(b, t.Finger, t.Flag)
	return append(b, t.Data...)
}

// Trim removes what terminals send after a template that was asked for alone: a
// flag byte, at times zeros. Templates of algorithm 10 carry their own length.
func Trim(b []byte) []byte {
	if n := ownLength(b); n > 0 && n <= len(b) {
		return b[:n]
	}
	if len(b) == 0 {
		return b
	}
	b = b[:len(b)-1]
	if pad := make([]byte, 6); bytes.HasSuffix(b, pad) {
		b = b[:len(b)-len(pad)]
	}
	return b
}

// ownLength is the length that a template of algorithm 10 states, 0 for others.
func ownLength(b []byte) int {
	if len(b) < 10 || string(b[2:6]) != "SS21" {
		return 0
	}
	return int(b[8])<<8 | int(b[9])
}

// Slot names one finger, for reading and deleting it.
func Slot(uid uint16, finger uint8) []byte {
	return append(le.AppendUint16(nil, uid), finger)
}

// WriteTemplate is the data of CmdWriteTemplate.
func WriteTemplate(t Template) []byte {
	b := append(le.AppendUint16(nil, t.UID), t.Finger, t.Flag)
	return le.AppendUint16(b, uint16(len(t.Data)))
}
