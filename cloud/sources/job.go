package sources

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"doorsync/cloud/roster"
	"doorsync/cloud/sources/csvfile"
)

// job is one import.
type job struct {
	m        *Importer
	row      roster.SourceRow
	settings Settings
	q        Request
	at       *running
	dir      string

	history history
	report  Report
	older   string // why the file seems to be an old one
}

// run carries the import out, up to where it is kept.
func (j *job) run(ctx context.Context) (Report, error) {
	var err error
	if j.history, err = j.m.history(ctx, j.row); err != nil {
		return Report{}, err
	}
	j.begin()
	c, err := j.content(ctx)
	switch {
	case ctx.Err() != nil:
		return Report{}, ctx.Err()
	case err != nil && j.q.Content != nil:
		return Report{}, fmt.Errorf("take in what was sent: %w", err)
	case err != nil:
		j.report.File = j.settings.File
		return j.failed(ctx, WhyFile, fileTrouble(j.settings.File, err))
	}
	defer func() { _ = c.close() }() // its directory is removed in any case
	j.report.File, j.report.Size, j.report.SHA256, j.report.Modified = c.name, c.size, c.sum, c.modified
	if err := j.confirmed(); err != nil {
		return Report{}, err
	}
	j.recognize()
	if same, err := j.same(ctx); err != nil || same {
		return j.report, err
	}
	j.age()
	j.at.enter(StageQueued, 0)
	select { // whoever sends slowly, or waits for a file, has not kept others waiting
	case j.m.heap <- struct{}{}:
		defer func() { <-j.m.heap }()
	case <-ctx.Done():
		return Report{}, ctx.Err()
	}
	return j.read(ctx, c)
}

func (j *job) begin() {
	now := j.m.now().UTC()
	j.report = Report{
		Source: j.row.Name, By: j.by(), Started: now, Checked: now, Settings: j.fingerprint(), Confirmed: j.q.Confirm,
	}
	if !j.q.Dry {
		j.report.Run = max(j.row.Runs, j.history.number) + 1
	}
}

// fingerprint stands for what decides how the same file is taken.
func (j *job) fingerprint() string {
	text, _ := json.Marshal(struct { // made of what was read from JSON
		Format csvfile.Format
		Keys   []roster.Key
		Gone   roster.Gone
		Skip   bool
	}{j.settings.Format, j.row.Keys, j.row.Gone, j.skips()})
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8])
}

// skips reports whether rows that are wrong are left out.
func (j *job) skips() bool { return j.q.SkipBadRows || j.settings.SkipBadRows }

func (j *job) content(ctx context.Context) (*content, error) {
	if j.q.Content == nil {
		return copyFile(ctx, j.settings.File, j.dir)
	}
	c, err := copyFrom(ctx, j.q.Content, j.dir)
	if err == nil {
		c.name, c.modified = j.q.FileName, j.q.Modified
	}
	return c, err
}

// confirmed checks that the run to confirm waits for these contents.
func (j *job) confirmed() error {
	last := j.history.last
	switch {
	case j.q.Confirm == 0:
		return nil
	case last == nil || last.Run != j.q.Confirm:
		return fmt.Errorf("run %d: %w: it is not the last run; import again to see what would happen now", j.q.Confirm, ErrConfirm)
	case last.State != StateWaiting:
		return fmt.Errorf("run %d: %w: it does not wait, it is %s", j.q.Confirm, ErrConfirm, last.State)
	case last.SHA256 != j.report.SHA256:
		return fmt.Errorf("run %d: %w: the file has changed since; import again to see what would happen now", j.q.Confirm, ErrConfirm)
	case last.Settings != j.report.Settings:
		return fmt.Errorf("run %d: %w: the settings of the source have changed since; import again to see what would happen now", j.q.Confirm, ErrConfirm)
	}
	return nil
}

// recognize says that the contents are those of the last completed run.
func (j *job) recognize() {
	if done := j.history.completed; done != nil && done.SHA256 == j.report.SHA256 {
		j.report.Warnings = append(j.report.Warnings, fmt.Sprintf("the file is the one of run %d of %s", done.Run, done.Started.Format(time.RFC3339)))
	}
}

