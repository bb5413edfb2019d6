package roster

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"doorsync/protocol"
)

// Put changes a user, or creates one under a free user ID.
func (r *Roster) Put(ctx context.Context, a Actor, idOrGUID string, p Patch) (UserView, error) {
	var guid string
	err := r.update(ctx, func(w *work) error {
		if err := p.check(); err != nil {
			return err
		}
		if err := w.checkCustom(p); err != nil {
			return err
		}
		u, err := w.lookup(idOrGUID)
		switch {
		case err != nil:
			return err
		case u == nil && p.OnlyExisting:
			return notFound("user", idOrGUID)
		case u != nil && p.OnlyNew:
			return fmt.Errorf("user %q: %w", clip(idOrGUID), ErrExists)
		case u == nil:
			if u, err = w.create(idOrGUID, p); err != nil {
				return err
			}
		}
		if err := w.patch(u, p); err != nil {
			return err
		}
		w.note(a, protocol.EventOfficeChanged, u, p.summary())
		guid = u.row.GUID
		return nil
	})
	if err != nil {
		return UserView{}, fmt.Errorf("put user: %w", err)
	}
	return r.User(ctx, guid)
}

// lookup finds a user by ID or GUID; nil if there is none or it was deleted.
func (w *work) lookup(idOrGUID string) (*user, error) {
	row, ok, err := w.id(idOrGUID)
	if err != nil {
		return nil, err
	}
	guid := row.GUID
	if !ok {
		if _, held, err := w.tx.User(idOrGUID); err != nil || !held {
			return nil, err
		}
		guid = idOrGUID
	}
	u, err := w.follow(guid)
	if err != nil || !u.removed() {
		return u, err
	}
	if !ok {
		return nil, fmt.Errorf("user %s: %w; restore it first", idOrGUID, ErrRemoved)
	}
	return nil, nil
}

// existing is lookup for what needs a user.
func (w *work) existing(idOrGUID string) (*user, error) {
	u, err := w.lookup(idOrGUID)
	if err == nil && u == nil {
		err = notFound("user", idOrGUID)
	}
	return u, err
}

// create begins a user of the office. The ID may be in Set instead.
func (w *work) create(id string, p Patch) (*user, error) {
	if v, ok := p.Set[protocol.FieldUserID]; ok && v.First != id {
		return nil, notFound("user", id)
	}
	if err := checkID(id); err != nil {
		return nil, invalid("%w", err)
	}
	u, err := w.newUser(protocol.SourceOffice, "", "")
	if err != nil {
		return nil, err
	}
	c := protocol.NewContribution(protocol.SourceOffice)
	c.Set(protocol.FieldUserID, protocol.Text(id), w.stamp())
	u.contributions = withContribution(u.contributions, c)
	return u, w.giveID(u, IDRow{ID: id, Since: u.row.Created})
}

// patch lets the office say what is in p.
func (w *work) patch(u *user, p Patch) error {
	at := w.stamp()
	c := contributionOf(u.contributions, protocol.SourceOffice).Clone()
	for f, v := range p.Set {
		if v = v.Trimmed(); f == protocol.FieldUserID {
			if err := w.rename(u, v.First); err != nil {
				return err
			}
		}
		c.Set(f, v, at)
	}
	for _, f := range p.Withdraw {
		c.Set(f, protocol.Value{}, at)
	}
	for _, f := range p.Blank {
		c.BlankOut(f, at)
	}
	if err := w.patchCredentials(u, c, p, at); err != nil {
		return err
	}
	for _, g := range p.Join {
		c.SetGroup(g, protocol.Given, at)
	}
	if err := w.know(p.Join); err != nil {
		return err
	}
	for _, g := range p.Leave {
		c.SetGroup(g, leaving(u, g), at)
	}
	u.contributions = withContribution(u.contributions, c)
	w.touch(u, "")
	w.refold(u)
	return nil
}

// leaving takes the membership back; where another source gives it too, that is
// not enough, and it is said outright.
func leaving(u *user, group string) protocol.Giving {
	for _, c := range u.contributions {
		if c.Source != protocol.SourceOffice && c.Groups[group].State == protocol.Given {
			return protocol.Revoked
		}
	}
	return protocol.Withdrawn
}

