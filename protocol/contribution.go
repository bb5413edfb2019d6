package protocol

import (
	"cmp"
	"maps"
	"slices"
)

// Statement is what a source said about one value at one time: a value, NULL
// (the source no longer says anything), or blank (held empty, by priority like
// any value).
type Statement struct {
	Value Value `cbor:"v"`
	Blank bool  `cbor:"b,omitempty"`
	Stamp Stamp `cbor:"t"`
}

// Vacant reports whether the statement holds nothing, not even blank.
func (s Statement) Vacant() bool { return s.Value.IsNull() && !s.Blank }

// compare orders statements by stamp; the rest only makes the order total, so
// that joining is the same in any order.
func (s Statement) compare(o Statement) int {
	return cmp.Or(s.Stamp.Compare(o.Stamp), compareBool(s.Blank, o.Blank), s.Value.compare(o.Value))
}

// Said is what a source has said about one value: the first statement that held
// something, and the latest of all. Both are kept so that changing the rules
// needs no history.
type Said struct {
	First  Statement `cbor:"f"`
	Latest Statement `cbor:"l"`
}

// Giving is the state of one element (a credential or a group) in one source.
type Giving string

// The states of an element in a source.
const (
	Given     Giving = "given"
	Withdrawn Giving = "withdrawn" // the source gave it and no longer does
	Refused   Giving = "refused"   // another user holds it: not given, but not forgotten
	Revoked   Giving = "revoked"   // opens nothing, whatever other sources say
)

func (g Giving) order() int {
	return slices.Index([]Giving{Given, Withdrawn, Refused, Revoked}, g)
}

// Element is one source's word on one credential.
type Element struct {
	Credential Credential `cbor:"c"`
	State      Giving     `cbor:"s"`
	Stamp      Stamp      `cbor:"t"`
}

// Membership is one source's word on one access group.
type Membership struct {
	State Giving `cbor:"s"`
	Stamp Stamp  `cbor:"t"`
}

// Contribution is what one source says about one user. Contributions of one
// source form a semilattice under Join: any order, any repetition, same result.
type Contribution struct {
	Source      Source                    `cbor:"source"`
	Values      map[Field]Said            `cbor:"values,omitempty"`
	Credentials map[CredentialKey]Element `cbor:"credentials,omitempty"`
	Groups      map[string]Membership     `cbor:"groups,omitempty"`
}

// NewContribution returns an empty contribution of a source.
func NewContribution(s Source) Contribution {
	return Contribution{
		Source: s, Values: map[Field]Said{},
		Credentials: map[CredentialKey]Element{}, Groups: map[string]Membership{},
	}
}

// Clone returns a copy that shares no map.
func (c Contribution) Clone() Contribution {
	out := NewContribution(c.Source)
	maps.Copy(out.Values, c.Values)
	maps.Copy(out.Credentials, c.Credentials)
	maps.Copy(out.Groups, c.Groups)
	return out
}

// Empty reports whether nothing was ever said.
func (c Contribution) Empty() bool {
	return len(c.Values) == 0 && len(c.Credentials) == 0 && len(c.Groups) == 0
}

// say adds one statement. A reader that shows a value empty says nothing.
func (c Contribution) say(f Field, st Statement) {
	st.Value = st.Value.Trimmed()
	if st.Vacant() && c.Source == SourceReaders {
		return
	}
	said := Said{Latest: st}
	if !st.Vacant() {
		said.First = st
	}
	if old, ok := c.Values[f]; ok {
		said = joinSaid(old, said)
	}
	c.Values[f] = said
}

// Set states a value; a NULL one withdraws what the source said.
func (c Contribution) Set(f Field, v Value, at Stamp) { c.say(f, Statement{Value: v, Stamp: at}) }

// BlankOut holds a value empty.
func (c Contribution) BlankOut(f Field, at Stamp) { c.say(f, Statement{Blank: true, Stamp: at}) }

// SetCredential states a credential's standing in this source.
func (c Contribution) SetCredential(cr Credential, g Giving, at Stamp) {
	c.putElement(cr.Key(), Element{Credential: cr, State: g, Stamp: at})
}

// Mark states the standing of a credential of which only the key is known; it
// does nothing for one that the source never named.
func (c Contribution) Mark(k CredentialKey, g Giving, at Stamp) {
	if old, ok := c.Credentials[k]; ok {
		c.putElement(k, Element{Credential: old.Credential, State: g, Stamp: at})
	}
}

func (c Contribution) putElement(k CredentialKey, e Element) {
	if old, ok := c.Credentials[k]; ok {
		e = joinElement(old, e)
	}
	c.Credentials[k] = e
}

// SetGroup states a membership.
func (c Contribution) SetGroup(name string, g Giving, at Stamp) {
	m := Membership{State: g, Stamp: at}
	if old, ok := c.Groups[name]; ok {
		m = joinMembership(old, m)
	}
	c.Groups[name] = m
}

// Join unites two contributions of the same source about the same user. It is
// commutative, associative and idempotent; neither argument is changed.
func Join(a, b Contribution) Contribution {
	out := a.Clone()
	out.take(b)
	return out
}

// take joins what b says into the contribution's own maps.
func (c Contribution) take(b Contribution) {
	for f, said := range b.Values {
		if old, ok := c.Values[f]; ok {
			said = joinSaid(old, said)
		}
		c.Values[f] = said
	}
	for k, e := range b.Credentials {
		c.putElement(k, e)
	}
	for name, m := range b.Groups {
		if old, ok := c.Groups[name]; ok {
			m = joinMembership(old, m)
		}
		c.Groups[name] = m
	}
}

func joinSaid(a, b Said) Said {
	out := a
	if b.Latest.compare(a.Latest) > 0 {
		out.Latest = b.Latest
	}
	if a.First.Vacant() || (!b.First.Vacant() && b.First.compare(a.First) < 0) {
		out.First = b.First
	}
	return out
}

func joinElement(a, b Element) Element {
	out := a
	if cmp.Or(b.Stamp.Compare(a.Stamp), cmp.Compare(b.State.order(), a.State.order())) > 0 {
		out = b
	}
	// The word and what it is about join apart: a withdrawal names a template
	// by its hash and must not lose the bytes.
	out.Credential = a.Credential
	if b.Credential.compare(a.Credential) > 0 {
		out.Credential = b.Credential
	}
	return out
}

func joinMembership(a, b Membership) Membership {
	if cmp.Or(b.Stamp.Compare(a.Stamp), cmp.Compare(b.State.order(), a.State.order())) > 0 {
		return b
	}
	return a
}

// compare orders credentials of one key by what the key leaves out.
func (c Credential) compare(o Credential) int {
	return cmp.Or(cmp.Compare(len(c.Template), len(o.Template)), cmp.Compare(c.Bits, o.Bits),
		cmp.Compare(c.Slot, o.Slot), compareBool(c.Duress, o.Duress), cmp.Compare(c.Hash, o.Hash))
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	default:
		return -1
	}
}
