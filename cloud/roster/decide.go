package roster

import (
	"context"
	"fmt"

	"doorsync/protocol"
)

// Decide settles whom a row of a source names that could be several users, or
// was taken for somebody it is not: the user of that user ID or GUID, or, with
// "", nobody yet known. The next import takes the row in.
func (r *Roster) Decide(ctx context.Context, a Actor, s protocol.Source, id Identity, idOrGUID string) error {
	err := r.update(ctx, func(w *work) error {
		src, err := w.added(s)
		if err != nil {
			return err
		}
		if err := w.undecided(s, id); err != nil {
			return err
		}
		row := SourceUser{Identity: id}
		var u *user
		if idOrGUID != "" {
			if u, err = w.existing(idOrGUID); err != nil {
				return err
			}
			if u.row.Site != "" {
				return invalid("user %s is in conflict at site %s; resolve that first", u.record.UserID(), u.row.Site)
			}
			row.GUID = u.row.GUID
		}
		w.meta.Revision++
		src.Changed = w.meta.Revision
		w.note(a, protocol.EventOfficeChanged, u, fmt.Sprintf("decided whom a row of source %s names", s))
		if err := w.putSource(src); err != nil {
			return err
		}
		return w.putNamed(s, []SourceUser{row})
	})
	if err != nil {
		return fmt.Errorf("decide about a row of source %s: %w", s, err)
	}
	return nil
}

// undecided fails if the row names somebody who is there: what the source said
// of that user must be taken off first.
func (w *work) undecided(s protocol.Source, id Identity) error {
	row, ok, err := w.tx.NamedOne(s, id)
	if err != nil || !ok || row.GUID == "" {
		return err
	}
	u, err := w.follow(row.GUID)
	if err != nil || u.removed() {
		return err
	}
	return fmt.Errorf("the row names user %s: %w; split it off that user first", u.record.UserID(), ErrExists)
}
