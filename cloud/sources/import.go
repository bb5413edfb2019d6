package sources

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync/atomic"

	"doorsync/cloud/roster"
	"doorsync/protocol"
)

// Import carries out one import and returns what it did. An import that failed or
// waits is a Report of that state and no error; an error is a request that was not
// carried out (ErrBusy, ErrConfirm, ErrNoFile, roster.ErrNotFound,
// roster.ErrInvalid, a context's).
func (m *Importer) Import(ctx context.Context, name string, q Request) (Report, error) {
	out, err := m.request(ctx, name, q)
	if err != nil {
		return Report{}, fmt.Errorf("import %s: %w", name, err)
	}
	return out, nil
}

func (m *Importer) request(ctx context.Context, name string, q Request) (Report, error) {
	row, settings, err := m.source(name)
	if q.Settings != nil {
		if !q.Dry {
			return Report{}, fmt.Errorf("%w: other settings are tried on a dry run only", roster.ErrInvalid)
		}
		if settings, err = *q.Settings, errors.Join(errIf(err, roster.ErrNotFound), q.Settings.Check()); err != nil {
			return Report{}, err
		}
	}
	switch {
	case err != nil:
		return Report{}, err
	case q.Content == nil && settings.File == "":
		return Report{}, fmt.Errorf("%w: send its contents, or set a file", ErrNoFile)
	case q.Dry && q.Confirm != 0:
		return Report{}, fmt.Errorf("%w: a dry run carries nothing out", roster.ErrInvalid)
	}
	at, err := m.begin(row.Name)
	if err != nil {
		return Report{}, err
	}
	defer m.end(row.Name)
	return m.inDir(ctx, &job{m: m, row: row, settings: settings, q: q, at: at})
}

// errIf keeps an error only if it is of a kind.
func errIf(err, kind error) error {
	if errors.Is(err, kind) {
		return err
	}
	return nil
}

// inDir gives the job a directory of its own and removes it afterwards.
func (m *Importer) inDir(ctx context.Context, j *job) (out Report, err error) {
	if j.dir, err = os.MkdirTemp(m.o.Dir, prefix); err != nil {
		return Report{}, fmt.Errorf("make a directory for the import: %w", err)
	}
	defer func() {
		if gone := os.RemoveAll(j.dir); gone != nil {
			m.log.Error("cannot remove what an import left; it holds what the file said, so remove it", "dir", j.dir, "err", gone)
		}
	}()
	return j.run(ctx)
}

// source reads a CSV source and its settings.
func (m *Importer) source(name string) (roster.SourceRow, Settings, error) {
	for _, row := range m.o.Roster.SourceRows() {
		if row.Name != protocol.Source(name) || row.Kind != KindCSV {
			continue
		}
		s, err := ParseSettings(row.Settings)
		if err != nil {
			err = fmt.Errorf("%w: %w; set them anew", roster.ErrInvalid, err)
		}
		return row, s, err
	}
	return roster.SourceRow{}, Settings{}, fmt.Errorf("CSV source %q: %w", name, roster.ErrNotFound)
}

// sources are the CSV sources.
func (m *Importer) sources() []roster.SourceRow {
	return slices.DeleteFunc(slices.Clone(m.o.Roster.SourceRows()), func(row roster.SourceRow) bool { return row.Kind != KindCSV })
}

// running is an import under way.
type running struct {
	stage atomic.Pointer[Progress]
	rows  atomic.Int64
}

// begin lets one import of a source in.
func (m *Importer) begin(s protocol.Source) (*running, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.busy[s] != nil {
		return nil, ErrBusy
	}
	at := &running{}
	at.stage.Store(&Progress{Stage: StageCopy, Started: m.now()})
	m.busy[s] = at
	return at, nil
}

func (m *Importer) end(s protocol.Source) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.busy, s)
}

// Progress is how far the import of a source has come; false if none is under way.
func (m *Importer) Progress(name string) (Progress, bool) {
	m.mu.Lock()
	at := m.busy[protocol.Source(name)]
	m.mu.Unlock()
	if at == nil {
		return Progress{}, false
	}
	return at.progress(), true
}

func (r *running) progress() Progress {
	p := *r.stage.Load()
	p.Rows = int(r.rows.Load())
	return p
}

// enter says that a stage begins.
func (r *running) enter(s Stage, total int) {
	r.rows.Store(0)
	r.stage.Store(&Progress{Stage: s, Total: total, Started: r.stage.Load().Started})
}

func (j *job) by() string { return cmp.Or(j.q.By, "schedule") }
