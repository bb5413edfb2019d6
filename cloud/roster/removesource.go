package roster

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"doorsync/protocol"
)

// RemoveSource withdraws all that a source said, as if it no longer named
// anybody, and forgets the source.
func (r *Roster) RemoveSource(ctx context.Context, a Actor, name protocol.Source, effect func(Effect)) error {
	_, err := r.removeSource(ctx, a, name, effect, false)
	return err
}

// PreviewRemoveSource tells what RemoveSource would do, and changes nothing.
func (r *Roster) PreviewRemoveSource(ctx context.Context, name protocol.Source, effect func(Effect)) (Counts, error) {
	return r.removeSource(ctx, Actor{}, name, effect, true)
}

func (r *Roster) removeSource(ctx context.Context, a Actor, name protocol.Source, effect func(Effect), dry bool) (Counts, error) {
	var counts Counts
	err := r.update(ctx, func(w *work) error {
		src, err := w.added(name)
		if err != nil {
			return err
		}
		in := &Import{Source: name, Effect: effect, Dry: dry}
		im := &importing{w: w, in: in, source: src, actor: a, at: w.stamp(), fields: protocol.Fields()}
		w.passing, w.namedIn = true, name
		w.note(a, protocol.EventOfficeChanged, nil, fmt.Sprintf("removed source %s", name))
		if err := im.everybodyGone(ctx); err != nil {
			return err
		}
		counts = im.counts
		if err := w.leaveOrder(src); err != nil {
			return err
		}
		if !dry {
			return nil
		}
		if err := w.spill(); err != nil {
			return err
		}
		return errDry
	})
	if err != nil && !errors.Is(err, errDry) {
		return Counts{}, fmt.Errorf("remove source: %w", err)
	}
	return counts, nil
}

// everybodyGone goes through all rows. A user whom several rows name is gone with
// the last of them.
func (im *importing) everybodyGone(ctx context.Context) error {
	for {
		var rows []SourceUser
		err := im.w.tx.Named(im.source.Name, Identity{}, func(row SourceUser) bool {
			rows = append(rows, row)
			return len(rows) < im.w.r.spillAt
		})
		if err != nil || len(rows) == 0 {
			return err
		}
		for _, row := range rows {
			if err := im.erase(row); err != nil {
				return err
			}
		}
		im.w.named = im.w.named[:0] // rows that are forgotten
		if err := ctx.Err(); err != nil {
			return err
		}
		if len(im.w.order) >= im.w.r.spillAt {
			if err := errors.Join(im.w.spill(), im.w.written()); err != nil {
				return err
			}
		}
	}
}

// erase lets one row go, and with the last row of a user what is left of the
// source's word.
func (im *importing) erase(row SourceUser) error {
	if err := im.w.tx.DropNamed(im.source.Name, []Identity{row.Identity}); err != nil || row.GUID == "" {
		return err
	}
	p := Person{GUID: row.GUID, Lost: []Identity{row.Identity}}
	still, _, err := im.namedStill(&p)
	if err != nil || still {
		return err
	}
	u, err := im.w.follow(row.GUID)
	if err != nil || u.removed() {
		return err
	}
	if !row.Absent() {
		if err := im.goneUser(&p, u); err != nil {
			return err
		}
	}
	if im.source.staysSaid() || u.removed() || contributionOf(u.contributions, im.source.Name).Empty() {
		return nil
	}
	id := u.record.UserID()
	im.w.touch(u, "")
	u.contributions = without(u.contributions, im.source.Name)
	im.w.refold(u)
	return im.w.keepID(u, id)
}

// staysSaid tells that something the source said outlasts it.
func (row SourceRow) staysSaid() bool {
	return !slices.Contains([]Gone{GoneRemove, GoneRemoveOnly}, row.Gone)
}

// leaveOrder takes a source out of the order, and forgets it. What it said and
// what stays said comes after all others from now on.
func (w *work) leaveOrder(src SourceRow) error {
	rules := w.meta.Rules
	leave := func(all []protocol.Source) []protocol.Source {
		return slices.DeleteFunc(slices.Clone(all), func(s protocol.Source) bool { return s == src.Name })
	}
	rules.Order = leave(rules.Order)
	overrides := map[protocol.Field][]protocol.Source{}
	for f, over := range rules.Overrides {
		if over = leave(over); len(over) > 0 {
			overrides[f] = over
		}
	}
	rules.Overrides = overrides
	if src.staysSaid() {
		if !slices.Contains(w.meta.Left, src.Name) {
			w.meta.Left = append(slices.Clone(w.meta.Left), src.Name)
		}
		w.reorder(rules)
	} else {
		w.meta.Rules = rules
		w.resettle()
	}
	if err := w.dropSource(src.Name); err != nil {
		return err
	}
	return w.replan()
}
