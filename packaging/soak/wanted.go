package main

import (
	"fmt"
	"maps"
)

// tables are what must be where, by user ID.
type tables struct {
	center map[string]string
	sites  map[string]map[string]string
}

// wanted is what must be, given what was done. Where sites did apart what they
// would not have done together, the center decided by who reached it first: what
// it decided is taken from the roster, and must be one of the lawful outcomes.
func (w *world) wanted(r roster) (tables, string) {
	t := tables{center: map[string]string{}, sites: map[string]map[string]string{}}
	all := w.people.look()
	for _, rival := range w.people.rivals {
		loser, difference := rival.loser(r)
		if difference != "" {
			return t, difference
		}
		p := all[loser]
		p.card = 0
		all[loser] = p
	}
	for id, p := range all {
		if !p.gone {
			t.center[id] = p.shape()
		}
	}
	for _, site := range siteNames() {
		t.sites[site] = maps.Clone(t.center)
	}
	for _, tw := range w.people.twins {
		if difference := tw.place(r, t); difference != "" {
			return t, difference
		}
	}
	if len(r.conflicts) != len(w.people.twins) {
		return t, fmt.Sprintf("the center lists %d conflicts, %d were made", len(r.conflicts), len(w.people.twins))
	}
	return t, ""
}

// loser is the one of the two whom the center did not give the card.
func (v rivals) loser(r roster) (id, difference string) {
	held := 0
	for i, one := range v.ids {
		for _, c := range r.users[one].Credentials {
			if c.Kind == "card" && c.Number == fmt.Sprint(v.card) && c.State == "given" {
				held++
				id = v.ids[1-i]
			}
		}
	}
	if held != 1 {
		return "", fmt.Sprintf("card %d opens for %d of the two who claim it (%v), must open for one", v.card, held, v.ids)
	}
	return id, ""
}

// place puts the two where they belong: one holds the user ID everywhere but at
// the site of the other, who stays there, whole and alone.
func (tw twins) place(r roster, t tables) string {
	holder := r.users[tw.id]
	for _, site := range siteNames() {
		apart, ok := r.conflicts[site+" "+tw.id]
		if !ok {
			continue
		}
		other := siteNames()[0]
		if other == site {
			other = siteNames()[1]
		}
		if got, want := shapeOf(holder), tw.at[other].shape(); got != want {
			return fmt.Sprintf("user %s was enrolled at two sites: the holder is %s, must be %s", tw.id, got, want)
		}
		if got, want := shapeOf(apart), tw.at[site].shape(); got != want {
			return fmt.Sprintf("user %s was enrolled at two sites: the one in conflict is %s, must be %s", tw.id, got, want)
		}
		t.center[tw.id] = tw.at[other].shape()
		t.sites[other][tw.id] = tw.at[other].shape()
		t.sites[site][tw.id] = tw.at[site].shape()
		return ""
	}
	return fmt.Sprintf("user %s was enrolled at two sites for two people, and the center sees no conflict: it holds %s", tw.id, shapeOf(holder))
}
