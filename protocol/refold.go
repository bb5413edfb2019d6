package protocol

import "maps"

// JoinShared is Join for those who never change a contribution in place: the
// result shares with a every map of which b does not speak.
func JoinShared(a, b Contribution) Contribution {
	out := a
	if len(b.Values) > 0 || a.Values == nil {
		out.Values = copied(a.Values)
	}
	if len(b.Credentials) > 0 || a.Credentials == nil {
		out.Credentials = copied(a.Credentials)
	}
	if len(b.Groups) > 0 || a.Groups == nil {
		out.Groups = copied(a.Groups)
	}
	out.take(b)
	return out
}

func copied[K comparable, V any](m map[K]V) map[K]V {
	if m == nil {
		return map[K]V{}
	}
	return maps.Clone(m)
}

// Refold is Fold of contributions, one of each source, where was is what they
// folded to before word was joined into one of them. A word on values alone
// costs no more than these: the rest of the record is shared with was. GUID and
// Site stay as they are.
func Refold(was Record, contributions []Contribution, word Contribution, rules Rules) Record {
	if len(word.Credentials) > 0 || len(word.Groups) > 0 {
		out := Fold(contributions, rules)
		out.GUID, out.Site = was.GUID, was.Site
		return out
	}
	out := was
	out.Values = copied(was.Values)
	for f := range word.Values {
		delete(out.Values, f)
		for _, c := range contributions {
			if said, ok := c.Values[f]; ok {
				foldValue(out.Values, f, said, c.Source, rules)
			}
		}
	}
	return out
}
