package roster

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"doorsync/protocol"
)

// Delete takes a user away everywhere. It can be restored.
func (r *Roster) Delete(ctx context.Context, a Actor, idOrGUID string) error {
	err := r.update(ctx, func(w *work) error {
		u, err := w.existing(idOrGUID)
		if err != nil {
			return err
		}
		w.note(a, protocol.EventOfficeDeleted, u, "")
		return w.remove(u)
	})
	if err != nil {
		return fmt.Errorf("delete user: %w", err)
	}
	return nil
}

// remove leaves a tombstone, and what is needed to restore the user in a grave.
// The user's IDs find the tombstone until somebody else gets them.
func (w *work) remove(u *user) error {
	if err := w.bury(u); err != nil {
		return err
	}
	if err := w.dropAbsent(u.row.GUID); err != nil {
		return err
	}
	w.touch(u, "")
	w.claim(u)
	u.row.Removed = u.row.Revision
	u.contributions = nil
	w.refold(u)
	// Only the site of a conflict has ever heard of it. What the site says before
	// it learns of this was meant for this user, not for who has the ID elsewhere.
	site := u.row.Site
	err := w.settle(u)
	u.row.Site = site
	return err
}

func (w *work) bury(u *user) error {
	g := Grave{GUID: u.row.GUID}
	var err error
	if g.Record, err = w.r.codec.Marshal(u.record); err != nil {
		return fmt.Errorf("bury user %s: %w", g.GUID, err)
	}
	g.Contributions = encodeContributions(u.contributions, u.record)
	return w.tx.PutGrave(g)
}

// bumpHolder lets sites look anew at who has an ID, if somebody else has.
func (w *work) bumpHolder(id string, other *user) error {
	row, ok, err := w.id(id)
	if err != nil || !ok {
		return err
	}
	holder, err := w.follow(row.GUID)
	if err == nil && holder.row.GUID != other.row.GUID && !holder.removed() {
		w.bump(holder)
	}
	return err
}

// allSiteIDs are the rows that speak of one site, as the transaction has them.
func (w *work) allSiteIDs() map[siteID]IDRow {
	out := map[siteID]IDRow{}
	maps.Copy(out, w.r.state.siteIDs)
	absorbPointers(out, w.siteIDs)
	return out
}

// Restore brings a deleted user back as it was; credentials that others have
// got meanwhile stay theirs.
func (r *Roster) Restore(ctx context.Context, a Actor, idOrGUID string) (UserView, error) {
	var guid string
	err := r.update(ctx, func(w *work) error {
		u, err := w.deleted(idOrGUID)
		if err != nil {
			return err
		}
		if err := w.raise(u); err != nil {
			return err
		}
		w.note(a, protocol.EventOfficeChanged, u, "restored")
		guid = u.row.GUID
		return nil
	})
	if err != nil {
		return UserView{}, fmt.Errorf("restore user: %w", err)
	}
	return r.User(ctx, guid)
}

// deleted finds a deleted user by GUID, or by the ID it had while nobody else
// has it.
func (w *work) deleted(idOrGUID string) (*user, error) {
	guid := idOrGUID
	if row, ok, err := w.id(idOrGUID); err != nil {
		return nil, err
	} else if ok {
		guid = row.GUID
	}
	if _, held, err := w.tx.User(guid); err != nil || !held {
		if err == nil {
			err = notFound("user", idOrGUID)
		}
		return nil, err
	}
	u, err := w.follow(guid)
	if err == nil && !u.removed() {
		err = fmt.Errorf("user %q: %w: it was not deleted", clip(idOrGUID), ErrExists)
	}
	return u, err
}

func (w *work) raise(u *user) error {
	g, ok, err := w.tx.Grave(u.row.GUID)
	if err != nil {
		return err
	}
	if !ok {
		return notFound("what was deleted of user", u.row.GUID)
	}
	old, err := decodeUser(w.r.codec, UserRow{GUID: g.GUID, Record: g.Record, Contributions: g.Contributions})
	if err != nil {
		return err
	}
	if err := w.tx.DropGrave(g.GUID); err != nil {
		return err
	}
	if err := w.takeAgain(g.GUID); err != nil {
		return err
	}
	w.touch(u, "")
	w.claim(u)
	u.row.Removed, u.row.Site = 0, ""
	if u.contributions, err = w.refuseTaken(u, old.contributions); err != nil {
		return err
	}
	w.refold(u)
	return w.takeIDsBack(u)
}

// takeIDsBack gives the user its ID again, and the aliases nobody else has got.
func (w *work) takeIDsBack(u *user) error {
	id := u.record.UserID()
	if row, ok, err := w.id(id); err != nil {
		return err
	} else if ok && row.GUID != u.row.GUID {
		other, err := w.follow(row.GUID)
		if err != nil {
			return err
		}
		if !other.removed() {
			return fmt.Errorf("user ID %q: %w: it is another user's now; renumber that one first", id, ErrExists)
		}
	}
	since := u.row.Revision
	for _, row := range append(slices.Clone(u.ids), IDRow{ID: id}) {
		if err := w.giveID(u, IDRow{ID: row.ID, Since: since}); err != nil {
			return err
		}
	}
	return nil
}

// refuseTaken marks as refused what somebody else holds by now.
func (w *work) refuseTaken(u *user, cs []protocol.Contribution) ([]protocol.Contribution, error) {
	out := make([]protocol.Contribution, len(cs))
	at := w.stamp()
	for i, c := range cs {
		out[i] = c.Clone()
		for k, e := range c.Credentials {
			guid, err := w.holder(k)
			if err != nil {
				return nil, err
			}
			switch _, revoked := w.revocation(k); {
			case e.State == protocol.Given && guid != "" && guid != u.row.GUID:
				out[i].Mark(k, protocol.Refused, at)
			case e.State == protocol.Revoked && !revoked: // allowed while the user was away
				out[i].Mark(k, protocol.Given, at)
			}
		}
	}
	return out, nil
}
