package protocol

import (
	"testing"

	"pgregory.net/rapid"
)

// The values of an overlay alone are the values of the whole one.
func TestOverlayValuesLaw(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rules := genRules().Draw(t, "rules")
		base := Fold(rapid.SliceOfN(genContribution(lawSources...), 0, 6).Draw(t, "contributions"), rules)
		said := genContribution(lawSources...).Draw(t, "said")
		before := Overlay(base, nil, rules)
		mustEqual(t, "values", Overlay(base, []Contribution{said}, rules).Values, OverlayValues(base.Values, said, rules))
		mustEqual(t, "base unchanged", before, Overlay(base, nil, rules))
	})
}
