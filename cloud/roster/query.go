package roster

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"doorsync/protocol"
)

// User finds a user by user ID (or alias) or GUID. A user in conflict is found
// by its GUID alone.
func (r *Roster) User(ctx context.Context, idOrGUID string) (UserView, error) {
	var out UserView
	err := r.store.View(ctx, func(v View) error {
		row, err := locate(v, idOrGUID)
		if err != nil {
			return err
		}
		out, err = r.view(v, row)
		return err
	})
	if err != nil {
		return UserView{}, fmt.Errorf("show user: %w", err)
	}
	return out, nil
}

// locate finds a row by user ID or GUID, and goes on from a merged user to what
// it has become.
func locate(v View, idOrGUID string) (UserRow, error) {
	guid := idOrGUID
	if row, ok, err := v.ID("", idOrGUID); err != nil {
		return UserRow{}, err
	} else if ok {
		guid = row.GUID
	}
	for range 64 {
		row, ok, err := v.User(guid)
		if err != nil {
			return row, err
		}
		if !ok {
			return row, notFound("user", idOrGUID)
		}
		if row.MergedInto == "" {
			return row, nil
		}
		guid = row.MergedInto
	}
	return UserRow{}, fmt.Errorf("user %s: %w: merged in a circle", guid, ErrDamaged)
}

// read is view for a GUID that may be gone.
func (r *Roster) read(v View, guid string) (UserView, bool, error) {
	row, ok, err := v.User(guid)
	if err != nil || !ok {
		return UserView{}, false, err
	}
	out, err := r.view(v, row)
	return out, err == nil, err
}

// view shows a row. A deleted user is shown as it was.
func (r *Roster) view(v View, row UserRow) (UserView, error) {
	out := UserView{
		GUID: row.GUID, Revision: row.Revision, Created: row.Created, EnrolledBy: row.EnrolledBy,
		Conflict: row.Site, Removed: row.Removed != 0,
	}
	record := row.Record
	if out.Removed {
		if g, ok, err := v.Grave(row.GUID); err != nil {
			return out, err
		} else if ok {
			record = g.Record
		}
	}
	if err := r.codec.Unmarshal(record, &out.Record); err != nil {
		return out, fmt.Errorf("user %s: %w: %w", row.GUID, ErrDamaged, err)
	}
	out.User = out.Record.User(r.Rules())
	out.ID = out.User.ID
	if len(row.IDs) > 1 {
		out.Aliases = row.IDs[1:]
	}
	return out, nil
}

// limits of a page.
const (
	defaultLimit = 100
	maxLimit     = 1000
)

// Users lists users.
func (r *Roster) Users(ctx context.Context, q Query) (Page, error) {
	keep, err := r.filter(q)
	if err != nil {
		return Page{}, fmt.Errorf("list users: %w", err)
	}
	limit := min(cmp.Or(max(q.Limit, 0), defaultLimit), maxLimit)
	sort, guid, _ := strings.Cut(q.After, "\n")
	var page Page
	err = r.store.View(ctx, func(v View) error {
		var guids []string
		err := v.Heads(sort, guid, func(u *UserRow) bool {
			if !keep(u) {
				return ctx.Err() == nil
			}
			if len(guids) == limit {
				page.Next = sort + "\n" + guid
				return false
			}
			guids = append(guids, u.GUID)
			sort, guid = u.Sort, u.GUID
			return true
		})
		for _, g := range guids {
			if err != nil {
				break
			}
			var u UserView
			u, _, err = r.read(v, g)
			page.Users = append(page.Users, u)
		}
		return cmp.Or(err, ctx.Err())
	})
	if err != nil {
		return Page{}, fmt.Errorf("list users: %w", err)
	}
	return page, nil
}

// filter is what a query asks of a user's head.
func (r *Roster) filter(q Query) (func(*UserRow) bool, error) {
	var seen *scope
	if q.Site != "" {
		m, err := r.at(q.Site, 1, 0)
		if err != nil {
			return nil, err
		}
		seen = &m.scope
	}
	if q.State != "" && !slices.Contains([]string{protocol.StateActive, protocol.StateInactive, "conflict"}, q.State) {
		return nil, invalid("state %q: must be active, inactive or conflict", clip(q.State))
	}
	text := strings.ToLower(strings.TrimSpace(q.Text))
	return func(u *UserRow) bool {
		switch {
		case u.MergedInto != "" || (u.Removed != 0) != q.Removed:
			return false
		case text != "" && !strings.Contains(u.Search, text):
			return false
		case seen != nil && !seen.sees(u):
			return false
		case q.Group != "" && !slices.Contains(u.Groups, q.Group):
			return false
		case q.State == "conflict":
			return u.Site != ""
		case q.State != "":
			return u.Inactive == (q.State == protocol.StateInactive)
		}
		return true
	}, nil
}

// Conflicts lists users that wait for a person to merge or renumber them.
func (r *Roster) Conflicts(ctx context.Context) ([]Conflict, error) {
	var out []Conflict
	err := r.store.View(ctx, func(v View) error {
		rows, err := v.SiteIDs()
		if err != nil {
			return err
		}
		for _, row := range rows {
			if row.Until != 0 {
				continue
			}
			c := Conflict{Site: row.Site, UserID: row.ID}
			if c.User, _, err = r.read(v, row.GUID); err != nil {
				return err
			}
			if holder, ok, err := v.ID("", row.ID); err != nil {
				return err
			} else if ok {
				h, ok, err := r.read(v, holder.GUID)
				if err != nil {
					return err
				}
				if ok && !h.Removed {
					c.Holder = &h
				}
			}
			out = append(out, c)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list conflicts: %w", err)
	}
	return out, nil
}
