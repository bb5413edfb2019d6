package roster

import (
	"cmp"
	"slices"
	"strings"

	"doorsync/protocol"
)

// tell counts an effect and tells it.
func (im *importing) tell(e Effect) {
	c := &im.counts
	switch e.Kind {
	case EffectNew:
		c.New++
	case EffectAssociated:
		c.Associated++
	case EffectUpdated:
		c.Updated++
	case EffectRemoved:
		c.Removed++
	case EffectDeactivated:
		c.Deactivated++
	case EffectWithdrawn:
		c.Withdrawn++
	case EffectRefused:
		c.Refused++
	case EffectUndecided:
		c.Undecided++
	case EffectWarning:
		c.Warnings++
	}
	if im.in.Effect != nil {
		im.in.Effect(e)
	}
}

func (im *importing) effect(kind EffectKind, line int, u *user) Effect {
	return Effect{Kind: kind, Line: line, UserID: u.record.UserID(), GUID: u.row.GUID, Name: nameOf(u.record)}
}

// nameOf is how people call the user of a record.
func nameOf(r protocol.Record) string {
	said := func(f protocol.Field) string { return r.Values[f].Value.First }
	return cmp.Or(protocol.JoinName(said(protocol.FieldFirstName), said(protocol.FieldLastName)), said(protocol.FieldName))
}

// report tells what a row came to, and keeps a line of it in the log.
func (im *importing) report(p *Person, u *user, before *effective, n news, fresh bool) {
	if fresh {
		im.reportNew(p, u, before, n, "")
		return
	}
	im.compare(before, u, n.values)
	if n.any {
		im.w.note(im.actor, protocol.EventOfficeChanged, u, cmp.Or(summaryOf(im.changes), "nothing that shows"))
	}
	kind := EffectUpdated
	switch {
	case p.By != "":
		kind = EffectAssociated
	case len(im.changes) == 0:
		return
	}
	e := im.effect(kind, p.Words[0].Line, u)
	e.By, e.Values = p.By, im.changes
	im.tell(e)
}

// reportNew tells of somebody who was not there before; text is empty for somebody
// nobody knew.
func (im *importing) reportNew(p *Person, u *user, before *effective, n news, text string) {
	im.compare(before, u, n.values)
	im.w.note(im.actor, protocol.EventOfficeChanged, u, cmp.Or(text, "new"))
	e := im.effect(EffectNew, p.Words[0].Line, u)
	e.By, e.Values, e.Text = p.By, im.changes, text
	im.tell(e)
	im.mail(e, u.record, language(p.Words))
}

func language(words []Word) string {
	for i := range words {
		if words[i].Language != "" {
			return words[i].Language
		}
	}
	return ""
}

func (im *importing) mail(e Effect, rec protocol.Record, language string) {
	if im.in.Mail == nil || im.in.Dry {
		return
	}
	if b := im.in.Mail(e, rec.User(im.w.meta.Rules), language); b != nil {
		im.mails = append(im.mails, MailRow{Mail: b})
	}
}

// summaryOf names what changed, without any value.
func summaryOf(changes []ValueChange) string {
	var b strings.Builder
	for i := range changes {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(changes[i].What)
	}
	return b.String()
}

// effective is what a user was in effect before.
type effective struct {
	record protocol.Record
	keys   []protocol.CredentialKey
}

// compare fills changes with what differs in effect, and with what was said and
// is not kept.
func (im *importing) compare(before *effective, u *user, said []protocol.Field) {
	im.changes = im.changes[:0]
	for _, f := range im.fields {
		im.compareValue(f, before, u, said)
	}
	for _, f := range customOf(before.record, u.record, said) {
		im.compareValue(f, before, u, said)
	}
	im.compareCredentials(before, u)
	im.compareGroups(before.record.Groups, u.record.Groups)
}

func (im *importing) compareValue(f protocol.Field, before *effective, u *user, said []protocol.Field) {
	old, held := before.record.Values[f].Value, u.record.Values[f]
	if old != held.Value {
		im.changes = append(im.changes, ValueChange{What: string(f), Old: f.Show(old), New: f.Show(held.Value)})
	}
	if held.Source == im.source.Name || !slices.Contains(said, f) {
		return
	}
	v := contributionOf(u.contributions, im.source.Name).Values[f].Latest.Value
	if v != held.Value && !v.IsNull() {
		im.changes = append(im.changes, ValueChange{What: string(f), Old: f.Show(held.Value), New: f.Show(v), HeldBy: held.Source})
	}
}

// customOf are the custom values among all.
func customOf(before, after protocol.Record, said []protocol.Field) []protocol.Field {
	var out []protocol.Field
	add := func(f protocol.Field) {
		if strings.HasPrefix(string(f), protocol.CustomPrefix) {
			out = append(out, f)
		}
	}
	for f := range before.Values {
		add(f)
	}
	for f := range after.Values {
		add(f)
	}
	for _, f := range said {
		add(f)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func (im *importing) compareCredentials(before *effective, u *user) {
	old, now := before.record.Credentials, u.record.Credentials
	oldKeys, keys := before.keys, u.keys
	for len(oldKeys) > 0 || len(keys) > 0 {
		switch order := compareSorted(oldKeys, keys); {
		case order < 0:
			im.changed(old[0].Credential.String(), old[0].Active(), false, "given")
			old, oldKeys = old[1:], oldKeys[1:]
		case order > 0:
			im.changed(now[0].Credential.String(), false, now[0].Active(), "given")
			now, keys = now[1:], keys[1:]
		default:
			im.changed(now[0].Credential.String(), old[0].Active(), now[0].Active(), "given")
			old, oldKeys, now, keys = old[1:], oldKeys[1:], now[1:], keys[1:]
		}
	}
}

func (im *importing) compareGroups(old, now []protocol.HeldGroup) {
	for len(old) > 0 || len(now) > 0 {
		switch {
		case len(now) == 0 || (len(old) > 0 && old[0].Group < now[0].Group):
			im.changed("group "+old[0].Group, old[0].Active(), false, "member")
			old = old[1:]
		case len(old) == 0 || now[0].Group < old[0].Group:
			im.changed("group "+now[0].Group, false, now[0].Active(), "member")
			now = now[1:]
		default:
			im.changed("group "+now[0].Group, old[0].Active(), now[0].Active(), "member")
			old, now = old[1:], now[1:]
		}
	}
}

// compareSorted compares the heads of two sorted lists, the end last.
func compareSorted[T cmp.Ordered](a, b []T) int {
	switch {
	case len(a) == 0:
		return 1
	case len(b) == 0:
		return -1
	}
	return cmp.Compare(a[0], b[0])
}

func (im *importing) changed(what string, before, after bool, word string) {
	switch {
	case before == after:
	case after:
		im.changes = append(im.changes, ValueChange{What: what, New: word})
	default:
		im.changes = append(im.changes, ValueChange{What: what, Old: word})
	}
}
