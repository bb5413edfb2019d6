package protocol

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Field names one value of a user, as the API, the configuration and the
// command line spell it.
type Field string

// The values every user may have. A name that starts with CustomPrefix is a
// value of the installation's own.
const (
	FieldUserID             Field = "user_id"
	FieldFirstName          Field = "first_name"
	FieldLastName           Field = "last_name"
	FieldName               Field = "name" // the whole name, where first and last are not told apart (readers)
	FieldEmail              Field = "email"
	FieldPhone              Field = "phone"
	FieldEmployeeNumber     Field = "employee_number"
	FieldDepartment         Field = "department"
	FieldTitle              Field = "title"
	FieldState              Field = "state"    // StateActive or StateInactive
	FieldValidity           Field = "validity" // First activates_at, Second expires_at (RFC 3339)
	FieldPIN                Field = "pin"      // First the digits, Second their format
	FieldPicture            Field = "picture"  // First the content hash, Second the media type
	FieldAntipassbackExempt Field = "antipassback_exempt"
	FieldExtendedGrant      Field = "extended_grant"
	CustomPrefix                  = "custom:"
)

// The two states of a user. NULL counts as active.
const (
	StateActive   = "active"
	StateInactive = "inactive"
)

// Fields are the built-in fields in the order in which people are shown them.
func Fields() []Field {
	return []Field{
		FieldUserID, FieldName, FieldFirstName, FieldLastName, FieldEmail, FieldPhone,
		FieldEmployeeNumber, FieldDepartment, FieldTitle, FieldState, FieldValidity,
		FieldPIN, FieldPicture, FieldAntipassbackExempt, FieldExtendedGrant,
	}
}

// Known reports whether the field is built in or a custom one.
func (f Field) Known() bool {
	return slices.Contains(Fields(), f) || (strings.HasPrefix(string(f), CustomPrefix) && len(f) > len(CustomPrefix))
}

// Secret reports whether the value must never be shown or logged.
func (f Field) Secret() bool { return f == FieldPIN }

// Value is one value of a user. What only makes sense together moves as one:
// Second is the expiry beside the activation, the format beside the PIN, the
// media type beside the picture; other fields leave it empty. The zero Value is
// NULL: it says nothing.
type Value struct {
	_      struct{} `cbor:",toarray"`
	First  string
	Second string
}

// Text is a value without a second part, trimmed.
func Text(s string) Value { return Value{First: strings.TrimSpace(s)} }

// IsNull reports whether the value says nothing: empty after trimming, both
// parts of a pair.
func (v Value) IsNull() bool { return v.First == "" && v.Second == "" }

// Trimmed returns the value with blanks around both parts removed.
func (v Value) Trimmed() Value {
	return Value{First: strings.TrimSpace(v.First), Second: strings.TrimSpace(v.Second)}
}

func (v Value) compare(o Value) int {
	if c := strings.Compare(v.First, o.First); c != 0 {
		return c
	}
	return strings.Compare(v.Second, o.Second)
}

// String hides the value: a value does not know whether it is a secret. Show
// with Field.Show.
func (v Value) String() string { return "(value)" }

// GoString hides the value from %#v as String does from %v.
func (v Value) GoString() string { return v.String() }

// Show prints a value of this field for people; secrets are masked.
func (f Field) Show(v Value) string {
	switch {
	case v.IsNull():
		return ""
	case f.Secret():
		return "****"
	case f == FieldValidity:
		return fmt.Sprintf("%s .. %s", orDefault(v.First, "always"), orDefault(v.Second, "never expires"))
	case v.Second != "":
		return v.First + " (" + v.Second + ")"
	default:
		return v.First
	}
}

func orDefault(s, def string) string {
	if s == "" {
		return def
	}
	return s
}

// Validity is the span in which a user may enter. A zero time is an open end:
// always been active, never expires.
type Validity struct {
	ActivatesAt time.Time
	ExpiresAt   time.Time
}

// Value returns the pair as it is merged.
func (v Validity) Value() Value {
	return Value{First: formatTime(v.ActivatesAt), Second: formatTime(v.ExpiresAt)}
}

// Includes reports whether the user may enter at t: from the activation on, up
// to and without the expiry.
func (v Validity) Includes(t time.Time) bool {
	return !t.Before(v.ActivatesAt) && (v.ExpiresAt.IsZero() || t.Before(v.ExpiresAt))
}

// Turns is when Includes changes next after t; zero if it never does.
func (v Validity) Turns(t time.Time) time.Time {
	if v.ActivatesAt.After(t) {
		return v.ActivatesAt
	}
	if v.ExpiresAt.After(t) {
		return v.ExpiresAt
	}
	return time.Time{}
}

// ParseValidity reads the pair back. Dates without a time are midnight UTC.
func ParseValidity(v Value) (Validity, error) {
	from, err := parseTime(v.First)
	if err != nil {
		return Validity{}, fmt.Errorf("activates_at: %w", err)
	}
	to, err := parseTime(v.Second)
	if err != nil {
		return Validity{}, fmt.Errorf("expires_at: %w", err)
	}
	return Validity{ActivatesAt: from, ExpiresAt: to}, nil
}

func formatTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

func parseTime(s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is no date; write 2026-11-22 or 2026-11-22T08:00:00Z", s)
}
