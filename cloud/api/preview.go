package api

import (
	"reflect"
	"slices"

	"doorsync/cloud/roster"
)

// mostEffects is how many effects a preview keeps.
const mostEffects = 1000

// gather keeps the first effects of many, and counts the rest. An effect's slices
// are the roster's, who uses them again.
func (p *Preview) gather(e roster.Effect) {
	if len(p.Effects) == mostEffects {
		p.More++
		return
	}
	e.Values, e.Candidates = slices.Clone(e.Values), slices.Clone(e.Candidates)
	p.Effects = append(p.Effects, e)
}

func newPreview() *Preview { return &Preview{Effects: []roster.Effect{}} }

func typeOf[T any]() reflect.Type { return reflect.TypeFor[T]() }
