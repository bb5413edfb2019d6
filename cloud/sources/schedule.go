package sources

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"doorsync/cloud/roster"
	"doorsync/protocol"
)

// Run imports files when they have changed and when they are due, and reports
// sources that are overdue, until ctx ends. It then waits for imports under way.
func (m *Importer) Run(ctx context.Context) error {
	s := &schedule{m: m, looks: map[protocol.Source]*look{}}
	defer s.work.Wait()
	tick := time.NewTicker(m.o.Poll)
	defer tick.Stop()
	for {
		s.round(ctx)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// schedule is what Run knows from one look at the files to the next.
type schedule struct {
	m     *Importer
	work  sync.WaitGroup
	looks map[protocol.Source]*look // of Run's goroutine
}

// look is what a file was like. It belongs to whoever has set busy.
type look struct {
	busy     atomic.Bool
	seen     stamp     // at the last look
	imported stamp     // when the schedule tried to import it last
	tried    time.Time // when that was
	again    bool      // it could not be run at all
}

// retry is after which time an import is tried again that could not be run at all.
const retry = time.Minute

// stamp tells whether a file has changed, without reading it.
type stamp struct {
	size     int64
	modified time.Time
	missing  bool
}

func stampOf(file string) stamp {
	info, err := os.Stat(file)
	if err != nil {
		return stamp{missing: true}
	}
	return stamp{size: info.Size(), modified: info.ModTime().UTC()}
}

// round looks at every source once. One whose folder does not answer keeps nobody
// else waiting.
func (s *schedule) round(ctx context.Context) {
	for _, row := range s.m.sources() {
		at := s.looks[row.Name]
		if at == nil {
			at = &look{}
			s.looks[row.Name] = at
		}
		settings, err := ParseSettings(row.Settings)
		if err != nil || !at.busy.CompareAndSwap(false, true) {
			continue // Status tells of settings that cannot be read
		}
		s.work.Go(func() {
			defer at.busy.Store(false)
			if err := s.source(ctx, row, settings, at); err != nil && ctx.Err() == nil {
				s.m.log.Error("cannot look after a source", "source", row.Name, "err", err)
			}
		})
	}
}

// source looks at one file, and imports it if it is time.
func (s *schedule) source(ctx context.Context, row roster.SourceRow, settings Settings, at *look) error {
	if _, busy := s.m.Progress(string(row.Name)); busy {
		return nil
	}
	h, err := s.m.history(ctx, row)
	if err != nil {
		return err
	}
	if err := s.m.missed(ctx, row, settings, &h); err != nil || !settings.Scheduled() {
		return err
	}
	now := stampOf(settings.File)
	still := now == at.seen
	at.seen = now
	if !s.wants(settings, time.UnixMilli(row.Added), &h, at, now, still) {
		return nil
	}
	at.imported, at.tried = now, s.m.now()
	_, err = s.m.Import(ctx, string(row.Name), Request{})
	at.again = err != nil
	if errors.Is(err, ErrBusy) || errors.Is(err, roster.ErrNotFound) {
		return nil
	}
	return err
}

// wants reports whether the file is to be imported now. A file that is changing is
// left alone: it must have been the same at two looks.
func (s *schedule) wants(settings Settings, added time.Time, h *history, at *look, now stamp, still bool) bool {
	tried, imported := at.tried, at.imported
	if h.checkedAt().After(tried) {
		tried, imported = h.checkedAt(), stampOfRun(settings, h.last)
	} else if at.again {
		return !s.m.now().Before(tried.Add(retry))
	}
	if h.last != nil && h.last.Why == WhyFile && s.m.now().Before(tried.Add(retry)) {
		return false // locked, or not for the center to read
	}
	due := settings.Interval > 0 && !s.m.now().Before(tried.Add(time.Duration(settings.Interval)))
	if now.missing { // a source that was just added waits for its first file
		return due && !s.m.now().Before(added.Add(time.Duration(settings.Interval)))
	}
	return still && (due || settings.Watch && now != imported)
}

// stampOfRun is what the file was like when it was imported last.
func stampOfRun(settings Settings, r *Report) stamp {
	if r == nil || r.File != settings.File || r.Modified == nil {
		return stamp{missing: true}
	}
	return stamp{size: r.Size, modified: r.Modified.UTC()}
}

// missed reports a source of which no run has completed for too long, once.
func (m *Importer) missed(ctx context.Context, row roster.SourceRow, s Settings, h *history) error {
	now := m.now().UTC()
	if h.missed != nil || !overdue(row, s, h, now) {
		return nil
	}
	r := Report{
		Source: row.Name, Run: max(row.Runs, h.number) + 1, State: StateOverdue, By: "schedule", Started: now, Checked: now, File: s.File,
	}
	since := "since it was added " + time.UnixMilli(row.Added).UTC().Format(time.RFC3339)
	if h.completed != nil {
		since = "since " + h.completedAt().Format(time.RFC3339)
	}
	r.Failure = fmt.Sprintf("no import has completed %s, though one is expected every %s; look at the export, at the task that starts the import, and at the last run", since, s.Interval)
	if err := m.keep(ctx, r); err != nil {
		return err
	}
	m.tell(ctx, r, s.Contacts, h.completedAt())
	return nil
}
