package frame

import (
	"bytes"
	"fmt"
	"strconv"
)

// Widths of a user record.
const (
	Width28 = 28
	Width72 = 72
)

// The bit of the privilege byte that locks a user out; the others are the
// administrator's rank and not ours to change.
const disabledBit = 1

// Layout is where a record of one width keeps what.
type Layout struct {
	Width        int
	PINLen       int // digits of a password
	NameLen      int // bytes of a name that fit, its end mark apart
	UserIDLen    int // bytes of a user ID; 0: a number
	nameAt       int
	nameField    int
	cardAt, idAt int
}

// LayoutOf returns the layout of a record width.
func LayoutOf(width int) (Layout, error) {
	switch width {
	case Width28:
		return Layout{Width: Width28, PINLen: 5, NameLen: 7, nameAt: 8, nameField: 8, cardAt: 16, idAt: 24}, nil
	case Width72:
		return Layout{Width: Width72, PINLen: 8, NameLen: 23, UserIDLen: 24, nameAt: 11, nameField: 24, cardAt: 35, idAt: 48}, nil
	default:
		return Layout{}, fmt.Errorf("user records of %d bytes: %w", width, ErrTable)
	}
}

// User is one user record. Raw is the record as the terminal gave it: what is
// not understood (rank, group, time zones, junk after the password) is written
// back as it was.
type User struct {
	UID      uint16
	Disabled bool
	PIN      string
	Name     []byte // in the terminal's code page
	Card     uint32
	UserID   string
	Raw      []byte
}

// Parse reads one record of the layout's width.
func (l Layout) Parse(b []byte) (User, error) {
	if len(b) != l.Width {
		return User{}, fmt.Errorf("user record of %d bytes: %w", len(b), ErrShort)
	}
	u := User{
		UID:      le.Uint16(b),
		Disabled: b[2]&disabledBit != 0,
		PIN:      string(cString(b[3 : 3+l.PINLen])),
		Name:     bytes.Clone(cString(b[l.nameAt : l.nameAt+l.nameField])),
		Card:     le.Uint32(b[l.cardAt:]),
		Raw:      bytes.Clone(b),
	}
	if l.UserIDLen == 0 {
		u.UserID = strconv.FormatUint(uint64(le.Uint32(b[l.idAt:])), 10)
	} else {
		u.UserID = string(cString(b[l.idAt : l.idAt+l.UserIDLen]))
	}
	return u, nil
}

// Append appends the record. The caller has cut name, PIN and user ID to what
// fits; what does not fit is refused, never cut here.
func (l Layout) Append(b []byte, u User) ([]byte, error) {
	if len(u.PIN) > l.PINLen || len(u.Name) > l.NameLen {
		return b, fmt.Errorf("encode user %s: name or PIN longer than the record has room for", u.UserID)
	}
	rec := make([]byte, l.Width)
	if len(u.Raw) == l.Width {
		copy(rec, u.Raw)
	} else {
		rec[l.group()] = 1 // the group every terminal has
	}
	le.PutUint16(rec, u.UID)
	rec[2] &^= disabledBit
	if u.Disabled {
		rec[2] |= disabledBit
	}
	putC(rec[3:3+l.PINLen], u.PIN)
	putC(rec[l.nameAt:l.nameAt+l.nameField], string(u.Name))
	le.PutUint32(rec[l.cardAt:], u.Card)
	if err := l.putUserID(rec, u.UserID); err != nil {
		return b, err
	}
	return append(b, rec...), nil
}

func (l Layout) group() int {
	if l.Width == Width28 {
		return 21
	}
	return 39
}

func (l Layout) putUserID(rec []byte, id string) error {
	if l.UserIDLen > 0 {
		if id == "" || len(id) > l.UserIDLen {
			return fmt.Errorf("encode user %q: the record has room for 1 to %d characters of user ID", id, l.UserIDLen)
		}
		putC(rec[l.idAt:l.idAt+l.UserIDLen], id)
		return nil
	}
	n, err := strconv.ParseUint(id, 10, 32)
	if err != nil || n == 0 {
		return fmt.Errorf("encode user %q: the record holds user IDs from 1 to 4294967295 only", id)
	}
	le.PutUint32(rec[l.idAt:], uint32(n))
	return nil
}

// putC writes a string and the zeros after it, unless the field holds that
// string already: then the junk after its end stays as it was.
func putC(field []byte, s string) {
	if string(cString(field)) == s {
		return
	}
	clear(field[copy(field, s):])
}

func cString(b []byte) []byte {
	if before, _, ok := bytes.Cut(b, []byte{0}); ok {
		return before
	}
	return b
}

// Body returns the records of a buffered read's result, which starts with
// their total length. Less than announced, or more, is ErrTable.
func Body(b []byte) ([]byte, error) {
	if len(b) < 4 {
		return nil, fmt.Errorf("table of %d bytes: %w", len(b), ErrShort)
	}
	if n := le.Uint32(b); uint64(n) != uint64(len(b)-4) {
		return nil, fmt.Errorf("table announces %d bytes and has %d: %w", n, len(b)-4, ErrTable)
	}
	return b[4:], nil
}

// AppendBody appends a table as a buffered read gives it.
func AppendBody(b, records []byte) []byte {
	return append(le.AppendUint32(b, uint32(len(records))), records...)
}

// ParseUsers reads a table of count users; the width follows from the count,
// for 504 bytes are 18 users as well as 7.
func ParseUsers(body []byte, count int) ([]User, Layout, error) {
	if count <= 0 || len(body)%count != 0 {
		return nil, Layout{}, fmt.Errorf("%d bytes for %d users: %w", len(body), count, ErrTable)
	}
	l, err := LayoutOf(len(body) / count)
	if err != nil {
		return nil, Layout{}, err
	}
	users := make([]User, 0, count)
	for ; len(body) > 0; body = body[l.Width:] {
		u, err := l.Parse(body[:l.Width])
		if err != nil {
			return nil, Layout{}, err
		}
		users = append(users, u)
	}
	return users, l, nil
}
