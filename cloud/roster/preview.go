package roster

import (
	"context"
	"errors"
	"fmt"

	"doorsync/protocol"
)

// previewed is how many users are looked at in one snapshot, and told of after
// it: a snapshot that is held for long keeps the store's log from being cut.
const previewed = 20_000

// PreviewOrder tells what rules would change if they were put in force, in order
// of GUID, and changes nothing. Writers wait for none of it, so users that they
// change meanwhile are told of as they were before or after. Credentials and
// groups are united whatever the rules are, so only values can change. The
// Effect's slices are the caller's.
func (r *Roster) PreviewOrder(ctx context.Context, rules protocol.Rules, effect func(Effect)) (Counts, error) {
	var counts Counts
	if err := (&work{r: r, meta: r.state.metaNow()}).checkRules(rules); err != nil {
		return counts, fmt.Errorf("preview order: %w", err)
	}
	rules = ownID(rules)
	p := orderPreview{r: r, rules: rules, fields: protocol.Fields()}
	for !p.last {
		if err := p.look(ctx); err != nil {
			return counts, fmt.Errorf("preview order: %w", err)
		}
		counts.Unchanged += p.unchanged
		counts.Updated += len(p.effects)
		for _, e := range p.effects {
			effect(e)
		}
	}
	return counts, nil
}

// orderPreview is how far a preview of the order is.
type orderPreview struct {
	r      *Roster
	rules  protocol.Rules
	fields []protocol.Field

	after     string // GUID
	last      bool
	effects   []Effect
	unchanged int
}

// look takes the next users.
func (p *orderPreview) look(ctx context.Context) error {
	p.effects, p.unchanged, p.last = p.effects[:0], 0, true
	return p.r.store.View(ctx, func(v View) error {
		var bad error
		n := 0
		err := v.Contested(p.after, func(row *UserRow) bool {
			n++
			p.after = row.GUID
			bad = p.user(row)
			p.last = bad == nil && ctx.Err() == nil && n < previewed
			return p.last
		})
		return errors.Join(bad, err, ctx.Err())
	})
}

func (p *orderPreview) user(row *UserRow) error {
	if !row.live() {
		return nil
	}
	if !row.contested() {
		p.unchanged++
		return nil
	}
	u, err := outlineOf(p.r.codec, &storedUser{row: *row})
	if err != nil {
		return err
	}
	before := u.record
	u.refoldValues(p.rules)
	changes := p.changes(before, u.record)
	if len(changes) == 0 {
		p.unchanged++
		return nil
	}
	p.effects = append(p.effects, Effect{
		Kind: EffectUpdated, UserID: before.UserID(), GUID: row.GUID, Name: nameOf(before), Values: changes,
	})
	return nil
}

// changes are the values that differ, and whose word they are then. Another
// source with the same value changes nothing in effect.
func (p *orderPreview) changes(before, after protocol.Record) []ValueChange {
	var out []ValueChange
	add := func(f protocol.Field) {
		old, held := before.Values[f], after.Values[f]
		if old.Value != held.Value {
			out = append(out, ValueChange{What: string(f), Old: f.Show(old.Value), New: f.Show(held.Value), Source: held.Source})
		}
	}
	for _, f := range p.fields {
		add(f)
	}
	for _, f := range customOf(before, after, nil) {
		add(f)
	}
	return out
}

// errNotKept ends a transaction that was only to tell something.
var errNotKept = errors.New("nothing is kept")

// withoutKeeping runs fn as a transaction of which nothing is kept.
func (r *Roster) withoutKeeping(ctx context.Context, fn func(*work) error) error {
	err := r.update(ctx, func(w *work) error {
		if err := fn(w); err != nil {
			return err
		}
		return errNotKept
	})
	if errors.Is(err, errNotKept) {
		return nil
	}
	return err
}

// PreviewMerge tells what making one user of two would come to, and changes
// nothing: first what changes of the one that stays, then what is not kept of the
// other.
func (r *Roster) PreviewMerge(ctx context.Context, one, other string) ([]Effect, error) {
	var out []Effect
	err := r.withoutKeeping(ctx, func(w *work) error {
		a, err := w.existing(one)
		if err != nil {
			return err
		}
		b, err := w.existing(other)
		if err != nil {
			return err
		}
		was := [2]mergeSide{sideSeen(a), sideSeen(b)}
		stays, err := w.merge(Actor{}, a, b)
		if err != nil {
			return err
		}
		if was[0].guid != stays.row.GUID {
			was[0], was[1] = was[1], was[0]
		}
		out = []Effect{was[0].becomes(stays), was[1].isCeded(stays)}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("preview merge: %w", err)
	}
	return out, nil
}

// mergeSide is one of two users as it was before.
type mergeSide struct {
	effective
	guid string
}

func sideSeen(u *user) mergeSide {
	return mergeSide{effective{u.record, u.keys}, u.row.GUID}
}

func (s *mergeSide) effect(kind EffectKind) Effect {
	return Effect{Kind: kind, UserID: s.record.UserID(), GUID: s.guid, Name: nameOf(s.record)}
}

// becomes tells what changes of the one that stays.
func (s *mergeSide) becomes(u *user) Effect {
	im := importing{fields: protocol.Fields()}
	im.compare(&s.effective, u, nil)
	e := s.effect(EffectUpdated)
	e.Values = im.changes
	return e
}

// isCeded tells what of the other is not kept.
func (s *mergeSide) isCeded(u *user) Effect {
	e := s.effect(EffectAssociated)
	e.Text = fmt.Sprintf("goes on as user %s (%s); its user IDs find that one", u.record.UserID(), u.row.GUID)
	for _, f := range append(protocol.Fields(), customOf(s.record, protocol.Record{}, nil)...) {
		was, held := s.record.Values[f].Value, u.record.Values[f]
		if !was.IsNull() && was != held.Value {
			e.Values = append(e.Values, ValueChange{What: string(f), Old: f.Show(held.Value), New: f.Show(was), HeldBy: held.Source})
		}
	}
	im := importing{}
	im.compareCredentials(&s.effective, u)
	im.compareGroups(s.record.Groups, u.record.Groups)
	for _, c := range im.changes {
		if c.New == "" { // what the other brings is told with it
			e.Values = append(e.Values, c)
		}
	}
	return e
}
