package roster

import (
	"context"
	"errors"
	"fmt"

	"doorsync/protocol"
)

// importing is one import while it runs.
type importing struct {
	w      *work
	in     *Import
	source SourceRow
	actor  Actor
	at     protocol.Stamp
	counts Counts
	stale  map[KeyHash]string // who came to have keys since the survey
	fields []protocol.Field   // in the order in which people are shown them

	waits   []refusal // people of whom something was refused
	changes []ValueChange
	mails   []MailRow
}

// errDry ends a transaction whose effects were only asked for.
var errDry = errors.New("dry run")

// Import takes in what a source says, in one transaction: with any error nothing
// is kept. Persons are taken in order, and what they come to depends on nothing
// else, so that a dry run tells what the run will.
func (r *Roster) Import(ctx context.Context, a Actor, in Import) (Counts, error) {
	var counts Counts
	err := r.update(ctx, func(w *work) error {
		im, err := w.importing(a, &in)
		if err != nil {
			return err
		}
		if err := im.run(ctx); err != nil {
			return err
		}
		counts = im.counts
		if !in.Dry {
			return im.finish()
		}
		if err := w.spill(); err != nil { // what fails on the run fails now
			return err
		}
		return errDry
	})
	if err != nil && !errors.Is(err, errDry) {
		return Counts{}, fmt.Errorf("import source %s: %w", in.Source, err)
	}
	return counts, nil
}

func (w *work) importing(a Actor, in *Import) (*importing, error) {
	src, err := w.added(in.Source)
	if err != nil {
		return nil, err
	}
	if in.Revision > w.meta.Revision || in.Revision < src.Changed {
		return nil, fmt.Errorf("%w: the source was changed", ErrStale)
	}
	actor := Actor{Name: fmt.Sprintf("import %s, run %d", in.Source, in.Run), From: a.Name}
	im := &importing{w: w, in: in, source: src, actor: actor, at: w.stamp(), fields: protocol.Fields()}
	w.passing, w.namedIn = true, in.Source
	im.stale, err = w.keysSince(in.Revision)
	return im, err
}

