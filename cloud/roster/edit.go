package roster

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"doorsync/protocol"
)

// edit lets what was changed at a reader have its effect, and returns the GUID
// of the user it was about, "" if it had none.
//
// What decides is the revision that the site held when it happened: an edit
// speaks of the user whom the site then knew under the ID.
func (w *work) edit(site *SiteRow, ep *EpochRow, e *protocol.Entry) (string, error) {
	if err := checkEdit(e.Edit); err != nil {
		w.verdict(ep, e, protocol.EventSaveFailed, err.Error())
		return "", nil
	}
	at := w.arrived(site, ep, e)
	u, fate, err := w.find(site, e)
	if err != nil {
		return "", err
	}
	edit := *e.Edit
	switch fate {
	case meantNobody:
		w.verdict(ep, e, protocol.EventTooLate, "the user was deleted at the center meanwhile")
		return "", nil
	case meantNew:
		edit.New = true
		if u, err = w.enroll(site.Name, edit.UserID); err != nil {
			return "", err
		}
	case meantApart:
		edit.New = true
		w.verdict(ep, e, protocol.EventConflict, fmt.Sprintf("user %s was enrolled apart elsewhere; merge or renumber at the center", edit.UserID))
		if u, err = w.enrollApart(site.Name, edit.UserID, u); err != nil {
			return "", err
		}
	case meantKnown:
		edit.New = false
	}
	return u.row.GUID, w.join(site, ep, e, u, edit, at)
}

// arrived is the stamp with which the edit is taken in. Edits that are moved to
// their arrival keep their order.
func (w *work) arrived(site *SiteRow, ep *EpochRow, e *protocol.Entry) protocol.Stamp {
	at := e.Stamp
	at.Origin = site.Name // whatever it says: a site speaks for itself alone
	at, moved := protocol.Arrived(at, w.meta.Clock, w.now)
	if moved {
		w.verdict(ep, e, protocol.EventStampMoved, "the site's clock is ahead of the center's")
	}
	w.meta.Clock = protocol.Seen(w.meta.Clock, at)
	return at
}

// What an edit can have been about.
type fate int

const (
	meantKnown  fate = iota // the user the center knows under the ID
	meantNew                // somebody new
	meantApart              // somebody new, under an ID that somebody else has
	meantNobody             // somebody who is there no more
)

// find tells about whom an edit speaks; the user is the one whom the ID finds.
func (w *work) find(site *SiteRow, e *protocol.Entry) (*user, fate, error) {
	id := e.Edit.UserID
	if row, ok := w.siteID(site.Name, id); ok && (row.Until == 0 || e.Revision < row.Until) {
		u, err := w.followOutline(row.GUID)
		if err == nil && u.removed() {
			return nil, meantNobody, nil
		}
		return u, meantKnown, err
	}
	row, ok, err := w.id(id)
	if err != nil || !ok {
		return nil, meantNew, err
	}
	u, err := w.followOutline(row.GUID)
	if err != nil {
		return nil, 0, err
	}
	// The ID has come to this user after what the site knew, and not from there.
	apart := row.Since > e.Revision && row.By != site.Name
	// The site had heard of everything up to there, and knew nobody under the ID:
	// the user is not for it to know.
	hidden := row.Since <= e.Revision && e.Edit.New
	switch {
	case u.removed() && (e.Revision >= u.row.Removed || (apart && e.Edit.New)):
		return nil, meantNew, nil
	case u.removed():
		return nil, meantNobody, nil
	case hidden, apart && e.Edit.New:
		if err := u.complete(w.r.codec); err != nil {
			return nil, 0, err
		}
		if saysNothingNew(u, e.Edit) {
			return u, meantKnown, nil
		}
		return u, meantApart, nil
	case apart:
		return nil, meantNobody, nil
	default:
		return u, meantKnown, nil
	}
}

// saysNothingNew recognizes a user who was already the same at both sites, when
// readers that were filled from one list are first connected: the edit gives
// credentials, the user has them all, and every value is equal. Nothing of two
// people can be blended by what changes nothing.
func saysNothingNew(u *user, e *protocol.Edit) bool {
	if len(e.Given) == 0 {
		return false
	}
	for _, c := range e.Given {
		if _, ok := u.held(c.Key()); !ok {
			return false
		}
	}
	for f, v := range e.Values {
		if v = v.Trimmed(); !v.IsNull() && u.record.Values[f].Value != v {
			return false
		}
	}
	return true
}

// enroll begins a user whom a site enrolled.
func (w *work) enroll(site, id string) (*user, error) {
	u, err := w.newUser(protocol.SourceReaders, site, "")
	if err != nil {
		return nil, err
	}
	return u, w.giveID(u, IDRow{ID: id, Since: u.row.Created, By: site})
}

