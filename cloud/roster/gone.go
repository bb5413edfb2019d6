package roster

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"doorsync/protocol"
)

// gone carries out what becomes of a user whom the source no longer names.
func (im *importing) gone(p *Person) error {
	if p.GUID == "" || len(p.Lost) == 0 {
		return invalid("a person without rows")
	}
	if err := im.writeNamed(); err != nil { // what is asked below
		return err
	}
	still, news, err := im.namedStill(p)
	if err != nil || !news {
		return err
	}
	u, err := im.w.follow(p.GUID)
	switch {
	case errors.Is(err, ErrNotFound), err == nil && u.removed():
		return im.w.tx.DropNamed(im.source.Name, p.Lost)
	case err != nil:
		return err
	case still:
		im.nameAll(p, u, false)
		return nil
	}
	return im.goneUser(p, u)
}

// namedStill tells whether other rows of the source name the user, and whether
// that these do not is news.
func (im *importing) namedStill(p *Person) (still, news bool, err error) {
	rows, err := im.w.tx.NamedBy(p.GUID)
	for _, row := range rows {
		if row.Source != im.source.Name || row.Absent() {
			continue
		}
		if slices.Contains(p.Lost, row.Identity) {
			news = true
		} else {
			still = true
		}
	}
	return still, news, err
}

func (im *importing) goneUser(p *Person, u *user) error {
	name := im.source.Name
	only := slices.Equal(u.introducers(), []protocol.Source{name})
	switch g := im.source.Gone; {
	case g == GoneRemove, g == GoneRemoveOnly && only:
		return im.removeGone(p, u)
	case g == GoneDeactivate, g == GoneDeactivateOnly && only:
		im.deactivate(u)
	case g == GoneKeep:
		e := im.effect(EffectWithdrawn, 0, u)
		e.Text = "the source no longer names the user; what it said stays"
		im.tell(e)
	default:
		if err := im.withdraw(u); err != nil {
			return err
		}
	}
	im.w.forgets(u, name)
	im.nameAll(p, u, false)
	return nil
}

func (im *importing) removeGone(p *Person, u *user) error {
	e := im.effect(EffectRemoved, 0, u)
	im.mail(e, u.record, "")
	im.w.note(im.actor, protocol.EventOfficeDeleted, u, "no longer in source "+string(im.source.Name))
	im.tell(e)
	if err := im.w.remove(u); err != nil {
		return err
	}
	im.nameLost(p, u.row.GUID, DigestRemoved)
	return nil
}

// comesBack brings back a user who was removed because the source no longer named
// them, and now does: an export that was short for a day must not cost people
// what they had enrolled at readers. It does nothing for somebody whom the office
// deleted, or whose user ID is somebody else's by now.
func (im *importing) comesBack(p *Person, u *user) (bool, error) {
	if err := im.writeNamed(); err != nil { // what is asked below
		return false, err
	}
	for i := range p.Words {
		row, ok, err := im.w.tx.NamedOne(im.source.Name, p.Words[i].Identity)
		if err != nil || !ok || row.Digest != DigestRemoved {
			return false, err
		}
	}
	id, ok, err := im.w.buriedID(u)
	if err != nil || !ok {
		return false, err
	}
	if holder, err := im.w.lookup(id); err != nil || holder != nil {
		return false, err
	}
	return true, im.w.raise(u)
}

// buriedID is the user ID that a removed user had; ok is false for one who cannot
// be brought back.
func (w *work) buriedID(u *user) (id string, ok bool, err error) {
	g, ok, err := w.tx.Grave(u.row.GUID)
	if err != nil || !ok || u.row.MergedInto != "" {
		return "", false, err
	}
	rec, err := w.r.codec.UnmarshalValues(g.Record)
	if err != nil {
		return "", false, fmt.Errorf("decode what user %s was: %w: %w", g.GUID, ErrDamaged, err)
	}
	return rec.UserID(), true, nil
}

// deactivate lets the source say that the user is inactive.
func (im *importing) deactivate(u *user) {
	before := effective{u.record, u.keys}
	c := contributionOf(u.contributions, im.source.Name).Clone()
	st := protocol.Statement{Value: protocol.Text(protocol.StateInactive), Stamp: im.at}
	if c.Values[protocol.FieldState].Latest.Value != st.Value {
		c.Values[protocol.FieldState] = protocol.Said{First: st, Latest: st}
		im.say(u, c)
	}
	im.compare(&before, u, []protocol.Field{protocol.FieldState})
	e := im.effect(EffectDeactivated, 0, u)
	e.Values = im.changes
	if h := u.record.Values[protocol.FieldState]; h.Value != st.Value {
		e.Text = "stays active: the state is held by " + string(h.Source)
	}
	im.w.note(im.actor, protocol.EventOfficeChanged, u, cmp.Or(summaryOf(im.changes), "nothing that shows"))
	im.tell(e)
}

// withdraw takes back all that the source said. The user keeps a user ID.
func (im *importing) withdraw(u *user) error {
	before := effective{u.record, u.keys}
	id := u.record.UserID()
	if c, changed := im.withdrawn(contributionOf(u.contributions, im.source.Name)); changed {
		im.say(u, c)
		if err := im.w.keepID(u, id); err != nil {
			return err
		}
	}
	im.compare(&before, u, nil)
	im.w.note(im.actor, protocol.EventOfficeChanged, u, cmp.Or(summaryOf(im.changes), "nothing that shows"))
	e := im.effect(EffectWithdrawn, 0, u)
	e.Values = im.changes
	im.tell(e)
	return nil
}

// say puts a contribution in place of what the source said.
func (im *importing) say(u *user, c protocol.Contribution) {
	u.contributions = withContribution(u.contributions, c)
	im.w.touch(u, "")
	im.w.refold(u)
}
