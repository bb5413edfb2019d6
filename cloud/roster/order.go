package roster

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"doorsync/protocol"
)

// Sources lists the sources in their order.
func (r *Roster) Sources(context.Context) ([]SourceView, error) {
	rules := r.Rules()
	var out []SourceView
	for i, s := range rules.Order {
		v := SourceView{Source: s, Rank: i + 1}
		for _, f := range slices.Sorted(maps.Keys(rules.Overrides)) {
			if over := rules.Overrides[f]; len(over) > 0 && over[0] == s {
				v.Fields = append(v.Fields, f)
			}
		}
		out = append(out, v)
	}
	return out, nil
}

// SetOrder puts new rules in force and returns: what is said from now on is
// folded under them, and Run computes all users anew who may differ. Progress
// tells how far that is.
func (r *Roster) SetOrder(ctx context.Context, a Actor, rules protocol.Rules) error {
	err := r.update(ctx, func(w *work) error {
		if err := w.checkRules(rules); err != nil {
			return err
		}
		w.reorder(ownID(rules))
		w.note(a, protocol.EventOfficeChanged, nil, fmt.Sprintf("order of sources: %v", rules.Order))
		return nil
	})
	if err != nil {
		return fmt.Errorf("set order: %w", err)
	}
	return nil
}

// reorder puts rules in force and lets all users be computed anew.
func (w *work) reorder(rules protocol.Rules) {
	start := ""
	w.resettle()
	w.meta.Rules, w.meta.Recompute = rules, &start
	w.meta.Recomputing = &Recomputing{Began: w.meta.Revision, Started: w.now.UnixMilli()}
}

// ownID keeps the user ID the office's to change, or nobody could be renumbered.
func ownID(rules protocol.Rules) protocol.Rules {
	rules.Order = slices.Clone(rules.Order)
	rules.Overrides = maps.Clone(rules.Overrides)
	if rules.Overrides == nil {
		rules.Overrides = map[protocol.Field][]protocol.Source{}
	}
	rules.Overrides[protocol.FieldUserID] = []protocol.Source{protocol.SourceOffice}
	return rules
}
