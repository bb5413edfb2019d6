package roster

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"doorsync/protocol"
)

// Merge makes one user of two; the older one's GUID survives, and every user ID
// of both goes on finding it. Credentials and groups of both are united, but for
// those that the office gave to one whom only imports had introduced. Split
// undoes it.
func (r *Roster) Merge(ctx context.Context, a Actor, one, other string) (UserView, error) {
	return r.merging(ctx, "merge users", func(w *work) (*user, error) {
		u, err := w.existing(one)
		if err != nil {
			return nil, err
		}
		o, err := w.existing(other)
		if err != nil {
			return nil, err
		}
		return w.merge(a, u, o)
	})
}

// Resolve ends a conflict.
func (r *Roster) Resolve(ctx context.Context, a Actor, guid string, res Resolution) (UserView, error) {
	return r.merging(ctx, "resolve conflict", func(w *work) (*user, error) {
		if (res.MergeInto == "") == (res.Renumber == "") {
			return nil, invalid("either merge into a user or give a new user ID")
		}
		u, err := w.existing(guid)
		if err != nil {
			return nil, err
		}
		if u.row.Site == "" {
			return nil, fmt.Errorf("user %q: %w: it is in no conflict", clip(guid), ErrNotFound)
		}
		if res.MergeInto != "" {
			into, err := w.existing(res.MergeInto)
			if err != nil {
				return nil, err
			}
			return w.merge(a, u, into)
		}
		w.note(a, protocol.EventOfficeChanged, u, "renumbered to "+res.Renumber)
		return u, w.patch(u, Patch{Set: map[protocol.Field]protocol.Value{protocol.FieldUserID: protocol.Text(res.Renumber)}})
	})
}

func (r *Roster) merging(ctx context.Context, what string, fn func(*work) (*user, error)) (UserView, error) {
	var guid string
	err := r.update(ctx, func(w *work) error {
		u, err := fn(w)
		if err == nil {
			guid = u.row.GUID
		}
		return err
	})
	if err != nil {
		return UserView{}, fmt.Errorf("%s: %w", what, err)
	}
	return r.User(ctx, guid)
}

// merge makes one of two. The one that goes has the earlier of their two new
// revisions, so that sites let go of its IDs and credentials before the other
// claims them.
func (w *work) merge(a Actor, one, other *user) (*user, error) {
	stays, goes := one, other
	if cmp.Or(cmp.Compare(one.row.Created, other.row.Created), strings.Compare(one.row.GUID, other.row.GUID)) > 0 {
		stays, goes = other, one
	}
	switch {
	case stays.row.GUID == goes.row.GUID:
		return nil, invalid("user %s cannot be merged with itself", stays.row.GUID)
	case stays.row.Site != "" && goes.row.Site != "" && stays.row.Site != goes.row.Site:
		return nil, invalid("both users are in conflict, at sites %s and %s; renumber one first", stays.row.Site, goes.row.Site)
	}
	id := mergedID(stays, goes)
	conflict := stays.row.Site != "" && goes.row.Site != ""
	w.note(a, protocol.EventOfficeChanged, stays, fmt.Sprintf("merged with user %s (%s)", goes.record.UserID(), goes.row.GUID))
	both := bothSaid(stays, goes)
	if err := w.keepMerge(stays, goes); err != nil {
		return nil, err
	}
	if err := w.mergeAway(goes, stays); err != nil {
		return nil, err
	}
	w.touch(stays, "")
	w.claim(stays)
	stays.row.Known = unitedSources(stays.introducers(), goes.introducers())
	stays.contributions = both
	if err := w.routeConflicts(goes, stays); err != nil {
		return nil, err
	}
	if !conflict {
		if err := w.settle(stays); err != nil {
			return nil, err
		}
	}
	w.refold(stays)
	return stays, w.keepID(stays, id)
}

// mergedID is the ID that readers are to be given if the contributions do not
// say one that is the user's: that of the older, but never one that somebody
// else has.
func mergedID(stays, goes *user) string {
	if stays.row.Site != "" && goes.row.Site == "" {
		return goes.record.UserID()
	}
	return stays.record.UserID()
}

// reclaimed is what was said about a user, with credentials that were refused
// because the other has them given after all.
func reclaimed(u, other *user) []protocol.Contribution {
	out := make([]protocol.Contribution, len(u.contributions))
	for i, c := range u.contributions {
		out[i] = c.Clone()
		for k, e := range c.Credentials {
			if _, ok := other.held(k); ok && e.State == protocol.Refused {
				e.State = protocol.Given
				out[i].Credentials[k] = e
			}
		}
	}
	return out
}

func (w *work) mergeAway(goes, stays *user) error {
	w.touch(goes, "")
	w.claim(goes)
	goes.row.Removed, goes.row.MergedInto = goes.row.Revision, stays.row.GUID
	goes.contributions = nil
	w.refold(goes)
	for _, row := range goes.ids {
		if err := w.giveID(stays, row); err != nil {
			return err
		}
	}
	return nil
}

// routeConflicts hands what finds one user at a site over to another.
func (w *work) routeConflicts(from, to *user) error {
	for k, row := range w.allSiteIDs() {
		if row.GUID == from.row.GUID {
			row.GUID = to.row.GUID
			w.siteIDs[k] = &row
		}
	}
	return nil
}

// settle ends the user's conflict: every site sees it, and whoever else has its
// old ID is seen again where it was hidden. Edits that the site made before it
// learns of this still find the user.
func (w *work) settle(u *user) error {
	u.row.Site = ""
	for k, row := range w.allSiteIDs() {
		if row.GUID != u.row.GUID || row.Until != 0 {
			continue
		}
		if err := w.bumpHolder(k.id, u); err != nil {
			return err
		}
		row.Until = w.meta.Revision // until the site has all of this
		w.siteIDs[k] = &row
	}
	return nil
}

// keepID makes sure that the ID readers are given is one that finds the user.
func (w *work) keepID(u *user, id string) error {
	if slices.ContainsFunc(u.ids, func(row IDRow) bool { return row.ID == u.record.UserID() }) || u.row.Site != "" {
		return nil
	}
	c := contributionOf(u.contributions, protocol.SourceOffice).Clone()
	c.Set(protocol.FieldUserID, protocol.Text(id), w.stamp())
	u.contributions = withContribution(u.contributions, c)
	w.refold(u)
	return nil
}
