package protocol

import (
	"cmp"
	"maps"
	"slices"
)

// Fold computes the effective record of one user from everything that was
// contributed. It is commutative, associative and idempotent over
// contributions: any order of arrival, any repetition, same record. The GUID is
// the caller's to set.
func Fold(contributions []Contribution, rules Rules) Record {
	by := joined(contributions)
	r := Record{Values: map[Field]Holding{}}
	var credentials []elementWord
	var groups []groupWord
	for _, c := range by {
		foldValues(r.Values, c, rules)
		for k, e := range c.Credentials {
			credentials = append(credentials, elementWord{k, e, c.Source})
		}
		for name, m := range c.Groups {
			groups = append(groups, groupWord{name, m, c.Source})
		}
	}
	r.Credentials, r.Groups = foldCredentials(credentials), foldGroups(groups)
	return r
}

// joined unites the contributions of each source, sorted by source.
func joined(contributions []Contribution) []Contribution {
	by := slices.Clone(contributions)
	slices.SortStableFunc(by, func(a, b Contribution) int { return cmp.Compare(a.Source, b.Source) })
	n := 0
	for i, c := range by {
		if i > 0 && by[n-1].Source == c.Source {
			by[n-1] = Join(by[n-1], c)
			continue
		}
		by[n] = c
		n++
	}
	return by[:n]
}

// foldValues lets one source have its word on every value it speaks of.
func foldValues(held map[Field]Holding, c Contribution, rules Rules) {
	for f, said := range c.Values {
		foldValue(held, f, said, c.Source, rules)
	}
}

// foldValue gives the value to the source if it has one and is higher in the
// priority than who holds it. Pairs are one Value, so either part set gives both.
func foldValue(held map[Field]Holding, f Field, said Said, s Source, rules Rules) {
	st := said.Latest
	if rules.settle(f, s) == SettleFirst {
		st = said.First
	}
	if st.Vacant() {
		return
	}
	if old, ok := held[f]; ok && rules.compare(f, old.Source, s) <= 0 {
		return
	}
	held[f] = Holding{Value: st.Value, Blank: st.Blank, Source: s, Stamp: st.Stamp}
}

// elementWord and groupWord are one source's word on one credential or group.
type (
	elementWord struct {
		key     CredentialKey
		element Element
		source  Source
	}
	groupWord struct {
		group      string
		membership Membership
		source     Source
	}
)

// foldCredentials gathers the words on each credential, sorted by key and source.
func foldCredentials(words []elementWord) []HeldCredential {
	slices.SortFunc(words, func(a, b elementWord) int {
		return cmp.Or(cmp.Compare(a.key, b.key), cmp.Compare(a.source, b.source))
	})
	var out []HeldCredential
	by := make([]Giver, 0, len(words))
	for i, w := range words {
		if i == 0 || words[i-1].key != w.key {
			out = append(out, HeldCredential{Credential: w.element.Credential})
		}
		h := &out[len(out)-1]
		if w.element.Credential.compare(h.Credential) > 0 {
			h.Credential = w.element.Credential
		}
		by = append(by, Giver{Source: w.source, State: w.element.State, Stamp: w.element.Stamp})
		h.By = by[len(by)-1-len(h.By) : len(by) : len(by)]
	}
	return out
}

// foldGroups gathers the words on each membership, sorted by name and source.
func foldGroups(words []groupWord) []HeldGroup {
	slices.SortFunc(words, func(a, b groupWord) int {
		return cmp.Or(cmp.Compare(a.group, b.group), cmp.Compare(a.source, b.source))
	})
	var out []HeldGroup
	by := make([]Giver, 0, len(words))
	for i, w := range words {
		if i == 0 || words[i-1].group != w.group {
			out = append(out, HeldGroup{Group: w.group})
		}
		h := &out[len(out)-1]
		by = append(by, Giver{Source: w.source, State: w.membership.State, Stamp: w.membership.Stamp})
		h.By = by[len(by)-1-len(h.By) : len(by) : len(by)]
	}
	return out
}

// Overlay lays what happened at a site since over the record it has from the
// center. For the edits of one site it comes to the same record as folding them
// with all contributions at the center (held by a property test): a record
// keeps every winner with its source and stamp, and winners are all that a
// later fold can need.
func Overlay(base Record, edits []Contribution, rules Rules) Record {
	out := Fold(append(unfold(base), edits...), rules)
	out.GUID, out.Site = base.GUID, base.Site
	return out
}

// unfold turns a record back into contributions that fold to it.
func unfold(r Record) []Contribution {
	by := map[Source]Contribution{}
	of := func(s Source) Contribution {
		c, ok := by[s]
		if !ok {
			c = NewContribution(s)
			by[s] = c
		}
		return c
	}
	for f, h := range r.Values {
		st := Statement{Value: h.Value, Blank: h.Blank, Stamp: h.Stamp}
		of(h.Source).Values[f] = Said{First: st, Latest: st}
	}
	for _, h := range r.Credentials {
		k := h.Credential.Key()
		for _, g := range h.By {
			of(g.Source).Credentials[k] = Element{Credential: h.Credential, State: g.State, Stamp: g.Stamp}
		}
	}
	for _, h := range r.Groups {
		for _, g := range h.By {
			of(g.Source).Groups[h.Group] = Membership{State: g.State, Stamp: g.Stamp}
		}
	}
	return slices.SortedFunc(maps.Values(by), func(a, b Contribution) int { return cmp.Compare(a.Source, b.Source) })
}
