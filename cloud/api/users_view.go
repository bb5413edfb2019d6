package api

import (
	"cmp"

	"doorsync/cloud/roster"
	"doorsync/protocol"
)

// userOf shows a user without its secrets.
func userOf(v roster.UserView) User {
	u := User{
		ID: v.ID, GUID: v.GUID, Aliases: v.Aliases, Name: v.User.FullName(), Values: map[string]string{},
		HasPIN: !v.User.Value(protocol.FieldPIN).IsNull(), Groups: append([]string{}, v.User.Groups...),
		State:    cmp.Or(v.User.Value(protocol.FieldState).First, protocol.StateActive),
		Conflict: v.Conflict, Removed: v.Removed, Revision: v.Revision, EnrolledBy: v.EnrolledBy,
	}
	for f, val := range v.User.Values {
		switch f {
		case protocol.FieldPIN, protocol.FieldName:
		case protocol.FieldValidity:
			u.Validity = &Validity{ActivatesAt: val.First, ExpiresAt: val.Second}
		default:
			u.Values[string(f)] = val.First
		}
	}
	u.Credentials = credentialsOf(v)
	return u
}

// credentialsOf lists those in effect as readers are given them, newest first,
// then the others.
func credentialsOf(v roster.UserView) []Credential {
	out := make([]Credential, 0, len(v.Record.Credentials))
	for _, c := range v.User.Credentials {
		if held, ok := v.Record.Credential(c.Key()); ok {
			out = append(out, credentialOf(held))
		}
	}
	for _, held := range v.Record.Credentials {
		if !held.Active() {
			out = append(out, credentialOf(held))
		}
	}
	return out
}

func credentialOf(held protocol.HeldCredential) Credential {
	c := held.Credential
	out := Credential{
		Key: string(c.Key()), Kind: string(c.Kind), Format: c.Format, Number: c.Number, Bits: c.Bits,
		Size: len(c.Template), Duress: c.Duress, State: stateOf(held), By: make([]Giver, 0, len(held.By)),
	}
	if c.Kind == protocol.KindFingerprint {
		out.Finger = &c.Slot
	}
	for _, g := range held.By {
		out.By = append(out.By, Giver{
			Source: string(g.Source), State: string(g.State), Since: g.Stamp.Time(), Site: g.Stamp.Origin,
		})
	}
	return out
}

// stateOf is what all words on a credential come to.
func stateOf(held protocol.HeldCredential) string {
	if held.Active() {
		return string(protocol.Given)
	}
	state := protocol.Withdrawn
	for _, g := range held.By {
		if g.State == protocol.Revoked {
			return string(protocol.Revoked)
		}
		if g.State == protocol.Refused {
			state = protocol.Refused
		}
	}
	return string(state)
}
