package protocol

import (
	"cmp"
	"slices"
)

// Holding is one value of an effective record: what it is, which source holds
// it, and since when.
type Holding struct {
	Value  Value  `cbor:"v"`
	Blank  bool   `cbor:"b,omitempty"`
	Source Source `cbor:"s"`
	Stamp  Stamp  `cbor:"t"`
}

// Giver is one source's word on an element of an effective record.
type Giver struct {
	Source Source `cbor:"s"`
	State  Giving `cbor:"g"`
	Stamp  Stamp  `cbor:"t"`
}

// HeldCredential is a credential and every source's word on it.
type HeldCredential struct {
	Credential Credential `cbor:"c"`
	By         []Giver    `cbor:"by"` // sorted by source
}

// HeldGroup is an access group and every source's word on the membership.
type HeldGroup struct {
	Group string  `cbor:"g"`
	By    []Giver `cbor:"by"` // sorted by source
}

// Record is what all contributions to one user amount to, with the source of
// everything in it: enough for a site that is cut off to go on merging.
type Record struct {
	GUID        string            `cbor:"guid,omitempty"` // "" for a user new at the site
	Values      map[Field]Holding `cbor:"values,omitempty"`
	Credentials []HeldCredential  `cbor:"credentials,omitempty"` // sorted by key
	Groups      []HeldGroup       `cbor:"groups,omitempty"`      // sorted by name
	// Removed is set on a tombstone: the user was deleted at the center.
	Removed bool `cbor:"removed,omitempty"`
	// Site is set on a conflict: a user kept whole, known at this site alone
	// until a person has decided.
	Site string `cbor:"site,omitempty"`
}

// Active reports whether the element is in effect: given by somebody and
// revoked by nobody.
func active(by []Giver) bool {
	given := false
	for _, g := range by {
		switch g.State {
		case Revoked:
			return false
		case Given:
			given = true
		}
	}
	return given
}

// Active reports whether the credential opens doors.
func (h HeldCredential) Active() bool { return active(h.By) }

// Active reports whether the user is in the group.
func (h HeldGroup) Active() bool { return active(h.By) }

// given is the newest stamp with which somebody gives the element, and the
// source that did.
func given(by []Giver) (st Stamp, src Source) {
	for _, g := range by {
		if g.State == Given && (src == "" || g.Stamp.Compare(st) > 0) {
			st, src = g.Stamp, g.Source
		}
	}
	return st, src
}

// UserID is the user ID that readers are given.
func (r Record) UserID() string { return r.Values[FieldUserID].Value.First }

// User flattens the record to what readers are given: blank values gone, only
// active credentials, newest first (then by priority), and one name.
func (r Record) User(rules Rules) User {
	u := User{ID: r.UserID(), Values: make(map[Field]Value, len(r.Values))}
	for f, h := range r.Values {
		if !h.Value.IsNull() {
			u.Values[f] = h.Value
		}
	}
	delete(u.Values, FieldUserID)
	if n := r.fullName(rules); n != "" {
		u.Values[FieldName] = Value{First: n}
	} else {
		delete(u.Values, FieldName)
	}
	u.Credentials = r.activeCredentials(rules)
	for _, g := range r.Groups {
		if g.Active() {
			u.Groups = append(u.Groups, g.Group)
		}
	}
	return u
}

func (r Record) activeCredentials(rules Rules) []Credential {
	var held []HeldCredential
	for _, h := range r.Credentials {
		if h.Active() {
			held = append(held, h)
		}
	}
	slices.SortFunc(held, func(a, b HeldCredential) int {
		as, asrc := given(a.By)
		bs, bsrc := given(b.By)
		return cmp.Or(bs.Compare(as), rules.compare("", asrc, bsrc), cmp.Compare(a.Credential.Key(), b.Credential.Key()))
	})
	out := make([]Credential, len(held))
	for i, h := range held {
		out[i] = h.Credential
	}
	return out
}

// fullName settles the two ways of saying a name: the whole one, from readers
// that do not tell first and last apart, stands only where a source of higher
// priority gave it than gave either part.
func (r Record) fullName(rules Rules) string {
	whole, hasWhole := r.Values[FieldName]
	best, hasParts := r.partsBy(rules)
	if hasWhole && (!hasParts || rules.compare(FieldName, whole.Source, best) < 0) {
		return whole.Value.First
	}
	return JoinName(r.Values[FieldFirstName].Value.First, r.Values[FieldLastName].Value.First)
}

// partsBy is the source of highest priority that gave the first or the last name,
// for which both stand or fall.
func (r Record) partsBy(rules Rules) (best Source, ok bool) {
	for _, f := range []Field{FieldFirstName, FieldLastName} {
		if h, has := r.Values[f]; has && (!ok || rules.compare(FieldName, h.Source, best) < 0) {
			best, ok = h.Source, true
		}
	}
	return best, ok
}

// Credential returns the record's word on a credential.
func (r Record) Credential(k CredentialKey) (HeldCredential, bool) {
	i, ok := slices.BinarySearchFunc(r.Credentials, k, func(h HeldCredential, k CredentialKey) int {
		return cmp.Compare(h.Credential.Key(), k)
	})
	if !ok {
		return HeldCredential{}, false
	}
	return r.Credentials[i], true
}
