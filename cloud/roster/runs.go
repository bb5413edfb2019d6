package roster

import (
	"context"
	"fmt"

	"doorsync/protocol"
)

// PutRun keeps a run that changed nothing: a dry one, one that failed or waits.
// Runs that change something are kept by Import.
func (r *Roster) PutRun(ctx context.Context, row RunRow) error {
	err := r.update(ctx, func(w *work) error { return w.putRun(row) })
	if err != nil {
		return fmt.Errorf("keep run %d of source %s: %w", row.Number, row.Source, err)
	}
	return nil
}

func (w *work) putRun(row RunRow) error {
	src, err := w.added(row.Source)
	if err != nil {
		return err
	}
	if row.Number > src.Runs {
		src.Runs = row.Number
		if err := w.putSource(src); err != nil {
			return err
		}
	}
	return w.tx.PutRun(row)
}

// Runs are those of a source, newest first. fn returns false to stop.
func (r *Roster) Runs(ctx context.Context, s protocol.Source, fn func(RunRow) bool) error {
	err := r.store.View(ctx, func(v View) error { return v.Runs(s, fn) })
	if err != nil {
		return fmt.Errorf("list runs of source %s: %w", s, err)
	}
	return nil
}

// RunOf is one run of a source.
func (r *Roster) RunOf(ctx context.Context, s protocol.Source, number uint64) (RunRow, error) {
	var out RunRow
	err := r.store.View(ctx, func(v View) error {
		row, ok, err := v.Run(s, number)
		if err == nil && !ok {
			err = notFound("run", fmt.Sprint(number))
		}
		out = row
		return err
	})
	if err != nil {
		return RunRow{}, fmt.Errorf("source %s: %w", s, err)
	}
	return out, nil
}

// Mails are those in the outbox after an ID, oldest first. fn returns false to
// stop.
func (r *Roster) Mails(ctx context.Context, after uint64, fn func(MailRow) bool) error {
	err := r.store.View(ctx, func(v View) error { return v.Mails(after, fn) })
	if err != nil {
		return fmt.Errorf("read the outbox: %w", err)
	}
	return nil
}

// PutMails puts mails into the outbox. One with an ID replaces what it was.
func (r *Roster) PutMails(ctx context.Context, rows []MailRow) error {
	err := r.update(ctx, func(w *work) error { return w.tx.PutMails(rows) })
	if err != nil {
		return fmt.Errorf("write to the outbox: %w", err)
	}
	return nil
}

// DropMail takes a mail out of the outbox.
func (r *Roster) DropMail(ctx context.Context, id uint64) error {
	err := r.update(ctx, func(w *work) error { return w.tx.DropMail(id) })
	if err != nil {
		return fmt.Errorf("take mail %d out of the outbox: %w", id, err)
	}
	return nil
}
