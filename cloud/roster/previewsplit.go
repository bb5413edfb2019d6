package roster

import (
	"context"
	"fmt"
)

// PreviewSplit tells what Split would come to, and changes nothing: first who comes
// off, then what changes of the one it comes off from.
func (r *Roster) PreviewSplit(ctx context.Context, idOrGUID string, o SplitOptions) ([]Effect, error) {
	var out []Effect
	err := r.withoutKeeping(ctx, func(w *work) error {
		u, err := w.existing(idOrGUID)
		if err != nil {
			return err
		}
		was := sideSeen(u)
		off, err := w.split(Actor{}, idOrGUID, o)
		if err != nil {
			return err
		}
		nobody := mergeSide{guid: off.row.GUID}
		came := nobody.becomes(off)
		came.Kind, came.UserID, came.Name = EffectNew, off.record.UserID(), nameOf(off.record)
		out = []Effect{came, was.becomes(u)}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("preview split: %w", err)
	}
	return out, nil
}
