package api

import (
	"testing"

	"doorsync/cloud/roster"
)

// TestAPreviewKeepsWhatItWasTold: the roster uses the slices of an effect again for
// the next one.
func TestAPreviewKeepsWhatItWasTold(t *testing.T) {
	p := newPreview()
	values, candidates := make([]roster.ValueChange, 1), make([]roster.Candidate, 1)
	for _, name := range []string{"Anna", "Bruno"} {
		values[0].New, candidates[0].Name = name, name
		p.gather(roster.Effect{Name: name, Values: values, Candidates: candidates})
	}
	for _, e := range p.Effects {
		if e.Values[0].New != e.Name || e.Candidates[0].Name != e.Name {
			t.Errorf("of %s: %+v", e.Name, e)
		}
	}
	for range mostEffects {
		p.gather(roster.Effect{})
	}
	if len(p.Effects) != mostEffects || p.More != 2 {
		t.Errorf("kept %d, left out %d", len(p.Effects), p.More)
	}
}
