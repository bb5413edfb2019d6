package roster

import (
	"context"
	"fmt"
	"slices"

	"doorsync/protocol"
)

// Explain tells for everything about a user who said what.
func (r *Roster) Explain(ctx context.Context, idOrGUID string) ([]Explained, error) {
	var u *user
	err := r.store.View(ctx, func(v View) error {
		row, err := locate(v, idOrGUID)
		if err == nil {
			u, err = decodeUser(r.codec, row)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("explain user: %w", err)
	}
	out := explainValues(u, r.Rules())
	for _, h := range u.record.Credentials {
		e := Explained{What: "credential", Name: h.Credential.String(), Active: h.Active()}
		e.given(h.By)
		out = append(out, e)
	}
	for _, h := range u.record.Groups {
		e := Explained{What: "group", Name: h.Group, Active: h.Active()}
		e.given(h.By)
		out = append(out, e)
	}
	return out, nil
}

// given fills in who gives an element: the newest word that decides stands
// first, the rest are others.
func (e *Explained) given(by []protocol.Giver) {
	first := -1
	want := protocol.Given
	if slices.ContainsFunc(by, func(g protocol.Giver) bool { return g.State == protocol.Revoked }) {
		want = protocol.Revoked
	}
	for i, g := range by {
		if g.State == want && (first < 0 || g.Stamp.Compare(by[first].Stamp) > 0) {
			first = i
		}
	}
	for i, g := range by {
		if i == first {
			e.Source, e.Since, e.Shown = g.Source, g.Stamp, string(g.State)
			continue
		}
		e.Others = append(e.Others, Said{Source: g.Source, State: string(g.State), Stamp: g.Stamp})
	}
}

func explainValues(u *user, rules protocol.Rules) []Explained {
	var out []Explained
	for _, f := range fieldsOf(u) {
		e := Explained{What: "value", Field: f, Name: string(f)}
		if h, ok := u.record.Values[f]; ok {
			e.Shown, e.Source, e.Since, e.Blank, e.Active = f.Show(h.Value), h.Source, h.Stamp, h.Blank, true
		}
		for _, s := range sourcesFor(u, f, rules) {
			e.Others = append(e.Others, otherWords(u, f, s, e)...)
		}
		out = append(out, e)
	}
	return out
}

// otherWords is what a source said about a value besides the word that holds it.
func otherWords(u *user, f protocol.Field, s protocol.Source, e Explained) []Said {
	said, ok := contributionOf(u.contributions, s).Values[f]
	if !ok {
		return nil
	}
	words := []protocol.Statement{said.Latest}
	if said.First != said.Latest {
		words = []protocol.Statement{said.First, said.Latest}
	}
	var out []Said
	for _, w := range words {
		if w.Stamp.IsZero() || (e.Active && s == e.Source && w.Stamp == e.Since) {
			continue
		}
		one := Said{Source: s, Shown: f.Show(w.Value), Stamp: w.Stamp}
		switch {
		case w.Blank:
			one.State = "blank"
		case w.Vacant():
			one.State = string(protocol.Withdrawn)
		}
		out = append(out, one)
	}
	return out
}

// fieldsOf are all fields that somebody said something about, as people are
// shown them.
func fieldsOf(u *user) []protocol.Field {
	seen := map[protocol.Field]bool{}
	var custom []protocol.Field
	for _, c := range u.contributions {
		for f := range c.Values {
			if !seen[f] && !slices.Contains(protocol.Fields(), f) {
				custom = append(custom, f)
			}
			seen[f] = true
		}
	}
	slices.Sort(custom)
	return append(slices.DeleteFunc(protocol.Fields(), func(f protocol.Field) bool { return !seen[f] }), custom...)
}

// sourcesFor are the sources in their order for a field, those that nobody
// ordered last.
func sourcesFor(u *user, f protocol.Field, rules protocol.Rules) []protocol.Source {
	out := rules.Sources(f)
	for _, c := range u.contributions {
		if !slices.Contains(out, c.Source) {
			out = append(out, c.Source)
		}
	}
	return out
}
