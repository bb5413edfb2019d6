package roster

import "doorsync/protocol"

// checkRules reports what is wrong with rules that somebody wants in force.
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
