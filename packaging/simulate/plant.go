package simulate

import (
	"context"

	"doorsync/cloud/roster"
	"doorsync/protocol/wire"
)

// Bugs that can be planted without touching the product, to see that they are
// caught.
const (
	plantCursorApart = "cursor-apart" // what is remembered of a reader and the entry are two commits
	plantForgetTaken = "forget-taken" // an entry's effect is stored, and not how far the journal was taken
	plantShortRead   = "short-read"   // a table that came short is taken for the whole
	plantForgetEpoch = "forget-epoch" // journals are told apart by their site alone
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

// epochless is a roster that knows no epochs.
type epochless struct{ *desk }

const onlyEpoch = "the only one"

// Hello forgets the epoch.
func (e *epochless) Hello(ctx context.Context, name string, h wire.Hello) (wire.Confirm, error) {
	was := h.Epoch
	h.Epoch, h.Hash = onlyEpoch, nil
	h.Last = 1 << 40
	c, err := e.desk.Hello(ctx, name, h)
	c.Epoch, c.NewEpoch = was, false
	return c, err
}

// Hear forgets the epochs.
func (e *epochless) Hear(ctx context.Context, batches []roster.SiteBatch) ([]wire.Confirm, error) {
	was := make([]string, len(batches))
	for i := range batches {
		was[i] = batches[i].Epoch
		batches[i].Epoch = onlyEpoch
	}
	out, err := e.desk.Hear(ctx, batches)
	for i := range out {
		out[i].Epoch, out[i].NewEpoch = was[i], false
	}
	return out, err
}
