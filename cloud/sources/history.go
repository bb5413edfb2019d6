package sources

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"doorsync/cloud/roster"
	"doorsync/protocol"
)

// history is what a source's last runs were, without effects and errors.
type history struct {
	of        generation
	number    uint64  // of the last run
	last      *Report // the last run, overdue ones aside
	completed *Report // the last that completed
	missed    *Report // the run that says that none has come since the completed one
}

// brief reads a report without what is long.
func brief(row roster.RunRow) (Report, error) {
	var out struct {
		Report
		Effects passed `json:"effects"`
		Errors  passed `json:"errors"`
	}
	if err := json.Unmarshal(row.Report, &out); err != nil {
		return Report{}, unreadable(row, err)
	}
	out.Source, out.Run = row.Source, row.Number
	return out.Report, nil
}

// passed is a part of a report that nobody asked for.
type passed struct{}

// UnmarshalJSON reads nothing.
func (passed) UnmarshalJSON([]byte) error { return nil }

// history reads the last runs of a source, or remembers them.
func (m *Importer) history(ctx context.Context, source roster.SourceRow) (h history, err error) {
	m.mu.Lock()
	was, ok := m.histories[source.Name]
	m.mu.Unlock()
	if ok && was.of == runsOf(source) {
		return was, nil
	}
	var failed error
	h.of = runsOf(source)
	err = m.o.Roster.Runs(ctx, source.Name, func(row roster.RunRow) bool {
		h.number = max(h.number, row.Number)
		var r Report
		if r, failed = brief(row); failed != nil {
			return false
		}
		switch {
		case r.State == StateOverdue:
			if h.missed == nil {
				h.missed = &r
			}
			return true
		case h.last == nil:
			h.last = &r
		}
		if r.State.Completed() {
			h.completed = &r
		}
		return h.completed == nil
	})
	if err = errors.Join(err, failed); err == nil {
		m.mu.Lock()
		m.histories[source.Name] = h
		m.mu.Unlock()
	}
	return h, err
}

// generation tells a history from later ones; a run that was counted again is
// forgotten by whoever kept it.
type generation struct {
	added int64
	runs  uint64
}

func runsOf(source roster.SourceRow) generation { return generation{source.Added, source.Runs} }

// forget has the history read anew.
func (m *Importer) forget(s protocol.Source) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.histories, s)
}

// completedAt is when a run was completed last.
func (h *history) completedAt() time.Time {
	if h.completed == nil {
		return time.Time{}
	}
	return h.completed.Checked
}

// checkedAt is when anything was tried last.
func (h *history) checkedAt() time.Time {
	if h.last == nil {
		return time.Time{}
	}
	return h.last.Checked
}

// keep writes a run that changed nothing.
func (m *Importer) keep(ctx context.Context, r Report) error {
	row, err := r.row()
	if err != nil {
		return err
	}
	defer m.forget(r.Source)
	return m.o.Roster.PutRun(ctx, row)
}

func (r Report) row() (roster.RunRow, error) {
	text, err := r.Encode()
	return roster.RunRow{Source: r.Source, Number: r.Run, At: r.Started, Report: text}, err
}

// Reports are the runs of a source, newest first, without effects and errors. fn
// returns false to stop.
func (m *Importer) Reports(ctx context.Context, name string, fn func(Report) bool) error {
	if _, _, err := m.source(name); err != nil {
		return err
	}
	var failed error
	err := m.o.Roster.Runs(ctx, protocol.Source(name), func(row roster.RunRow) bool {
		var r Report
		if r, failed = brief(row); failed != nil {
			return false
		}
		return fn(r)
	})
	return errors.Join(err, failed)
}

// Report is one run of a source, whole.
func (m *Importer) Report(ctx context.Context, name string, number uint64) (Report, error) {
	row, err := m.o.Roster.RunOf(ctx, protocol.Source(name), number)
	if err != nil {
		return Report{}, err
	}
	return ParseReport(row)
}
