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
	credentials := map[CredentialKey]*HeldCredential{}
	groups := map[string]*HeldGroup{}
	for _, src := range slices.Sorted(maps.Keys(by)) {
		foldValues(r.Values, by[src], rules)
		foldCredentials(credentials, by[src])
		foldGroups(groups, by[src])
	}
	for _, k := range slices.Sorted(maps.Keys(credentials)) {
		r.Credentials = append(r.Credentials, *credentials[k])
	}
	for _, name := range slices.Sorted(maps.Keys(groups)) {
		r.Groups = append(r.Groups, *groups[name])
	}
	return r
}

// joined unites the contributions of each source.
func joined(contributions []Contribution) map[Source]Contribution {
	by := make(map[Source]Contribution, len(contributions))
	for _, c := range contributions {
		if old, ok := by[c.Source]; ok {
			c = Join(old, c)
		}
		by[c.Source] = c
	}
	return by
}

// foldValues gives each value to the source highest in the priority that has
// one. Pairs are one Value, so either part set gives both.
func foldValues(held map[Field]Holding, c Contribution, rules Rules) {
	for f, said := range c.Values {
		st := said.Latest
		if rules.settle(f, c.Source) == SettleFirst {
			st = said.First
		}
		if st.Vacant() {
			continue
		}
		if old, ok := held[f]; ok && rules.compare(f, old.Source, c.Source) <= 0 {
			continue
		}
		held[f] = Holding{Value: st.Value, Blank: st.Blank, Source: c.Source, Stamp: st.Stamp}
	}
}

func foldCredentials(held map[CredentialKey]*HeldCredential, c Contribution) {
	for k, e := range c.Credentials {
		h := held[k]
		if h == nil {
			h = &HeldCredential{Credential: e.Credential}
			held[k] = h
		}
		if e.Credential.compare(h.Credential) > 0 {
			h.Credential = e.Credential
		}
		h.By = append(h.By, Giver{Source: c.Source, State: e.State, Stamp: e.Stamp})
	}
}

func foldGroups(held map[string]*HeldGroup, c Contribution) {
	for name, m := range c.Groups {
		h := held[name]
		if h == nil {
			h = &HeldGroup{Group: name}
			held[name] = h
		}
		h.By = append(h.By, Giver{Source: c.Source, State: m.State, Stamp: m.Stamp})
	}
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