// enrollApart begins a user whom only its site sees, in place of the holder of
// the ID.
func (w *work) enrollApart(site, id string, holder *user) (*user, error) {
	u, err := w.newUser(protocol.SourceReaders, site, site)
	if err != nil {
		return nil, err
	}
	w.siteIDs[siteID{site, id}] = &IDRow{ID: id, Site: site, GUID: u.row.GUID, Since: u.row.Created, By: site}
	w.bump(holder)
	return u, nil
}

// bump gives a user a new revision although nothing about it changed: who sees
// it did.
func (w *work) bump(u *user) {
	w.touch(u, "")
	u.force = true
	w.claim(u)
}

// join lets the edit say what it says about the user.
func (w *work) join(site *SiteRow, ep *EpochRow, e *protocol.Entry, u *user, edit protocol.Edit, at protocol.Stamp) error {
	if err := w.ready(u, edit); err != nil {
		return err
	}
	refused, err := w.refusals(ep, e, u)
	if err != nil {
		return err
	}
	edit.Refused = refused
	if err := w.know(edit.Groups); err != nil {
		return err
	}
	foreign := u.foreignTo(site.Name)
	w.touch(u, site.Name)
	w.say(u, edit.Contribution(at, w.meta.Rules))
	if e.Revision >= foreign {
		return nil // the site knew all that decides, and has said so itself
	}
	for _, n := range edit.NotKept(u.record, w.meta.Rules) {
		w.verdict(ep, e, protocol.EventValueNotKept, fmt.Sprintf("%s: held by %s", n.Field, n.HeldBy))
	}
	return nil
}

// ready completes the user unless values are all that the edit is about. While a
// change of the rules is under way, nobody knows under which ones the rest of the
// record was folded, so all of it is folded again.
func (w *work) ready(u *user, edit protocol.Edit) error {
	if w.meta.Recompute == nil && len(edit.Given)+len(edit.Withdrawn)+len(edit.Groups) == 0 {
		return nil
	}
	return u.complete(w.r.codec)
}

// foreignTo is the revision of the last change of the user that the site did not
// make itself.
func (u *user) foreignTo(site string) uint64 {
	if slices.ContainsFunc(u.touched, func(by string) bool { return by != site }) {
		return math.MaxUint64 // in this very transaction
	}
	if u.row.ChangedBy == site {
		return u.row.Foreign
	}
	if u.was.Handle == 0 {
		return 0
	}
	return u.was.Revision
}

// refusals are the credentials of an edit that somebody else holds, or that are
// revoked; the site is told of those it could not know. What a site refused
// because it took the user for somebody else is the user's own all the same.
func (w *work) refusals(ep *EpochRow, e *protocol.Entry, u *user) ([]protocol.CredentialKey, error) {
	var out []protocol.CredentialKey
	for _, c := range e.Edit.Given {
		k := c.Key()
		said := slices.Contains(e.Edit.Refused, k)
		why, mine, err := w.objection(u, k)
		if err != nil {
			return nil, err
		}
		if why != "" && !said {
			w.verdict(ep, e, protocol.EventCredentialRefused, fmt.Sprintf("%s: %s", k, why))
		}
		if (said || why != "") && !mine {
			out = append(out, k)
		}
	}
	return out, nil
}

// objection says why a user may not have a credential. mine is set when it is
// revoked but the user's own: that a reader gives it is kept, for the day on
// which it is allowed again.
func (w *work) objection(u *user, k protocol.CredentialKey) (why string, mine bool, err error) {
	_, mine = u.held(k)
	if row, ok := w.revocation(k); ok {
		return "revoked", mine || row.GUID == u.row.GUID, nil
	}
	if mine {
		return "", true, nil
	}
	guid, err := w.holder(k)
	if err != nil || guid == "" || guid == u.row.GUID {
		return "", false, err
	}
	holder, err := w.user(guid)
	if err != nil {
		return "", false, err
	}
	return "held by user " + holder.record.UserID(), false, nil
}

// checkEdit refuses what would poison the roster.
func checkEdit(e *protocol.Edit) error {
	if err := checkID(e.UserID); err != nil {
		return err
	}
	for f := range e.Values {
		if !f.Known() {
			return fmt.Errorf("unknown value %q", clip(string(f)))
		}
	}
	for _, c := range e.Given {
		if err := c.Valid(); err != nil {
			return err
		}
	}
	return nil
}

// checkID reports what is wrong with a user ID.
func checkID(id string) error {
	switch {
	case id == "":
		return errors.New("the user ID is empty")
	case len(id) > 64:
		return fmt.Errorf("the user ID %q has more than 64 characters", clip(id))
	case slices.ContainsFunc([]rune(id), func(r rune) bool { return r < ' ' || r == 0x7f }):
		return fmt.Errorf("the user ID %q has control characters", clip(id))
	}
	return nil
}

func clip(s string) string {
	if len(s) > 80 {
		return s[:80] + "…"
	}
	return s
}
