package roster

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"doorsync/protocol"
)

// SplitOptions say what is taken off a user: somebody who was merged into it, or
// the word of a source that was taken to mean it.
type SplitOptions struct {
	// Merged is the user ID or the GUID of who was merged in; empty is the last one.
	Merged string
	// Source is the one whose word is of somebody else. Identity says by which of
	// its rows, where several name the user.
	Source   protocol.Source
	Identity *Identity
	// UserID is for who is to have none otherwise; empty is one that is free where
	// any will do.
	UserID string
}

// Split makes two users of one again and returns the one that came off. Of a
// merge, the one that went is again what it was, under its GUID and with its IDs
// and credentials; what was said since stays with the other. Of a source, a new
// user has its word, and the source's next import finds that one by the row.
func (r *Roster) Split(ctx context.Context, a Actor, idOrGUID string, o SplitOptions) (UserView, error) {
	return r.merging(ctx, "split user", func(w *work) (*user, error) { return w.split(a, idOrGUID, o) })
}

func (w *work) split(a Actor, idOrGUID string, o SplitOptions) (*user, error) {
	u, err := w.existing(idOrGUID)
	if errors.Is(err, ErrNotFound) {
		if _, gone := w.deleted(idOrGUID); gone == nil {
			err = fmt.Errorf("user %q: %w; restore it first", clip(idOrGUID), ErrRemoved)
		}
	}
	switch {
	case err != nil:
		return nil, err
	case u.row.Site != "":
		return nil, invalid("user %s is in conflict at site %s; resolve that first", u.record.UserID(), u.row.Site)
	case o.Source != "" && o.Merged != "":
		return nil, invalid("name who was merged in, or a source, not both")
	case o.Source != "":
		return w.splitSource(a, u, o)
	}
	if o.Merged == "" && idOrGUID != u.row.GUID {
		if row, ok, err := w.tx.User(idOrGUID); err != nil {
			return nil, err
		} else if ok && row.MergedInto != "" {
			o.Merged = idOrGUID
		}
	}
	return w.splitMerge(a, u, o)
}

// splitMerge undoes the merge that came last: one before it can only be undone
// once the later ones are.
func (w *work) splitMerge(a Actor, u *user, o SplitOptions) (*user, error) {
	into, err := w.mergesOf(u.row.GUID)
	if err != nil {
		return nil, err
	}
	if into.Last == "" {
		return nil, fmt.Errorf("user %s: %w: nobody was merged into it, as far as this was kept", u.record.UserID(), ErrNotFound)
	}
	from, err := w.mergesOf(into.Last)
	if err != nil {
		return nil, err
	}
	if from.Went == nil || from.Went.Stays.GUID != u.row.GUID {
		return nil, fmt.Errorf("merges of user %s: %w", u.row.GUID, ErrDamaged)
	}
	if err := w.lastMerged(u, o.Merged, from.Went); err != nil {
		return nil, err
	}
	into.Last = from.Went.Before
	goes, err := w.partAgain(a, u, from.Went, o.UserID)
	if err != nil {
		return nil, err
	}
	from.Went = nil
	if err := w.putMerges(goes.row.GUID, from); err != nil {
		return nil, err
	}
	return goes, w.putMerges(u.row.GUID, into)
}

// lastMerged says why somebody cannot be split off.
func (w *work) lastMerged(u *user, merged string, last *wentInto) error {
	if merged == "" || last.Goes.is(merged) {
		return nil
	}
	for m := last; m.Before != ""; {
		before, err := w.mergesOf(m.Before)
		if err != nil {
			return err
		}
		if m = before.Went; m == nil {
			break
		}
		if m.Goes.is(merged) {
			return invalid("user %s was merged into user %s after %s was; split %s off first",
				last.Goes.name(), u.record.UserID(), clip(merged), last.Goes.GUID)
		}
	}
	row, ok, err := w.tx.User(merged)
	if err == nil && ok && row.MergedInto != "" {
		return invalid("user %s was merged into user %s, which was merged further since; split %s off first", merged, row.MergedInto, row.MergedInto)
	}
	if err == nil {
		err = fmt.Errorf("user %q: %w among those merged into user %s", clip(merged), ErrNotFound, u.record.UserID())
	}
	return err
}

func (s *side) is(idOrGUID string) bool {
	return s.GUID == idOrGUID || slices.ContainsFunc(s.IDs, func(row IDRow) bool { return row.ID == idOrGUID })
}

func (s *side) name() string {
	if len(s.IDs) > 0 {
		return s.IDs[0].ID
	}
	return s.GUID
}

