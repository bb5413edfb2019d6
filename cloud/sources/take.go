package sources

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"doorsync/cloud/roster"
	"doorsync/cloud/sources/csvfile"
	"doorsync/cloud/sources/plan"
	"doorsync/protocol"
)

// attempts is how often an import is planned while users change under it.
const attempts = 5

// read reads the file, and goes on if it may.
func (j *job) read(ctx context.Context, c *content) (Report, error) {
	j.at.enter(StageRead, 0)
	t, err := j.m.readFile(ctx, c, j.settings.Format, j.dir, &j.at.rows)
	var fault *csvfile.Error
	switch {
	case ctx.Err() != nil:
		return Report{}, ctx.Err()
	case errors.As(err, &fault):
		j.report.Errors, j.report.ErrorCount = []csvfile.Error{*fault}, 1
		return j.failed(ctx, WhyFormat, "the file is not what was set up, and nothing was changed: "+fault.Error())
	case err != nil:
		return j.failed(ctx, WhyFile, fmt.Sprintf("the file cannot be read, and nothing was changed: %v", err))
	}
	out, err := j.take(ctx, t)
	return out, errors.Join(err, t.close())
}

// take decides about rows that are wrong, then plans and imports.
func (j *job) take(ctx context.Context, t *taken) (Report, error) {
	j.report.Detected, j.report.Rows, j.report.Skipped = t.detected, t.rows, t.skipped
	j.report.Errors, j.report.ErrorCount = t.errors.sorted(), t.errors.count
	j.report.Warnings = append(j.report.Warnings, t.detected.Notes...)
	switch {
	case t.errors.count == 0:
	case t.fatal:
		return j.failed(ctx, WhyFormat, "the file cannot be read to its end, and nothing was changed: "+last(j.report.Errors).Error())
	case !j.skips():
		return j.failed(ctx, WhyRows, fmt.Sprintf("%s wrong in the file, and nothing was changed; correct the file, or skip the rows that are wrong",
			count(t.errors.count, "thing is", "things are")))
	case t.file.Rows.Len() == 0 || t.skipped >= t.rows:
		return j.failed(ctx, WhyRows, "no row of the file is right, and nothing was changed; look at the errors and at the settings of the source")
	default:
		j.skipping(t)
	}
	for try := 1; ; try++ {
		out, err := j.attempt(ctx, t)
		if !errors.Is(err, roster.ErrStale) || ctx.Err() != nil {
			return out, err
		}
		if try == attempts {
			return j.failed(ctx, WhyRoster, fmt.Sprintf("users changed so often meanwhile that the import was given up after %d times, and nothing was changed; it is tried again", attempts))
		}
		j.m.log.Info("users changed while an import was planned; planning it again", "source", j.row.Name)
	}
}

func last(errs []csvfile.Error) *csvfile.Error {
	for i := range errs {
		if errs[i].Fatal {
			return &errs[i]
		}
	}
	return &errs[len(errs)-1]
}

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// skipping says that rows are left out.
func (j *job) skipping(t *taken) {
	text := fmt.Sprintf("%s skipped; the people of these rows stay as they are", count(t.skipped, "row was", "rows were"))
	if t.keepLost {
		text += ". Some of these rows do not even say whom they are about, so nobody counts as gone in this run"
	}
	j.report.Warnings = append(j.report.Warnings, text)
}

// attempt plans the import and has the roster carry it out.
func (j *job) attempt(ctx context.Context, t *taken) (Report, error) {
	var p *plan.Plan
	var revision uint64
	found := newOutcome()
	j.at.enter(StagePlan, t.rows)
	err := j.m.o.Roster.Survey(ctx, j.row.Name, func(s *roster.Survey) (err error) {
		revision = s.Revision()
		p, err = plan.Make(ctx, s, t.file, plan.Options{Dir: j.dir, Keys: j.row.Keys, KeepLost: t.keepLost, Undecided: found.keep})
		return err
	})
	if p != nil {
		defer func() { _ = p.Close() }() // its directory is removed in any case
	}
	switch {
	case ctx.Err() != nil:
		return Report{}, ctx.Err()
	case err != nil:
		return j.failed(ctx, WhyRoster, fmt.Sprintf("the import could not be planned, and nothing was changed: %v", err))
	}
	j.report.Known, j.report.Lost, j.report.Changed = p.Known, p.Gone, p.Changed
	if ask := j.asks(p); ask != "" {
		if !j.q.Dry {
			j.report.State, j.report.Failure = StateWaiting, ask
			j.report.Counts = roster.Counts{Unchanged: p.Unchanged, Undecided: p.Undecided}
			return j.ended(ctx)
		}
		j.report.Failure = "the run would wait: " + ask
	}
	return j.apply(ctx, p, revision, found)
}

// apply has the roster take the plan in.
func (j *job) apply(ctx context.Context, p *plan.Plan, revision uint64, found *outcome) (Report, error) {
	j.at.enter(StageImport, p.New+p.Changed+p.Gone)
	base := j.report
	in := roster.Import{
		Source: j.row.Name, Run: j.report.Run, Dry: j.q.Dry, Revision: revision,
		Persons: j.counted(p.Persons()), Effect: found.add,
	}
	if j.row.Notify && j.m.o.Mailer != nil && !j.q.Dry {
		in.Mail = func(e roster.Effect, u protocol.User, language string) []byte {
			return j.m.o.Mailer.Mail(j.row.Name, e, u, language)
		}
	}
	var failed error
	complete := func(c roster.Counts, s State) {
		j.report = base
		j.report.State = s
		j.report.Counts = c
		j.report.Counts.Unchanged, j.report.Counts.Undecided = p.Unchanged, p.Undecided
		j.report.Counts.Warnings += found.renamed
		j.report.Effects = found.effects
		j.report.Took = j.took()
	}
	in.Finish = func(c roster.Counts) roster.RunRow {
		complete(c, StateDone)
		var row roster.RunRow
		row, failed = j.report.row()
		return row
	}
	counts, err := j.m.o.Roster.Import(ctx, roster.Actor{Name: j.by()}, in)
	switch {
	case ctx.Err() != nil && err != nil:
		return Report{}, ctx.Err()
	case errors.Is(err, roster.ErrStale):
		j.report = base
		return Report{}, err
	case err != nil:
		j.report = base
		return j.failed(ctx, WhyRoster, fmt.Sprintf("the roster could not take the file in, and nothing was changed: %v", err))
	case j.q.Dry:
		complete(counts, StateDry)
	default:
		j.m.log.Info("import done", "source", j.row.Name, "run", j.report.Run, "rows", j.report.Rows, "new", counts.New,
			"updated", counts.Updated, "removed", counts.Removed, "refused", counts.Refused, "undecided", p.Undecided, "took", j.report.Took)
	}
	return j.report, failed
}

// counted counts people as the roster takes them in.
func (j *job) counted(persons iter.Seq2[roster.Person, error]) iter.Seq2[roster.Person, error] {
	return func(yield func(roster.Person, error) bool) {
		for p, err := range persons {
			j.at.rows.Add(1)
			if !yield(p, err) {
				return
			}
		}
	}
}
