package roster

import (
	"slices"

	"doorsync/protocol"
)

// checkRules reports what is wrong with rules that somebody wants in force.
func (w *work) checkRules(rules protocol.Rules) error {
	if err := w.checkOrder(rules.Order); err != nil {
		return err
	}
	for f, over := range rules.Overrides {
		if !f.Known() {
			return invalid("unknown value %q", clip(string(f)))
		}
		for _, s := range over {
			if !slices.Contains(rules.Order, s) {
				return invalid("%s: unknown source %q", f, clip(string(s)))
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

// checkOrder wants every source in the order, once.
func (w *work) checkOrder(order []protocol.Source) error {
	there := w.meta.Rules.Order
	seen := map[protocol.Source]bool{}
	for _, s := range order {
		switch {
		case s == "" || seen[s]:
			return invalid("source %q: named twice, or without a name", clip(string(s)))
		case !slices.Contains(there, s):
			return invalid("there is no source %q; there are %s", clip(string(s)), listed(there))
		}
		seen[s] = true
	}
	for _, s := range there {
		if !seen[s] {
			return invalid("the order must have %s in it", s)
		}
	}
	return nil
}

func knownSettle(s protocol.Settle) bool {
	return s == protocol.SettleFirst || s == protocol.SettleLatest
}
