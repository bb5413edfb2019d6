package cloud

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"

	"doorsync/cloud/api"
	"doorsync/cloud/notify"
	"doorsync/cloud/roster"
	"doorsync/cloud/sources"
)

func (c *center) openImporter(context.Context, *teardown) (err error) {
	c.importer, err = sources.New(sources.Options{
		Roster: c.roster, Dir: filepath.Join(c.cfg.Data, "imports"), Logger: c.log, Notifier: reports{c.roster, c.mail}, Mailer: c.mail,
	})
	return err
}

// imports is the importer as the API asks it. Reports and settings are the same
// JSON on both sides.
type imports struct {
	importer *sources.Importer
	roster   *roster.Roster
	mail     *notify.Notifier
}

// Import carries out one import.
func (i imports) Import(ctx context.Context, source string, o api.ImportOrder) (api.Run, error) {
	q := sources.Request{
		Dry: o.Dry, SkipBadRows: o.SkipBadRows, Confirm: o.Confirm, Force: o.Force,
		Content: o.Content, FileName: o.FileName, Modified: o.Modified, By: o.By,
	}
	if o.Try != nil {
		tried, err := i.tried(source, *o.Try)
		if err != nil {
			return api.Run{}, err
		}
		q.Settings = &tried
	}
	report, err := i.importer.Import(ctx, source, q)
	if err != nil {
		return api.Run{}, inWordsOfAPI(err)
	}
	i.mail.Wake()
	return shaped[api.Run](report)
}

// Progress is how far an import under way has come.
func (i imports) Progress(source string) (api.ImportProgress, bool) {
	at, running := i.importer.Progress(source)
	return api.ImportProgress{Stage: string(at.Stage), Rows: at.Rows, Total: at.Total, Started: at.Started}, running
}

// tried are the settings of a source with a change that is not kept.
func (i imports) tried(source string, change api.CSVChange) (sources.Settings, error) {
	var kept []byte // of a source that there is not, Import says so
	for _, row := range i.roster.SourceRows() {
		if string(row.Name) == source {
			kept = row.Settings
		}
	}
	changed, err := i.Settings(kept, change)
	if err != nil {
		return sources.Settings{}, fmt.Errorf("%w: %w", roster.ErrInvalid, err)
	}
	return sources.ParseSettings(changed)
}

// Runs are those of a source before a number, newest first.
func (i imports) Runs(ctx context.Context, source string, before uint64, limit int) ([]api.Run, error) {
	var out []api.Run
	var bad error
	err := i.importer.Reports(ctx, source, func(r sources.Report) bool {
		if before > 0 && r.Run >= before {
			return true
		}
		r.Effects, r.Errors = nil, nil
		var run api.Run
		run, bad = shaped[api.Run](r)
		out = append(out, run)
		return bad == nil && len(out) < limit
	})
	return out, errors.Join(err, bad)
}

// Run is one of them, whole; number 0 is the last that was carried out.
func (i imports) Run(ctx context.Context, source string, number uint64) (api.Run, error) {
	if number == 0 {
		err := i.importer.Reports(ctx, source, func(r sources.Report) bool {
			if r.State == sources.StateDone {
				number = r.Run
			}
			return number == 0
		})
		if err != nil {
			return api.Run{}, err
		}
		if number == 0 {
			return api.Run{}, fmt.Errorf("source %s was never imported: %w", source, roster.ErrNotFound)
		}
	}
	report, err := i.importer.Report(ctx, source, number)
	if err != nil {
		return api.Run{}, err
	}
	return shaped[api.Run](report)
}

// Status tells how every source that was added stands.
func (i imports) Status(ctx context.Context) ([]api.SourceStatus, error) {
	all, err := i.importer.Status(ctx)
	if err != nil {
		return nil, err
	}
	return shaped[[]api.SourceStatus](all)
}

// Settings changes settings as the roster keeps them; none are the defaults.
func (i imports) Settings(kept []byte, change api.CSVChange) ([]byte, error) {
	before, err := sources.ParseSettings(kept)
	if err != nil {
		return nil, err
	}
	shown, err := shaped[api.CSVSettings](before)
	if err != nil {
		return nil, err
	}
	after, err := json.Marshal(change.Apply(shown))
	if err != nil {
		return nil, fmt.Errorf("settings of the source: %w", err)
	}
	checked, err := sources.ParseSettings(after)
	if err != nil {
		return nil, err
	}
	return checked.Encode()
}

// shaped turns what one part says into the shape that another gives it.
func shaped[T any](from any) (out T, err error) {
	b, err := json.Marshal(from)
	if err == nil {
		err = json.Unmarshal(b, &out)
	}
	if err != nil {
		return out, fmt.Errorf("tell of imports: %w", err)
	}
	return out, nil
}

// inWordsOfAPI says in the API's own words why an import is not carried out.
func inWordsOfAPI(err error) error {
	for _, e := range []struct{ ours, theirs error }{
		{sources.ErrBusy, api.ErrBusy}, {sources.ErrConfirm, api.ErrConfirm}, {sources.ErrNoFile, api.ErrNoFile},
	} {
		if errors.Is(err, e.ours) {
			return known{err, e.theirs}
		}
	}
	return err
}

// known is an error that another part knows by its own name, too.
type known struct {
	error

	name error
}

// Unwrap is for errors.Is.
func (k known) Unwrap() []error { return []error{k.error, k.name} }