// same notices contents that were dealt with before, and keeps that they came again.
func (j *job) same(ctx context.Context) (bool, error) {
	if j.q.Dry || j.q.Force || j.q.Confirm != 0 {
		return false, nil
	}
	if done := j.history.completed; done != nil && done == j.history.last && j.like(done) && done.Counts.Undecided == 0 && done.Skipped == 0 {
		settled, err := j.settled(ctx)
		if err != nil || !settled {
			return false, err
		}
		j.report.Rows, j.report.Known, j.report.Detected = done.Rows, done.Rows, done.Detected
		j.report.Counts.Unchanged = done.Rows
		return true, j.unchanged(ctx, done)
	}
	return false, nil
}

// like reports whether a run was about the same contents, read the same way.
func (j *job) like(r *Report) bool {
	return r.SHA256 == j.report.SHA256 && r.SHA256 != "" && r.Settings == j.report.Settings
}

// settled reports whether no row waits to be taken in again.
func (j *job) settled(ctx context.Context) (bool, error) {
	settled := true
	err := j.m.o.Roster.Survey(ctx, j.row.Name, func(s *roster.Survey) error {
		return s.Named(roster.Identity{}, func(u roster.SourceUser) bool {
			settled = u.Digest != 0
			return settled
		})
	})
	return settled, err
}

// unchanged keeps that the file is the one of the last run. Several such runs in a
// row are one.
func (j *job) unchanged(ctx context.Context, done *Report) error {
	if done.State == StateUnchanged {
		return j.repeated(ctx, *done)
	}
	j.report.State = StateUnchanged
	j.report.Took = j.took()
	return j.m.keep(ctx, j.report)
}

// repeated counts a run as one with the last one.
func (j *job) repeated(ctx context.Context, last Report) error {
	whole, err := j.m.Report(ctx, string(last.Source), last.Run)
	if err != nil {
		return err
	}
	whole.Checked, whole.Times = j.report.Checked, max(whole.Times, 1)+1
	j.report = whole
	return j.m.keep(ctx, whole)
}

// age notices a file that is older than the one taken in last.
func (j *job) age() {
	done := j.history.completed
	if done == nil || done.Modified == nil || j.report.Modified == nil || !j.report.Modified.Before(*done.Modified) || j.like(done) {
		return
	}
	j.older = fmt.Sprintf("the file was last changed %s, before the one of run %d (%s): it may be an old copy, which would undo what came after it",
		j.report.Modified.Format(time.RFC3339), done.Run, done.Modified.Format(time.RFC3339))
}

func (j *job) took() time.Duration { return j.m.now().Sub(j.report.Started) }

// failed keeps a run that failed, and tells of it.
func (j *job) failed(ctx context.Context, why Why, words string) (Report, error) {
	j.report.State, j.report.Why, j.report.Failure = StateFailed, why, words
	return j.ended(ctx)
}

// ended keeps a run that changed nothing, and tells of it, unless the last one was
// the same.
func (j *job) ended(ctx context.Context) (Report, error) {
	j.report.Took = j.took()
	if j.q.Dry {
		j.report.State = dryState(j.report.State)
		return j.report, nil
	}
	last := j.history.last
	again := last != nil && last.State == j.report.State && last.Why == j.report.Why && last.Failure == j.report.Failure &&
		last.SHA256 == j.report.SHA256
	if again && j.q.By == "" {
		err := j.repeated(ctx, *last)
		return j.report, err
	}
	if err := j.m.keep(ctx, j.report); err != nil {
		return j.report, errors.Join(errors.New(j.report.Failure), err)
	}
	if !again {
		j.m.tell(ctx, j.report, j.settings.Contacts, j.history.completedAt())
	}
	return j.report, nil
}

// dryState is what a dry run is that would have ended so.
func dryState(s State) State {
	if s == StateFailed {
		return StateFailed
	}
	return StateDry
}

// tell logs a run that needs somebody, and notifies.
func (m *Importer) tell(ctx context.Context, r Report, contacts []string, last time.Time) {
	m.log.Warn("import "+string(r.State), "source", r.Source, "run", r.Run, "why", r.Why, "reason", r.Failure, "errors", r.ErrorCount)
	if m.o.Notifier == nil {
		return
	}
	if err := m.o.Notifier.Notify(ctx, Notice{Contacts: contacts, Report: r, Last: last}); err != nil {
		m.log.Error("cannot notify of an import", "source", r.Source, "run", r.Run, "err", err)
	}
}
