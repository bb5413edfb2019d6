package protocol

import (
	"maps"
	"slices"
	"strings"
)

// User is one person who may enter (ONVIF: credential holder, also
// cardholder), flat: what the merge came to, or what a reader shows, without
// saying who said it. ID is the user ID that readers know.
type User struct {
	ID          string          `cbor:"id" json:"id"`
	Values      map[Field]Value `cbor:"values,omitempty" json:"values,omitempty"`
	Credentials []Credential    `cbor:"credentials,omitempty" json:"credentials,omitempty"` // newest first
	Groups      []string        `cbor:"groups,omitempty" json:"groups,omitempty"`           // access groups, sorted
}

// Value returns a value, NULL if the user has none.
func (u User) Value(f Field) Value { return u.Values[f] }

// FullName is the name to show and to write to readers: the whole name, or
// first and last joined.
func (u User) FullName() string {
	if n := u.Values[FieldName].First; n != "" {
		return n
	}
	return JoinName(u.Values[FieldFirstName].First, u.Values[FieldLastName].First)
}

// JoinName is TRIM(first) + space + TRIM(last), trimmed.
func JoinName(first, last string) string {
	return strings.TrimSpace(strings.TrimSpace(first) + " " + strings.TrimSpace(last))
}

// Active reports whether the user's state lets them in; NULL does.
func (u User) Active() bool { return u.Values[FieldState].First != StateInactive }

// OfKind returns the user's credentials of one kind, newest first.
func (u User) OfKind(k Kind) []Credential {
	var out []Credential
	for _, c := range u.Credentials {
		if c.Kind == k {
			out = append(out, c)
		}
	}
	return out
}

// Has reports whether the user has the credential.
func (u User) Has(k CredentialKey) bool {
	return slices.ContainsFunc(u.Credentials, func(c Credential) bool { return c.Key() == k })
}

// Clone returns a copy that shares no map or slice with the user; template
// bytes are shared, nobody writes to them.
func (u User) Clone() User {
	u.Values = maps.Clone(u.Values)
	u.Credentials = slices.Clone(u.Credentials)
	u.Groups = slices.Clone(u.Groups)
	return u
}
