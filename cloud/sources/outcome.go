package sources

import (
	"slices"

	"doorsync/cloud/roster"
)

// outcome collects what an import does: the first effects of each kind.
type outcome struct {
	effects []roster.Effect
	kinds   map[roster.EffectKind]int
	gone    map[string]string // user ID by folded name
	renamed int
}

// mostGone is among how many people who are gone a renamed one is looked for.
const mostGone = 10_000

func newOutcome() *outcome {
	return &outcome{kinds: map[roster.EffectKind]int{}, gone: map[string]string{}}
}

// add takes an effect whose slices belong to somebody else.
func (o *outcome) add(e roster.Effect) {
	o.keep(e)
	switch e.Kind {
	case roster.EffectRemoved, roster.EffectDeactivated, roster.EffectWithdrawn:
		if name := roster.Fold(e.Name); name != "" && len(o.gone) < mostGone {
			o.gone[name] = e.UserID
		}
	case roster.EffectNew:
		if len(o.gone) == 0 {
			return
		}
		if was, ok := o.gone[roster.Fold(e.Name)]; ok {
			o.rename(e, was)
		}
	}
}

// rename warns of somebody who is gone under one address and new under another.
func (o *outcome) rename(e roster.Effect, was string) {
	o.renamed++
	o.keep(roster.Effect{
		Kind: roster.EffectWarning, Line: e.Line, SyncID: e.SyncID, UserID: e.UserID, GUID: e.GUID, Name: e.Name, Holder: was,
		Text: "likely the same person as user " + was + ", whom the file no longer names: same name, another address. " +
			"If so, restore that user and merge the two; a sync ID column lets addresses change",
	})
}

func (o *outcome) keep(e roster.Effect) {
	if o.kinds[e.Kind]++; o.kinds[e.Kind] > Kept {
		return
	}
	e.Values, e.Candidates = slices.Clone(e.Values), slices.Clone(e.Candidates)
	o.effects = append(o.effects, e)
}
