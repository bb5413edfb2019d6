package driver

import (
	"maps"
	"slices"
	"strings"

	"doorsync/protocol"
)

// Equal reports whether two rows hold the same: content decides, not the order
// of credentials nor who wrote them.
func (r Row) Equal(o Row) bool {
	return r.Key == o.Key && r.User.ID == o.User.ID &&
		maps.Equal(nonNull(r.User.Values), nonNull(o.User.Values)) &&
		maps.Equal(r.Doors, o.Doors) &&
		slices.Equal(r.keys(), o.keys())
}

// keys are the identities of the row's credentials, sorted.
func (r Row) keys() []string {
	out := make([]string, len(r.User.Credentials))
	for i, c := range r.User.Credentials {
		out[i] = string(c.Key())
		if c.Duress {
			out[i] += "|duress"
		}
	}
	slices.Sort(out)
	return out
}

func nonNull(m map[protocol.Field]protocol.Value) map[protocol.Field]protocol.Value {
	out := make(map[protocol.Field]protocol.Value, len(m))
	for f, v := range m {
		if !v.IsNull() {
			out[f] = v
		}
	}
	return out
}

// Lean returns the row with templates replaced by nothing but their identity,
// for remembering what a reader held without keeping templates twice.
func (r Row) Lean() Held {
	return Held{Key: r.Key, UserID: r.User.ID, Values: nonNull(r.User.Values), Credentials: r.keys(), Doors: r.Doors}
}

// Held is what is remembered of a row: enough to tell which part of it somebody
// has changed since.
type Held struct {
	Key         string                            `cbor:"key"`
	UserID      string                            `cbor:"user_id,omitempty"`
	Values      map[protocol.Field]protocol.Value `cbor:"values,omitempty"`
	Credentials []string                          `cbor:"credentials,omitempty"`
	Doors       map[int]uint8                     `cbor:"doors,omitempty"`
}

// Same reports whether a row still holds what is remembered of it.
func (h Held) Same(r Row) bool {
	l := r.Lean()
	return h.Key == l.Key && h.UserID == l.UserID && maps.Equal(h.Values, l.Values) &&
		slices.Equal(h.Credentials, l.Credentials) && maps.Equal(h.Doors, l.Doors)
}

// HasCredential reports whether the remembered row held the credential.
func (h Held) HasCredential(k protocol.CredentialKey) bool {
	return slices.ContainsFunc(h.Credentials, func(s string) bool {
		return strings.TrimSuffix(s, "|duress") == string(k)
	})
}
