package roster

import (
	"fmt"
	"maps"
	"slices"

	"doorsync/protocol"
)

// merges is what is stored beside a user for its merges: what they were when it
// went, if it did, and who was merged into it last.
type merges struct {
	Went *wentInto `cbor:"went,omitempty"`
	Last string    `cbor:"last,omitempty"` // GUID
}

// wentInto is what two users were before they were made one.
type wentInto struct {
	Stays  side   `cbor:"stays"`
	Goes   side   `cbor:"goes"`
	Before string `cbor:"before,omitempty"` // GUID of who was merged into the same user before
}

// side is one user before a merge.
type side struct {
	GUID          string            `cbor:"guid"`
	Site          string            `cbor:"site,omitempty"` // of a conflict
	Known         []protocol.Source `cbor:"known,omitempty"`
	Record        []byte            `cbor:"record"`
	Contributions []byte            `cbor:"contributions,omitempty"`
	IDs           []IDRow           `cbor:"ids,omitempty"` // those that find it at one site among them
	Named         []NamedUser       `cbor:"named,omitempty"`
}

// sideOf is a user as it is now.
func (w *work) sideOf(u *user) (side, error) {
	s := side{GUID: u.row.GUID, Site: u.row.Site, Known: slices.Clone(u.introducers()), IDs: slices.Clone(u.ids)}
	var err error
	if s.Record, err = w.r.codec.Marshal(u.record); err != nil {
		return s, fmt.Errorf("keep user %s as it was: %w", s.GUID, err)
	}
	s.Contributions = encodeContributions(u.contributions, u.record)
	for _, row := range w.allSiteIDs() {
		if row.GUID == s.GUID {
			s.IDs = append(s.IDs, row)
		}
	}
	err = w.eachNamed(s.GUID, func(n NamedUser) error { s.Named = append(s.Named, n); return nil })
	return s, err
}

func (s *side) user(w *work) (*user, error) {
	return decodeUser(w.r.codec, UserRow{GUID: s.GUID, Known: s.Known, Record: s.Record, Contributions: s.Contributions})
}

// ownIDs are the user IDs that found the user everywhere.
func (s *side) ownIDs() []IDRow {
	return slices.DeleteFunc(slices.Clone(s.IDs), func(row IDRow) bool { return row.Site != "" })
}

// imported tells that imports alone introduced a user.
func imported(known []protocol.Source) bool {
	return len(known) > 0 && !slices.Contains(known, protocol.SourceOffice) && !slices.Contains(known, protocol.SourceReaders)
}

func unitedSources(a, b []protocol.Source) []protocol.Source {
	return slices.Compact(slices.Sorted(slices.Values(slices.Concat(a, b))))
}

// bothSaid is what is said about two users once they are one.
func bothSaid(stays, goes *user) []protocol.Contribution {
	ceded := reclaimed(goes, stays)
	if imported(goes.introducers()) {
		ceded = withoutRelationships(ceded, protocol.SourceOffice)
	}
	return unite(reclaimed(stays, goes), ceded)
}

// withoutRelationships leaves out the credentials and groups that one source
// gives. A revocation is none of them.
func withoutRelationships(cs []protocol.Contribution, s protocol.Source) []protocol.Contribution {
	c := contributionOf(cs, s).Clone()
	if c.Empty() {
		return cs
	}
	maps.DeleteFunc(c.Credentials, func(_ protocol.CredentialKey, e protocol.Element) bool { return e.State != protocol.Revoked })
	maps.DeleteFunc(c.Groups, func(_ string, m protocol.Membership) bool { return m.State != protocol.Revoked })
	return withContribution(cs, c)
}

func (w *work) mergesOf(guid string) (m merges, err error) {
	row, ok, err := w.tx.MergeOf(guid)
	if err != nil || !ok {
		return m, err
	}
	if err := w.r.codec.Unmarshal(row.Row, &m); err != nil {
		return m, fmt.Errorf("decode merges of user %s: %w: %w", guid, ErrDamaged, err)
	}
	return m, nil
}

func (w *work) putMerges(guid string, m merges) error {
	if m == (merges{}) {
		return w.tx.DropMerge(guid)
	}
	b, err := w.r.codec.Marshal(m)
	if err != nil {
		return fmt.Errorf("keep merges of user %s: %w", guid, err)
	}
	return w.tx.PutMerge(MergeRow{GUID: guid, Row: b})
}

// keepMerge keeps what two users are before they are merged, and lets the rows of
// sources that name the one name the other.
func (w *work) keepMerge(stays, goes *user) error {
	into, err := w.mergesOf(stays.row.GUID)
	if err != nil {
		return err
	}
	from, err := w.mergesOf(goes.row.GUID)
	if err != nil {
		return err
	}
	from.Went = &wentInto{Before: into.Last}
	if from.Went.Stays, err = w.sideOf(stays); err != nil {
		return err
	}
	if from.Went.Goes, err = w.sideOf(goes); err != nil {
		return err
	}
	into.Last = goes.row.GUID
	if err := w.putMerges(goes.row.GUID, from); err != nil {
		return err
	}
	if err := w.putMerges(stays.row.GUID, into); err != nil {
		return err
	}
	return w.nameOther(from.Went)
}

// nameOther has the rows name the user that stays. Where a source names it by
// several rows then, the next import looks at all of them again: what they say
// together is not what they said apart.
func (w *work) nameOther(m *wentInto) error {
	if err := w.handOver(m.Goes.GUID, m.Stays.GUID); err != nil {
		return err
	}
	for _, n := range m.Stays.Named {
		if slices.ContainsFunc(m.Goes.Named, func(o NamedUser) bool { return o.Source == n.Source }) {
			return w.takeAgain(m.Stays.GUID)
		}
	}
	return nil
}
