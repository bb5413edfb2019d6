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

// chunk is how many users are computed anew in one transaction.
const chunk = 500

// SetOrder puts new rules in force and computes every user anew, in several
// transactions; interrupted, it is gone on with when the roster is next opened.
func (r *Roster) SetOrder(ctx context.Context, a Actor, rules protocol.Rules) error {
	if err := checkRules(rules); err != nil {
		return fmt.Errorf("set order: %w", err)
	}
	rules = ownID(rules)
	err := r.update(ctx, func(w *work) error {
		start := ""
		w.meta.Rules, w.meta.Recompute = rules, &start
		w.resettle()
		w.note(a, protocol.EventOfficeChanged, nil, fmt.Sprintf("order of sources: %v", rules.Order))
		return nil
	})
	if err == nil {
		err = r.recompute(ctx)
	}
	if err != nil {
		return fmt.Errorf("set order: %w", err)
	}
	return nil
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

func checkRules(rules protocol.Rules) error {
	seen := map[protocol.Source]bool{}
	for _, s := range rules.Order {
		switch {
		case s == "" || seen[s]:
			return invalid("source %q: named twice, or without a name", s)
		case s != protocol.SourceOffice && s != protocol.SourceReaders:
			return invalid("there is no source %q; there are %s and %s", clip(string(s)), protocol.SourceOffice, protocol.SourceReaders)
		}
		seen[s] = true
	}
	if !seen[protocol.SourceOffice] || !seen[protocol.SourceReaders] {
		return invalid("the order must have %s and %s in it", protocol.SourceOffice, protocol.SourceReaders)
	}
	for f, over := range rules.Overrides {
		if !f.Known() {
			return invalid("unknown value %q", clip(string(f)))
		}
		for _, s := range over {
			if !seen[s] {
				return invalid("%s: unknown source %q", f, s)
			}
		}
	}
	for f, s := range rules.SettleBy {
		if !f.Known() || !knownSettle(s) {
			return invalid("%s: readers settle by %s or %s", f, protocol.SettleFirst, protocol.SettleLatest)
		}
	}
	if !knownSettle(rules.Settle) {
		return invalid("readers settle by %s or %s", protocol.SettleFirst, protocol.SettleLatest)
	}
	return nil
}

func knownSettle(s protocol.Settle) bool {
	return s == protocol.SettleFirst || s == protocol.SettleLatest
}

// recompute folds every user under the rules in force, from where it was left.
func (r *Roster) recompute(ctx context.Context) error {
	for r.state.metaNow().Recompute != nil {
		if err := r.update(ctx, (*work).recompute); err != nil {
			return err
		}
	}
	return nil
}

func (w *work) recompute() error {
	if w.meta.Recompute == nil {
		return nil
	}
	var guids []string
	err := w.tx.UsersFrom(*w.meta.Recompute, func(u *UserRow) bool {
		guids = append(guids, u.GUID)
		return len(guids) < chunk
	})
	if err != nil {
		return err
	}
	for _, guid := range guids {
		u, err := w.user(guid)
		if err != nil {
			return err
		}
		if u.row.live() {
			w.touch(u, "")
			w.refold(u)
		}
	}
	w.meta.Recompute = nil
	if len(guids) == chunk {
		w.meta.Recompute = &guids[chunk-1]
	}
	return nil
}
