package roster

import (
	"fmt"
	"slices"

	"doorsync/protocol"
)

// splitSource takes off what a source says about a user whom it does not mean,
// and begins a user with it. The source's row names that one from now on, so that
// it is never again associated with the other. Where several rows name the user,
// what each says is told apart by the next import alone: the new user has no more
// than a user ID until then.
func (w *work) splitSource(a Actor, u *user, o SplitOptions) (*user, error) {
	rows, one, err := w.namedOf(u, o)
	if err != nil {
		return nil, err
	}
	c := contributionOf(u.contributions, o.Source).Clone()
	several := len(rows) > 1
	switch {
	case len(rows) == 0 && c.Empty():
		return nil, fmt.Errorf("source %s: %w: it says nothing about user %s", o.Source, ErrNotFound, u.record.UserID())
	case !several && len(u.introducers()) == 1 && u.introducers()[0] == o.Source:
		return nil, invalid("source %s alone introduced user %s: there is nobody to split it from", o.Source, u.record.UserID())
	}
	w.touch(u, "")
	w.claim(u) // who loses something comes first
	if several {
		c = protocol.NewContribution(o.Source)
	} else {
		u.contributions = without(u.contributions, o.Source)
		w.refold(u)
		w.forgets(u, o.Source)
	}
	off, err := w.newUser(o.Source, "", "")
	if err != nil {
		return nil, err
	}
	if err := w.enterWith(off, u, c, o); err != nil {
		return nil, err
	}
	w.note(a, protocol.EventOfficeChanged, u, fmt.Sprintf("split: source %s means user %s (%s)", o.Source, off.record.UserID(), off.row.GUID))
	w.note(a, protocol.EventOfficeChanged, off, fmt.Sprintf("split off user %s (%s), by source %s", u.record.UserID(), u.row.GUID, o.Source))
	if err := w.takeAgain(u.row.GUID); err != nil || one == nil {
		return off, err
	}
	one.GUID, one.Digest = off.row.GUID, 0
	return off, w.putNamed(o.Source, []SourceUser{*one})
}

// namedOf are the rows by which the source names the user, and the one that is
// meant; nil if the source has none any more while its word still stands.
func (w *work) namedOf(u *user, o SplitOptions) (rows []SourceUser, one *SourceUser, err error) {
	if builtIn(o.Source) {
		return nil, nil, invalid("what %s say is of this user alone; name a source that was added", o.Source)
	}
	if _, err := w.added(o.Source); err != nil {
		return nil, nil, err
	}
	err = w.eachNamed(u.row.GUID, func(n NamedUser) error {
		if n.Source == o.Source && !n.Absent() {
			rows = append(rows, n.SourceUser)
		}
		return nil
	})
	switch {
	case err != nil:
		return nil, nil, err
	case o.Identity == nil && len(rows) > 1:
		return nil, nil, invalid("source %s names user %s by %d rows; say by which sync ID or e-mail address", o.Source, u.record.UserID(), len(rows))
	case o.Identity == nil && len(rows) == 1:
		return rows, &rows[0], nil
	case o.Identity == nil:
		return nil, nil, nil
	}
	i := slices.IndexFunc(rows, func(n SourceUser) bool { return n.Identity == *o.Identity })
	if i < 0 {
		return nil, nil, fmt.Errorf("row of source %s: %w: none of that sync ID or e-mail address names user %s", o.Source, ErrNotFound, u.record.UserID())
	}
	return rows, &rows[i], nil
}

// enterWith gives the new user what the source says, and a user ID: the one that
// came with it, if nobody else speaks of the other by it, or a new one.
func (w *work) enterWith(off, u *user, c protocol.Contribution, o SplitOptions) error {
	had := u.record.UserID()
	id := c.Values[protocol.FieldUserID].Latest.Value.First
	i := slices.IndexFunc(u.ids, func(row IDRow) bool { return row.ID == id })
	var err error
	switch {
	case o.UserID != "":
		id, err = o.UserID, w.newID(off, o.UserID)
	case i >= 0 && len(u.ids) > 1 && !saidBy(u.contributions, id):
		err = w.giveID(off, IDRow{ID: id, Since: off.row.Created})
	default:
		id, err = w.freeID(off, o.Source)
	}
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(u.ids, func(row IDRow) bool { return row.ID == had }) {
		had = u.ids[0].ID
	}
	if err := w.keepID(u, had); err != nil {
		return err
	}
	if off.contributions, err = w.takeBack(off, withContribution(off.contributions, c)); err != nil {
		return err
	}
	w.refold(off)
	return w.keepID(off, id)
}

// saidBy tells that some source calls the user by an ID.
func saidBy(cs []protocol.Contribution, id string) bool {
	return slices.ContainsFunc(cs, func(c protocol.Contribution) bool {
		return c.Values[protocol.FieldUserID].Latest.Value.First == id
	})
}

// freeID gives the user the next of the IDs that are made up for people of the
// source.
func (w *work) freeID(u *user, s protocol.Source) (string, error) {
	src, err := w.added(s)
	if err != nil {
		return "", err
	}
	im := importing{w: w, source: src}
	id, err := im.makeUp(u)
	if err != nil {
		return "", err
	}
	return id, w.putSource(im.source)
}
