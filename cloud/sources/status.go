package sources

import (
	"context"
	"time"

	"doorsync/cloud/roster"
	"doorsync/protocol"
)

// Status is how a source stands.
type Status struct {
	Source   protocol.Source `json:"source"`
	File     string          `json:"file,omitempty"`
	Interval Interval        `json:"interval"`
	Watch    bool            `json:"watch"`
	// Completed is the last completed run, and Ago how long ago that was; nil if
	// none ever was.
	Completed *Report       `json:"completed,omitempty"`
	Ago       time.Duration `json:"ago_ns,omitempty"`
	// Last is the last run if that did not complete. Both are without effects and
	// errors: ask for the run.
	Last *Report `json:"last,omitempty"`
	// Overdue: nothing has completed for longer than Settings.Late.
	Overdue bool `json:"overdue,omitempty"`
	// Next is when the center imports the file at the latest.
	Next *time.Time `json:"next,omitempty"`
	// Running is the import under way.
	Running *Progress `json:"running,omitempty"`
	// Trouble says what keeps the source from being imported at all, such as
	// settings that cannot be read.
	Trouble string `json:"trouble,omitempty"`
}

// Progress is how far an import has come.
type Progress struct {
	Stage   Stage     `json:"stage"`
	Rows    int       `json:"rows"`  // done in this stage
	Total   int       `json:"total"` // of this stage, 0 if unknown
	Started time.Time `json:"started"`
}

// Stage is what an import is doing.
type Stage string

// The stages of an import, in order.
const (
	StageCopy   Stage = "copy"   // the file is copied, or waited for
	StageQueued Stage = "queued" // the import of another source is under way
	StageRead   Stage = "read"   // its rows are read
	StagePlan   Stage = "plan"   // its people are told apart
	StageImport Stage = "import" // the roster takes it in
)

// Status tells of all CSV sources, by name.
func (m *Importer) Status(ctx context.Context) ([]Status, error) {
	var out []Status
	for _, row := range m.sources() {
		s, err := m.statusOf(ctx, row)
		if err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, nil
}

func (m *Importer) statusOf(ctx context.Context, row roster.SourceRow) (Status, error) {
	out := Status{Source: row.Name}
	settings, err := ParseSettings(row.Settings)
	if err != nil {
		out.Trouble = err.Error() + "; set them anew"
		settings = DefaultSettings()
	}
	out.File, out.Interval, out.Watch = settings.File, settings.Interval, settings.Watch
	h, err := m.history(ctx, row)
	if err != nil {
		return out, err
	}
	now := m.now()
	if out.Completed = h.completed; h.completed != nil {
		out.Ago = now.Sub(h.completedAt())
	}
	if h.last != h.completed {
		out.Last = h.last
	}
	out.Overdue = overdue(row, settings, &h, now)
	if settings.File != "" && settings.Interval > 0 {
		next := now
		if at := h.checkedAt(); !at.IsZero() {
			next = at.Add(time.Duration(settings.Interval))
		}
		out.Next = &next
	}
	if p, ok := m.Progress(string(row.Name)); ok {
		out.Running = &p
	}
	return out, nil
}

// overdue reports whether a run is missed: none has completed for too long, since
// the source was added if none ever was.
func overdue(row roster.SourceRow, s Settings, h *history, now time.Time) bool {
	since := time.UnixMilli(row.Added)
	if at := h.completedAt(); at.After(since) {
		since = at
	}
	return s.Late() > 0 && now.Sub(since) > s.Late()
}
