package roster

import (
	"slices"
	"strings"

	"doorsync/protocol"
)

// firstWords makes the record of a user of whom nobody has said anything before.
// It comes to what folding comes to, for a fraction of the work, and the record
// tells all of what was said.
func (im *importing) firstWords(u *user, s *saying) (refused bool, err error) {
	rec := &u.record
	rec.Values = make(map[protocol.Field]protocol.Holding, len(s.values)+1)
	for f, v := range s.values {
		if v = v.Trimmed(); !v.IsNull() && f != protocol.FieldUserID {
			rec.Values[f] = protocol.Holding{Value: v, Source: im.source.Name, Stamp: im.at}
		}
	}
	if s.id != "" {
		rec.Values[protocol.FieldUserID] = protocol.Holding{Value: protocol.Text(s.id), Source: im.source.Name, Stamp: im.at}
	}
	u.plain, u.refolded = true, true
	if refused, err = im.firstCredentials(u, s.credentials); err != nil {
		return refused, err
	}
	return refused, im.firstGroups(u, s.groups)
}

// word is the source's word on an element.
func (im *importing) word(state protocol.Giving) []protocol.Giver {
	return []protocol.Giver{{Source: im.source.Name, State: state, Stamp: im.at}}
}

func (im *importing) firstCredentials(u *user, crs []protocol.Credential) (refused bool, err error) {
	for _, cr := range crs {
		k := cr.Key()
		at, twice := slices.BinarySearch(u.keys, k)
		if twice {
			continue
		}
		y, _, err := im.w.refusal(u, k)
		if err != nil {
			return false, err
		}
		state := protocol.Given
		if !y.nothing() {
			state, refused = protocol.Refused, true
		} else {
			im.w.hold(k, u.row.GUID)
		}
		u.keys = slices.Insert(u.keys, at, k)
		u.record.Credentials = slices.Insert(u.record.Credentials, at, protocol.HeldCredential{Credential: cr, By: im.word(state)})
	}
	return refused, nil
}

func (im *importing) firstGroups(u *user, groups []string) error {
	for _, g := range groups {
		name, err := im.w.group(g)
		if err != nil {
			return err
		}
		at, twice := slices.BinarySearchFunc(u.record.Groups, name, func(h protocol.HeldGroup, name string) int { return strings.Compare(h.Group, name) })
		if !twice {
			u.record.Groups = slices.Insert(u.record.Groups, at, protocol.HeldGroup{Group: name, By: im.word(protocol.Given)})
		}
	}
	return nil
}
