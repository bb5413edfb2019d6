package roster

import (
	"fmt"
	"slices"
	"strings"

	"doorsync/protocol"
	"doorsync/protocol/wire"
)

// user is a decoded user. One in the cache is never changed; a transaction
// changes a copy. row.Record and row.Contributions are not kept.
type user struct {
	row           UserRow
	record        protocol.Record
	contributions []protocol.Contribution // sorted by source
	ids           []IDRow                 // of all sites' reach (Site "")
	size          int

	// What a transaction notes on its copy:
	dirty   bool     // contributions or row changed
	force   bool     // a new revision even if the record is the same
	claimed bool     // row.Revision is of this transaction
	was     UserRow  // the row before
	touched []string // sites (or "" for the office) that changed it
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
	if u.removed() {
		u.record = protocol.Record{GUID: u.row.GUID, Removed: true}
		return
	}
	u.record = protocol.Fold(u.contributions, rules)
	u.record.GUID, u.record.Site = u.row.GUID, u.row.Site
}

// describe fills what the row says beside the record.
func (u *user) describe(rules protocol.Rules) {
	r := &u.row
	r.IDs, r.Keys, r.Groups, r.Inactive = nil, nil, nil, false
	if !r.live() {
		return
	}
	flat := u.record.User(rules)
	id := u.record.UserID()
	r.IDs = append(r.IDs, id)
	for _, row := range u.ids {
		if row.ID != id {
			r.IDs = append(r.IDs, row.ID)
		}
	}
	for _, c := range flat.Credentials {
		r.Keys = append(r.Keys, wire.KeyHash(c.Key()))
	}
	r.Groups, r.Inactive = flat.Groups, !flat.Active()
	r.Sort = sortKey(id)
	r.Search = searchText(r.IDs, flat)
}

// sortKey orders user IDs as people count: numbers by value, before the rest.
func sortKey(id string) string {
	if len(id) <= 20 && strings.Trim(id, "0123456789") == "" {
		return fmt.Sprintf("%020s", id)
	}
	return "~" + id
}

func searchText(ids []string, u protocol.User) string {
	parts := []string{strings.Join(ids, "\n"), u.FullName()}
	for _, f := range []protocol.Field{
		protocol.FieldFirstName, protocol.FieldLastName, protocol.FieldEmail, protocol.FieldPhone,
		protocol.FieldEmployeeNumber, protocol.FieldDepartment,
	} {
		if v := u.Values[f].First; v != "" {
			parts = append(parts, v)
		}
	}
	return strings.ToLower(strings.Join(parts, "\n"))
}

// change is the user as sites get it.
func (r *UserRow) change() wire.Change {
	return wire.Change{GUID: r.GUID, IDs: r.IDs, Keys: r.Keys, Record: r.Record}
}

// estimate is about what the user takes in memory.
func (u *user) estimate(encoded int) int {
	n := 1024 + 2*encoded
	for _, c := range u.contributions {
		n += 256*len(c.Values) + 160*len(c.Credentials) + 96*len(c.Groups)
	}
	return n
}