func (im *importing) run(ctx context.Context) error {
	for p, err := range im.in.Persons {
		if err != nil {
			return err
		}
		if err := im.person(&p); err != nil {
			return err
		}
		if len(im.w.order) < im.w.r.spillAt && len(im.w.users) < 4*im.w.r.spillAt && len(im.w.named) < 8*im.w.r.spillAt {
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := im.spill(); err != nil {
			return err
		}
	}
	if err := im.tryAgain(); err != nil {
		return err
	}
	return im.w.written()
}

// spill writes what has come together. Small imports are written at the end, as
// every other change is.
func (im *importing) spill() error {
	if err := im.writeMails(); err != nil {
		return err
	}
	return im.w.spill()
}

func (im *importing) writeMails() error {
	if len(im.mails) == 0 {
		return nil
	}
	if err := im.w.written(); err != nil {
		return err
	}
	err := im.w.tx.PutMails(im.mails)
	im.mails = nil
	return err
}

// finish keeps the run, in the same transaction.
func (im *importing) finish() error {
	if err := im.writeMails(); err != nil {
		return err
	}
	src := &im.source
	src.Runs, src.Changed = max(src.Runs, im.in.Run), im.w.meta.Revision
	if err := im.w.putSource(*src); err != nil {
		return err
	}
	if im.in.Finish == nil {
		return nil
	}
	return im.w.tx.PutRun(im.in.Finish(im.counts))
}

// person takes one in.
func (im *importing) person(p *Person) error {
	if len(p.Words) == 0 {
		return im.gone(p)
	}
	if p.GUID == "" {
		return im.enter(p)
	}
	if err := im.w.written(); err != nil { // most of what is asked about users is asked of the store
		return err
	}
	u, err := im.w.follow(p.GUID)
	switch {
	case errors.Is(err, ErrNotFound):
		return fmt.Errorf("line %d: %w: user %s is not there", p.Words[0].Line, ErrStale, p.GUID)
	case err != nil:
		return err
	case u.removed() && p.By != "":
		return fmt.Errorf("line %d: %w: the user it was associated with was deleted", p.Words[0].Line, ErrStale)
	case u.removed():
		return im.removed(p, u)
	}
	if p.By != "" {
		if err := im.fresh(p, u.row.GUID); err != nil {
			return err
		}
	}
	return im.restate(p, u)
}

// enter begins a user whom nobody knew.
func (im *importing) enter(p *Person) error {
	if err := im.fresh(p, ""); err != nil {
		return err
	}
	if im.counts.New == unseenAfter {
		if err := im.w.lookAhead(); err != nil {
			return err
		}
	}
	u, err := im.w.newUser(im.source.Name, "", "")
	if err != nil {
		return err
	}
	said, err := im.said(p.Words)
	if err != nil {
		return err
	}
	var unsettled bool
	if said.id, unsettled, err = im.identify(u, said, true, p.Words[0].Line); err != nil {
		return err
	}
	refused, err := im.firstWords(u, said)
	if err != nil {
		return err
	}
	im.report(p, u, &effective{}, news{any: true}, true)
	im.nameAll(p, u, unsettled || refused)
	if !refused {
		return nil
	}
	return im.wait(p, u, unsettled)
}

// removed is about somebody who is named and is not there.
func (im *importing) removed(p *Person, u *user) error {
	back, err := im.comesBack(p, u)
	switch {
	case err != nil:
		return err
	case back:
		return im.restateAs(p, u, effective{}, "back as they were: they had been removed when the source no longer named them")
	}
	rows, err := im.w.tx.NamedBy(u.row.GUID)
	if err != nil {
		return err
	}
	for _, row := range rows {
		if row.Source == im.source.Name && row.Digest == DigestRemoved {
			return im.enter(p) // who was removed cannot come back as they were
		}
	}
	return im.deleted(p, u)
}

// deleted leaves somebody deleted whom the office deleted while the source named
// them.
func (im *importing) deleted(p *Person, u *user) error {
	e := Effect{Kind: EffectWarning, Line: p.Words[0].Line, GUID: u.row.GUID, Text: "the user was deleted at the center and stays so; restore it there, or take the row out of the source"}
	if len(u.ids) > 0 {
		e.UserID = u.ids[0].ID
	}
	im.tell(e)
	for i := range p.Words {
		im.name(&p.Words[i], u.row.GUID, false)
	}
	return nil
}

// restate puts what the words say in place of what the source said about a user.
func (im *importing) restate(p *Person, u *user) error {
	return im.restateAs(p, u, effective{u.record, u.keys}, "")
}

// restateAs tells of somebody who is back as of somebody new, in some words.
func (im *importing) restateAs(p *Person, u *user, before effective, back string) error {
	said, err := im.said(p.Words)
	if err != nil {
		return err
	}
	var unsettled bool
	if said.id, unsettled, err = im.identify(u, said, false, p.Words[0].Line); err != nil {
		return err
	}
	c, n, err := im.contribution(u, said)
	if err != nil {
		return err
	}
	im.w.introduce(u, im.source.Name)
	if n.any {
		im.w.touch(u, "")
		u.contributions = withContribution(u.contributions, c)
		im.w.refold(u)
	}
	if back == "" {
		im.report(p, u, &before, n, false)
	} else {
		im.reportNew(p, u, &before, n, back)
	}
	refused, revoked := im.notInEffect(c)
	im.nameAll(p, u, unsettled || refused)
	if !refused && !revoked {
		return nil
	}
	return im.wait(p, u, unsettled)
}

// notInEffect tells whether a contribution has credentials that are refused, or
// revoked.
func (im *importing) notInEffect(c protocol.Contribution) (refused, revoked bool) {
	for k, e := range c.Credentials {
		switch e.State {
		case protocol.Refused:
			refused = true
		case protocol.Given:
			_, is := im.w.revocation(k)
			revoked = revoked || is
		}
	}
	return refused, revoked
}

// keysSince are the values of keys that users have who changed after a revision.
func (w *work) keysSince(revision uint64) (map[KeyHash]string, error) {
	if w.keys == nil || revision == w.meta.Revision {
		return nil, nil
	}
	var guids []string
	err := w.tx.UsersSince(revision, func(u *UserRow) bool {
		if u.sought() {
			guids = append(guids, u.GUID)
		}
		return len(guids) <= maxSince
	})
	if err == nil && len(guids) > maxSince {
		err = fmt.Errorf("%w: more than %d of them", ErrStale, maxSince)
	}
	if err != nil {
		return nil, err
	}
	out := map[KeyHash]string{}
	for _, guid := range guids {
		u, err := w.user(guid)
		if err != nil {
			return nil, err
		}
		for _, v := range w.keys.values(u.contributions, u.ids) {
			out[v.hash()] = guid
		}
	}
	return out, nil
}

// maxSince is how many changed users an import looks at before it is planned
// anew.
const maxSince = 20_000

// fresh fails if since the survey somebody else came to have a key by which the
// person would have been found.
func (im *importing) fresh(p *Person, guid string) error {
	if len(im.stale) == 0 {
		return nil
	}
	for i := range p.Words {
		for _, k := range im.source.Keys {
			for _, v := range p.Words[i].KeyValues(k) {
				if other, ok := im.stale[k.Hash(v)]; ok && other != guid {
					return fmt.Errorf("line %d: %w: somebody else has the same %s now", p.Words[i].Line, ErrStale, k)
				}
			}
		}
	}
	return nil
}
