package roster

import (
	"fmt"
	"slices"
	"strings"

	"doorsync/protocol"
	"doorsync/protocol/wire"
)

// storedUser is a user as the store has it: what the cache keeps. It is never changed.
type storedUser struct {
	row UserRow
	ids []IDRow // of all sites' reach (Site "")
}

// size is about what it takes in memory.
func (s *storedUser) size() int {
	return 1024 + len(s.row.Record) + len(s.row.Contributions) + len(s.row.Search) + 128*len(s.ids)
}

// user is a user as one transaction changes it. row.Record and row.Contributions
// are as stored until it is encoded again.
type user struct {
	row           UserRow
	was           *UserRow // the row before
	whole         bool     // credentials, groups and keys are decoded
	record        protocol.Record
	keys          []protocol.CredentialKey // of record.Credentials; a template's key costs a hash
	contributions []protocol.Contribution  // sorted by source
	said          []protocol.Contribution  // as they were before: the values, and
	saidElements  []protocol.Contribution  // the rest, once it is decoded
	ids           []IDRow

	dirty      bool     // contributions or row changed
	force      bool     // a new revision even if the record is the same
	claimed    bool     // row.Revision is of this transaction
	refolded   bool     // credentials and groups too
	introduced bool     // row.Known changed
	plain      bool     // contributions are left out: the record tells all of them
	touched    []string // sites (or "" for the office) that changed it
}

// outlineOf decodes a user but for what its credentials and groups are.
func outlineOf(codec *wire.Codec, s *storedUser) (*user, error) {
	u := &user{row: s.row, was: &s.row, ids: s.ids}
	var err error
	if u.record, err = codec.UnmarshalValues(s.row.Record); err != nil {
		return nil, fmt.Errorf("decode user %s: %w: %w", s.row.GUID, ErrDamaged, err)
	}
	u.contributions, err = decodeContributions(s.row.Contributions, u.record, nil)
	u.said = u.contributions
	return u, err
}

// complete decodes the rest. What was done to the values meanwhile stays.
func (u *user) complete(codec *wire.Codec) error {
	if u.whole {
		return nil
	}
	var rec protocol.Record
	if err := codec.Unmarshal(u.row.Record, &rec); err != nil {
		return fmt.Errorf("decode user %s: %w: %w", u.row.GUID, ErrDamaged, err)
	}
	keys := keysOf(rec)
	rec.Values = nil
	elements, err := decodeContributions(nil, rec, keys)
	if err != nil {
		return err
	}
	u.whole, u.keys, u.record.Credentials, u.record.Groups = true, keys, rec.Credentials, rec.Groups
	u.contributions, u.saidElements = unite(u.contributions, elements), elements
	return nil
}

// told has the contributions of a user of whom the record tells all.
func (u *user) told() *user {
	if u.plain {
		u.plain = false
		u.contributions, _ = decodeContributions(nil, u.record, u.keys) // only what is stored can be damaged
	}
	return u
}

// decodeUser decodes all of a user.
func decodeUser(codec *wire.Codec, row UserRow) (*user, error) {
	u, err := outlineOf(codec, &storedUser{row: row})
	if err != nil {
		return nil, err
	}
	return u, u.complete(codec)
}

func (u *user) removed() bool { return u.row.Removed != 0 }

// live tells whether the user is part of what sites hold.
func (r *UserRow) live() bool { return r.Removed == 0 && r.MergedInto == "" }

// holds reports whether the user has the credential: somebody gives it, or the
// office has revoked it.
func holds(h protocol.HeldCredential) bool {
	return slices.ContainsFunc(h.By, func(g protocol.Giver) bool {
		return g.State == protocol.Given || g.State == protocol.Revoked
	})
}

// fold computes the record anew from the contributions.
func (u *user) fold(rules protocol.Rules) {
	u.keys, u.refolded = nil, true
	if u.removed() {
		u.record = protocol.Record{GUID: u.row.GUID, Removed: true}
		return
	}
	u.record = protocol.Fold(u.contributions, rules)
	u.record.GUID, u.record.Site = u.row.GUID, u.row.Site
	for _, c := range u.contributions {
		for k := range c.Credentials {
			u.keys = append(u.keys, k)
		}
	}
	slices.Sort(u.keys)
	u.keys = slices.Compact(u.keys)
}

// keysOf computes the keys of a record that was read.
func keysOf(rec protocol.Record) []protocol.CredentialKey {
	out := make([]protocol.CredentialKey, len(rec.Credentials))
	for i, h := range rec.Credentials {
		out[i] = h.Credential.Key()
	}
	return out
}

// held is the user's record of a credential, if it has the credential.
func (u *user) held(k protocol.CredentialKey) (protocol.HeldCredential, bool) {
	i, ok := slices.BinarySearch(u.keys, k)
	if !ok || !holds(u.record.Credentials[i]) {
		return protocol.HeldCredential{}, false
	}
	return u.record.Credentials[i], true
}

// describe fills what the row says beside the record.
func (u *user) describe() {
	r := &u.row
	if !r.live() {
		r.IDs, r.Keys, r.Groups, r.Inactive = nil, nil, nil, false
		return
	}
	id := u.record.UserID()
	if len(r.IDs) == 0 || r.IDs[0] != id {
		r.Sort = sortKey(id)
	}
	r.IDs = make([]string, 1, len(u.ids)+1)
	r.IDs[0] = id
	for _, row := range u.ids {
		if row.ID != id {
			r.IDs = append(r.IDs, row.ID)
		}
	}
	if u.refolded {
		u.describeElements()
	}
	r.Inactive = u.record.Values[protocol.FieldState].Value.First == protocol.StateInactive
	r.Search = u.searchText()
}

func (u *user) describeElements() {
	r := &u.row
	r.Keys, r.Groups = nil, nil
	for i, h := range u.record.Credentials {
		if h.Active() {
			r.Keys = append(r.Keys, wire.KeyHash(u.keys[i]))
		}
	}
	for _, h := range u.record.Groups {
		if h.Active() {
			r.Groups = append(r.Groups, h.Group)
		}
	}
}

// sortKey orders user IDs as people count: numbers by value, before the rest.
func sortKey(id string) string {
	if len(id) <= 20 && strings.Trim(id, "0123456789") == "" {
		return fmt.Sprintf("%020s", id)
	}
	return "~" + id
}

// searchText is what a query looks into. First and last name stand together, so
// that a whole name is found.
func (u *user) searchText() string {
	parts := slices.Clone(u.row.IDs)
	first, last := u.record.Values[protocol.FieldFirstName].Value.First, u.record.Values[protocol.FieldLastName].Value.First
	if n := protocol.JoinName(first, last); n != "" {
		parts = append(parts, n)
	}
	for _, f := range []protocol.Field{
		protocol.FieldName, protocol.FieldEmail, protocol.FieldPhone, protocol.FieldEmployeeNumber, protocol.FieldDepartment,
	} {
		if v := u.record.Values[f].Value.First; v != "" {
			parts = append(parts, v)
		}
	}
	return strings.ToLower(strings.Join(parts, "\n"))
}

// change is the user as sites get it.
func (r *UserRow) change() wire.Change {
	return wire.Change{GUID: r.GUID, IDs: r.IDs, Keys: r.Keys, Record: r.Record}
}
