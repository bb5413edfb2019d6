package simulate

import "doorsync/cloud/roster"

// Bugs that can be planted without touching the product, to see that they are
// caught. planted.sh plants those that cannot.
const (
	plantCursorApart = "cursor-apart" // what is remembered of a reader and the entry are two commits
	plantForgetTaken = "forget-taken" // an entry's effect is stored, and not how far the journal was taken
	plantShortRead   = "short-read"   // a table that came short is taken for the whole
	plantLeak        = "leak"         // every answer of the center leaves a goroutine behind
)

// forgetful loses, now and then, how far a journal was taken.
type forgetful struct {
	roster.Tx
	w *World
}

// PutEpoch stores how far, or does not.
func (f forgetful) PutEpoch(row roster.EpochRow) error {
	if f.w.dice.in(300) {
		return nil
	}
	return f.Tx.PutEpoch(row)
}
