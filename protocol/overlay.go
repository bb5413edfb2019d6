package protocol

import "maps"

// OverlayValues is Overlay for values alone, of what one source has said since:
// the values of Overlay's record, at less cost. Held against it by a property
// test.
func OverlayValues(base map[Field]Holding, said Contribution, rules Rules) map[Field]Holding {
	out := maps.Clone(base)
	if out == nil {
		out = make(map[Field]Holding, len(said.Values))
	}
	for f, s := range said.Values {
		if h, ok := base[f]; ok && h.Source == said.Source {
			st := Statement{Value: h.Value, Blank: h.Blank, Stamp: h.Stamp}
			s = joinSaid(Said{First: st, Latest: st}, s)
			delete(out, f)
		}
		foldValue(out, f, s, said.Source, rules)
	}
	return out
}