// partAgain makes two of one. Who loses something has the earlier of the two new
// revisions, so that sites let go of it before the other claims it.
func (w *work) partAgain(a Actor, stays *user, m *wentInto, id string) (*user, error) {
	goes, err := w.user(m.Goes.GUID)
	if err != nil {
		return nil, err
	}
	wasStays, err := m.Stays.user(w)
	if err != nil {
		return nil, err
	}
	wasGoes, err := m.Goes.user(w)
	if err != nil {
		return nil, err
	}
	p := parting{stays: wasStays, goes: wasGoes, was: bothSaid(wasStays, wasGoes), now: stays.contributions}
	ownStays, ownGoes := p.part()
	for _, u := range []*user{stays, goes} {
		w.touch(u, "")
		w.claim(u)
	}
	if stays.contributions, err = w.takeBack(stays, ownStays); err != nil {
		return nil, err
	}
	w.refold(stays)
	stays.row.Known = partKnown(stays.row.Known, m)
	goes.row.Removed, goes.row.MergedInto, goes.row.Site, goes.row.Known = 0, "", "", m.Goes.Known
	if goes.contributions, err = w.takeBack(goes, ownGoes); err != nil {
		return nil, err
	}
	w.refold(goes)
	if err := w.partIDs(stays, goes, m, id); err != nil {
		return nil, err
	}
	w.note(a, protocol.EventOfficeChanged, stays, fmt.Sprintf("split: user %s (%s) is apart again", goes.record.UserID(), goes.row.GUID))
	w.note(a, protocol.EventOfficeChanged, goes, fmt.Sprintf("split off user %s (%s)", stays.record.UserID(), stays.row.GUID))
	return goes, w.partNamed(stays, goes, m)
}

// partKnown takes back what introduced the other alone.
func partKnown(now []protocol.Source, m *wentInto) []protocol.Source {
	return slices.DeleteFunc(slices.Clone(now), func(s protocol.Source) bool {
		return slices.Contains(m.Goes.Known, s) && !slices.Contains(m.Stays.Known, s)
	})
}

// partIDs gives the one that went the user IDs it had. Each is found by one in
// the end, and readers are given that one.
func (w *work) partIDs(stays, goes *user, m *wentInto, id string) error {
	for _, row := range m.Goes.ownIDs() {
		now, ok, err := w.id(row.ID)
		if err != nil {
			return err
		}
		if ok && now.GUID == stays.row.GUID {
			if err := w.giveID(goes, row); err != nil {
				return err
			}
		}
	}
	for k, row := range w.allSiteIDs() {
		its := slices.ContainsFunc(m.Goes.IDs, func(o IDRow) bool { return o.Site == k.site && o.ID == k.id })
		if its && row.GUID == stays.row.GUID {
			row.GUID = goes.row.GUID
			w.siteIDs[k] = &row
		}
	}
	for _, one := range []struct {
		u    *user
		side *side
	}{{stays, &m.Stays}, {goes, &m.Goes}} {
		if err := w.ownID(one.u, one.side, id); err != nil {
			return err
		}
	}
	return nil
}

// ownID sees to it that readers are given an ID which finds the user: the one it
// had, or another of its own, or a new one for who never had any.
func (w *work) ownID(u *user, s *side, id string) error {
	if len(u.ids) == 0 {
		if id == "" {
			return invalid("user %s was in conflict at site %s when it was merged, and has no user ID of its own; say which one it is to have", s.GUID, s.Site)
		}
		return w.newID(u, id)
	}
	was, err := s.user(w)
	if err != nil {
		return err
	}
	had := was.record.UserID()
	if !slices.ContainsFunc(u.ids, func(row IDRow) bool { return row.ID == had }) {
		had = u.ids[0].ID
	}
	return w.keepID(u, had)
}

// newID gives the user a free ID, by the office's word.
func (w *work) newID(u *user, id string) error {
	if err := w.rename(u, id); err != nil {
		return err
	}
	c := contributionOf(u.contributions, protocol.SourceOffice).Clone()
	c.Set(protocol.FieldUserID, protocol.Text(id), w.stamp())
	u.contributions = withContribution(u.contributions, c)
	w.refold(u)
	return nil
}

// partNamed has the rows of sources name whom they named before. The next import
// looks at all rows of both again: what a source says about each is to be what
// that one's rows say, and a row that went missing meanwhile is missed then.
func (w *work) partNamed(stays, goes *user, m *wentInto) error {
	for _, n := range m.Goes.Named {
		now, ok, err := w.tx.NamedOne(n.Source, n.Identity)
		switch {
		case err != nil:
			return err
		case ok && now.GUID != stays.row.GUID, !slices.Contains(w.meta.Rules.Order, n.Source):
			continue // it names somebody else by now, or there is no such source any more
		}
		if n.GUID = goes.row.GUID; !n.Absent() {
			n.Digest = 0
		}
		if err := w.putNamed(n.Source, []SourceUser{n.SourceUser}); err != nil {
			return err
		}
	}
	return w.takeAgain(stays.row.GUID)
}

// takeBack is what a user is given back of what was said about it: credentials
// that others have got meanwhile stay theirs, and those that were revoked
// meanwhile open nothing.
func (w *work) takeBack(u *user, cs []protocol.Contribution) ([]protocol.Contribution, error) {
	cs, err := w.refuseTaken(u, cs)
	if err != nil {
		return nil, err
	}
	office := contributionOf(cs, protocol.SourceOffice).Clone()
	for _, c := range cs {
		for k, e := range c.Credentials {
			row, revoked := w.revocation(k)
			if !revoked || (e.State != protocol.Given && e.State != protocol.Revoked) {
				continue
			}
			if own := office.Credentials[k]; own.State != protocol.Revoked {
				row.Before = own.State
				office.SetCredential(e.Credential, protocol.Revoked, w.stamp())
			}
			row.GUID = u.row.GUID
			w.revoked[k] = &row
		}
	}
	if office.Empty() {
		return cs, nil
	}
	return withContribution(cs, office), nil
}
