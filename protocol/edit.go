package protocol

import (
	"maps"
	"slices"
	"strings"
)

// Edit is what somebody changed about one user at a reader.
type Edit struct {
	UserID string `cbor:"user"`
	// New: the site knew no user of this ID when it happened.
	New       bool            `cbor:"new,omitempty"`
	Values    map[Field]Value `cbor:"values,omitempty"`
	Given     []Credential    `cbor:"given,omitempty"`
	Withdrawn []CredentialKey `cbor:"withdrawn,omitempty"`
	Groups    []string        `cbor:"groups,omitempty"` // those a site names for its own enrollments
	// Refused are credentials of Given that somebody else was known to hold.
	Refused []CredentialKey `cbor:"refused,omitempty"`
}

// Empty reports whether nothing was changed.
func (e Edit) Empty() bool {
	return !e.New && len(e.Values) == 0 && len(e.Given) == 0 && len(e.Withdrawn) == 0 && len(e.Groups) == 0
}

// Contribution is what the edit says, as of its stamp, in the name of readers.
// Removals count only where the rules let them.
func (e Edit) Contribution(at Stamp, rules Rules) Contribution {
	c := NewContribution(SourceReaders)
	if e.New {
		c.Set(FieldUserID, Text(e.UserID), at)
	}
	for f, v := range e.Values {
		if f != FieldUserID {
			c.Set(f, v, at)
		}
	}
	for _, cr := range e.Given {
		k, state := cr.Key(), Given
		if slices.Contains(e.Refused, k) {
			state = Refused
		}
		c.putElement(k, Element{Credential: cr, State: state, Stamp: at})
	}
	if rules.Withdraw {
		for _, k := range e.Withdrawn {
			c.Credentials[k] = Element{Credential: k.Credential(), State: Withdrawn, Stamp: at}
		}
	}
	for _, g := range e.Groups {
		c.SetGroup(g, Given, at)
	}
	return c
}

// NotKept returns the edited values that the record does not hold as edited,
// with the source that holds each, sorted by field. The journal tells people.
func (e Edit) NotKept(r Record, rules Rules) []NotKept {
	var out []NotKept
	name := r.fullName(rules)
	for _, f := range slices.Sorted(maps.Keys(e.Values)) {
		v := e.Values[f].Trimmed()
		h := r.Values[f]
		kept := h.Value == v
		if f == FieldName {
			kept = name == v.First
			if h.Source == "" || h.Value == v {
				h.Source, _ = r.partsBy(rules)
			}
		}
		if !v.IsNull() && !kept {
			out = append(out, NotKept{Field: f, HeldBy: h.Source})
		}
	}
	return out
}

// NotKept is a value that an edit did not change, and the source that holds it.
type NotKept struct {
	Field  Field
	HeldBy Source
}

// String tells which parts were changed, never to what.
func (e Edit) String() string {
	parts := make([]string, 0, len(e.Values)+len(e.Given)+len(e.Withdrawn))
	for _, f := range slices.Sorted(maps.Keys(e.Values)) {
		parts = append(parts, string(f))
	}
	for _, c := range e.Given {
		parts = append(parts, "+"+c.String())
	}
	for _, k := range e.Withdrawn {
		parts = append(parts, "-"+k.String())
	}
	for _, g := range e.Groups {
		parts = append(parts, "+group "+g)
	}
	return strings.Join(parts, ", ")
}

// GoString is String: %#v would reach the values.
func (e Edit) GoString() string { return e.String() }