func (w *work) patchCredentials(u *user, c protocol.Contribution, p Patch, at protocol.Stamp) error {
	for _, cr := range p.Give {
		k := cr.Key()
		if _, ok := w.revocation(k); ok {
			return &CredentialRevokedError{Key: k}
		}
		guid, err := w.holder(k)
		if err != nil {
			return err
		}
		if guid != "" && guid != u.row.GUID {
			holder, err := w.user(guid)
			if err != nil {
				return err
			}
			return &CredentialHeldError{Key: k, Holder: holder.record.UserID(), HolderGUID: guid}
		}
		c.SetCredential(cr, protocol.Given, at)
	}
	for _, k := range p.TakeBack {
		if c.Credentials[k].State != protocol.Given {
			return fmt.Errorf("%s: %w: the office did not give it to this user; revoke it if it must open nothing", k, ErrNotFound)
		}
		c.Mark(k, protocol.Withdrawn, at)
	}
	return nil
}

// rename gives the user another ID; the old one goes on finding it.
func (w *work) rename(u *user, id string) error {
	if err := checkID(id); err != nil {
		return invalid("%w", err)
	}
	row, ok, err := w.id(id)
	if err != nil {
		return err
	}
	if ok {
		other, err := w.follow(row.GUID)
		if err != nil {
			return err
		}
		if other.row.GUID == u.row.GUID && u.row.Site == "" {
			return nil
		}
		if !other.removed() {
			return fmt.Errorf("user ID %q: %w: it is user %s (%s)", id, ErrExists, other.record.UserID(), other.row.GUID)
		}
	}
	w.touch(u, "")
	w.claim(u)
	if err := w.settle(u); err != nil {
		return err
	}
	return w.giveID(u, IDRow{ID: id, Since: u.row.Revision})
}

// check reports what is wrong with a patch, all of it at once.
func (p Patch) check() error {
	var faults []string
	fault := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	seen := map[protocol.Field]bool{}
	for _, f := range slices.Concat(slices.Sorted(maps.Keys(p.Set)), p.Blank, p.Withdraw) {
		if !f.Known() {
			fault("unknown value %q", clip(string(f)))
		}
		if seen[f] {
			fault("%s is named twice", f)
		}
		seen[f] = true
	}
	for _, f := range slices.Concat(p.Blank, p.Withdraw) {
		if f == protocol.FieldUserID {
			fault("a user must have a user ID")
		}
	}
	for _, f := range slices.Sorted(maps.Keys(p.Set)) {
		if why := checkValue(f, p.Set[f].Trimmed()); why != "" {
			fault("%s: %s", f, why)
		}
	}
	for _, c := range p.Give {
		if err := c.Valid(); err != nil {
			fault("%v", err)
		}
	}
	for _, g := range slices.Concat(p.Join, p.Leave) {
		if checkID(g) != nil {
			fault("group %q: must have 1 to 64 characters", clip(g))
		}
	}
	if len(faults) > 0 {
		return invalid("%s", strings.Join(faults, "; "))
	}
	return nil
}

func checkValue(f protocol.Field, v protocol.Value) string {
	switch {
	case v.IsNull():
		return "is empty; withdraw it, or hold it blank"
	case len(v.First) > 1024 || len(v.Second) > 1024:
		return "is longer than 1024 bytes"
	case f == protocol.FieldState && v.First != protocol.StateActive && v.First != protocol.StateInactive:
		return "must be active or inactive"
	case f == protocol.FieldValidity:
		if _, err := protocol.ParseValidity(v); err != nil {
			return err.Error()
		}
	}
	return ""
}

// summary names what a patch is about, without any value.
func (p Patch) summary() string {
	var parts []string
	add := func(how string, what ...string) {
		for _, s := range what {
			parts = append(parts, how+s)
		}
	}
	for _, f := range slices.Sorted(maps.Keys(p.Set)) {
		add("", string(f))
	}
	for _, f := range p.Blank {
		add("blank ", string(f))
	}
	for _, f := range p.Withdraw {
		add("without ", string(f))
	}
	for _, c := range p.Give {
		add("", c.String())
	}
	for _, k := range p.TakeBack {
		add("without ", k.String())
	}
	add("group ", p.Join...)
	add("without group ", p.Leave...)
	return strings.Join(parts, ", ")
}
