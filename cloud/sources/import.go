package sources

import (
	"context"
	"errors"
)

// Import carries out one import and returns what it did. An import that failed or
// waits is a Report of that state and no error; an error is a request that was not
// carried out (ErrBusy, ErrConfirm, ErrNoFile, roster.ErrNotFound, a context's).
func (m *Importer) Import(ctx context.Context, name string, q Request) (Report, error) {
	return Report{}, errors.New("import: not yet")
}

// Run imports files when they change and when they are due, and reports sources
// that are overdue, until ctx ends.
func (m *Importer) Run(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

// Reports are the runs of a source, newest first. fn returns false to stop.
func (m *Importer) Reports(ctx context.Context, name string, fn func(Report) bool) error {
	return errors.New("reports: not yet")
}

// Report is one run of a source, whole.
func (m *Importer) Report(ctx context.Context, name string, number uint64) (Report, error) {
	return Report{}, errors.New("report: not yet")
}
