package roster

import (
	"fmt"
	"slices"

	"doorsync/protocol"
)

// refusal is somebody of whom a credential was refused. It is asked for again
// when all rows are in: the card may have moved from one row to another.
type refusal struct {
	guid string
	line int
	rows []SourceUser // as they are named once nothing is refused; none if more than credentials was
}

// maxWaits bounds how many are kept to be tried again; others are tried again
// with the next import.
const maxWaits = 1 << 16

// why says why somebody may not have a credential.
type why struct {
	revoked bool
	holder  string // user ID
}

func (y why) nothing() bool { return !y.revoked && y.holder == "" }

func (y why) text() string {
	if y.revoked {
		return "the credential is revoked and opens nothing; allow it at the center, or take it out of the source"
	}
	return fmt.Sprintf("the credential belongs to user %s; take it from one of them, or merge them if they are one person", y.holder)
}

// refusal is why a user may not have a credential; mine is set where it is
// revoked but the user's own.
func (w *work) refusal(u *user, k protocol.CredentialKey) (y why, mine bool, err error) {
	if len(u.keys) > 0 && !u.plain {
		_, mine = u.held(k)
	}
	if row, ok := w.revocation(k); ok {
		return why{revoked: true}, mine || row.GUID == u.row.GUID, nil
	}
	if mine {
		return why{}, true, nil
	}
	guid, err := w.holder(k)
	if err != nil || guid == "" || guid == u.row.GUID {
		return why{}, false, err
	}
	holder, err := w.user(guid)
	if err != nil {
		return why{}, false, err
	}
	return why{holder: holder.record.UserID()}, false, nil
}

// wait keeps somebody to be asked about again.
func (im *importing) wait(p *Person, u *user, more bool) error {
	one := refusal{guid: u.row.GUID, line: p.Words[0].Line}
	if len(im.waits) == maxWaits {
		return im.refused(u, &one)
	}
	for i := 0; i < len(p.Words) && !more; i++ {
		one.rows = append(one.rows, SourceUser{Identity: p.Words[i].Identity, Digest: p.Words[i].Digest, GUID: u.row.GUID})
	}
	im.waits = append(im.waits, one)
	return nil
}

// tryAgain gives credentials that have become free, and tells of those that have
// not.
func (im *importing) tryAgain() error {
	for i := range im.waits {
		one := &im.waits[i]
		u, err := im.w.follow(one.guid)
		if err != nil {
			return err
		}
		if err := im.giveFreed(u, one); err != nil {
			return err
		}
		if err := im.refused(u, one); err != nil {
			return err
		}
		if len(im.w.users) >= 2*im.w.r.spillAt {
			if err := im.spill(); err != nil {
				return err
			}
		}
	}
	return nil
}

// giveFreed gives what was refused and is free by now.
func (im *importing) giveFreed(u *user, one *refusal) error {
	c := contributionOf(u.contributions, im.source.Name)
	var freed []protocol.CredentialKey
	left := 0
	for _, k := range refusedOf(c) {
		y, _, err := im.w.refusal(u, k)
		if err != nil {
			return err
		}
		if y.nothing() {
			freed = append(freed, k)
		} else {
			left++
		}
	}
	if len(freed) == 0 {
		return nil
	}
	c = c.Clone()
	im.changes = im.changes[:0]
	for _, k := range freed {
		e := c.Credentials[k]
		e.State, e.Stamp = protocol.Given, im.at
		c.Credentials[k] = e
		im.changes = append(im.changes, ValueChange{What: e.Credential.String(), New: "given"})
	}
	u.contributions = withContribution(u.contributions, c)
	im.w.touch(u, "")
	im.w.refold(u)
	e := im.effect(EffectUpdated, one.line, u)
	e.Values = im.changes
	im.tell(e)
	im.w.note(im.actor, protocol.EventOfficeChanged, u, summaryOf(im.changes))
	if left == 0 && len(one.rows) > 0 {
		im.w.named = append(im.w.named, one.rows...)
	}
	return nil
}

// refused tells what of a user's credentials is not in effect.
func (im *importing) refused(u *user, one *refusal) error {
	c := contributionOf(u.contributions, im.source.Name)
	keys := refusedOf(c)
	for k, e := range c.Credentials {
		if _, revoked := im.w.revocation(k); revoked && e.State == protocol.Given {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	for _, k := range keys {
		y, _, err := im.w.refusal(u, k)
		if err != nil {
			return err
		}
		e := im.effect(EffectRefused, one.line, u)
		e.Credential, e.Holder, e.Text = c.Credentials[k].Credential.String(), y.holder, y.text()
		im.tell(e)
	}
	return nil
}
