package sources_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"doorsync/cloud/roster"
	"doorsync/cloud/sources"
)

func TestFileTrouble(t *testing.T) {
	for want, err := range map[string]error{
		"is not there; check the export":                       &fs.PathError{Op: "open", Path: "/x", Err: fs.ErrNotExist},
		"the account under which the center runs may not":      &fs.PathError{Op: "open", Path: "/x", Err: fs.ErrPermission},
		"cannot be read: the process cannot access the file":   errors.New("the process cannot access the file"),
		"cannot be read: open /data/hr.csv: too many symlinks": errors.New("open /data/hr.csv: too many symlinks"),
	} {
		if got := sources.FileTrouble("/data/hr.csv", err); !strings.Contains(got, want) {
			t.Errorf("%v is told as %q, want %q", err, got, want)
		}
	}
}

// TestStrangeFiles are no files, or files that do not keep still. The wait between
// tries passes at once.
func TestStrangeFiles(t *testing.T) {
	for name, c := range map[string]struct{ file, want string }{
		"a folder": {os.TempDir(), "is no file"},
		// Its size is 0 whatever is read from it, as that of a file is that grows.
		"a file that grows": {"/proc/self/status", "still being written"},
	} {
		t.Run(name, func(t *testing.T) {
			live(t, func(t *testing.T, o *office) {
				o.add("hr", roster.SourceRow{}, func(s *sources.Settings) { s.File = c.file })
				if r := o.run("hr", sources.StateFailed, sources.Request{}); r.Why != sources.WhyFile || !strings.Contains(r.Failure, c.want) {
					t.Errorf("why %s: %s", r.Why, r.Failure)
				}
			})
		})
	}
}

// TestDryRunsAreNotKept: they are no runs, nobody is told, whatever comes of them.
func TestDryRunsAreNotKept(t *testing.T) {
	o := newOffice(t)
	o.add("hr", roster.SourceRow{Notify: true}, nil)
	o.export("hr", append([]string{header}, lines(20)...)...)
	if r := o.run("hr", sources.StateDry, sources.Request{Dry: true}); r.Run != 0 || r.Counts.New != 20 || !r.OK() {
		t.Errorf("report %+v", r)
	}
	o.run("hr", sources.StateDone, sources.Request{})
	o.export("hr", header, line(1))
	if r := o.run("hr", sources.StateDry, sources.Request{Dry: true}); r.Why != sources.WhyGuard || !strings.HasPrefix(r.Failure, "the run would wait: ") || r.Counts.Removed != 19 {
		t.Errorf("report %+v", r)
	}
	o.export("hr", header, "Ann,Gray,nowhere,1001,a")
	if r := o.run("hr", sources.StateFailed, sources.Request{Dry: true}); r.Run != 0 || len(r.Errors) != 1 || r.OK() {
		t.Errorf("report %+v", r)
	}
	other := sources.DefaultSettings()
	other.File, other.SkipBadRows = o.path("hr.csv"), true
	o.run("hr", sources.StateFailed, sources.Request{Dry: true, Settings: &other}) // no row is right
	o.expect("hr", sources.StateDone)
	if told := o.notices.told(); len(told) > 0 {
		t.Errorf("told %q", told)
	}
}

type deaf struct{}

func (deaf) Notify(context.Context, sources.Notice) error {
	return errors.New("the mail server is away")
}

// TestNotifierFails: what a run did stands, and the log says who was not told.
func TestNotifierFails(t *testing.T) {
	o := newOffice(t)
	var log bytes.Buffer
	var err error
	o.Importer, err = sources.New(sources.Options{Roster: o.roster, Dir: o.spool, Now: o.time, Notifier: deaf{}, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	must(t, err)
	o.add("hr", roster.SourceRow{}, nil)
	o.export("hr", "")
	o.run("hr", sources.StateFailed, sources.Request{})
	o.expect("hr", sources.StateFailed)
	if !strings.Contains(log.String(), "the mail server is away") {
		t.Errorf("log %s", log.String())
	}
}

func TestWithoutAFolder(t *testing.T) {
	o := newOffice(t)
	file := filepath.Join(t.TempDir(), "file")
	must(t, os.WriteFile(file, nil, 0o600))
	for _, dir := range []string{"", file} {
		if _, err := sources.New(sources.Options{Roster: o.roster, Dir: dir}); err == nil {
			t.Errorf("an importer works in %q", dir)
		}
	}
	o.add("hr", roster.SourceRow{}, nil)
	o.export("hr", header, line(1))
	must(t, os.RemoveAll(o.spool))
	if _, err := o.Import(t.Context(), "hr", sources.Request{By: "anna"}); err == nil {
		t.Error("an import needs no folder")
	}
}

// TestTwice names people twice by address, more often than a report keeps.
func TestTwice(t *testing.T) {
	o := newOffice(t)
	o.add("hr", roster.SourceRow{}, nil)
	all := []string{"First name,Last name,E-mail,ID"}
	for range 2 {
		for i := range 1100 {
			all = append(all, fmt.Sprintf("P%d,Test,p%d@example.org,%d", i, i, 2000+i))
		}
	}
	o.export("hr", all...)
	r := o.run("hr", sources.StateFailed, sources.Request{})
	if r.ErrorCount != 1100 || len(r.Errors) != sources.Kept || r.Skipped != 2200 {
		t.Fatalf("%d errors, %d kept, %d rows skipped", r.ErrorCount, len(r.Errors), r.Skipped)
	}
	kept, err := o.Report(t.Context(), "hr", 1)
	must(t, err)
	if !equalJSON(t, kept, r) {
		t.Errorf("kept of the run %+v, told %+v", kept, r)
	}
	o.expect("hr", sources.StateFailed)
	if _, err := o.Report(t.Context(), "hr", 2); !errors.Is(err, roster.ErrNotFound) {
		t.Errorf("a run that never was: %v", err)
	}
	for _, e := range r.Errors {
		if e.Name != "e-mail address" || e.Wrong != fmt.Sprintf("line %d has the same e-mail address", e.Line-1100) {
			t.Fatalf("error %v", e)
		}
	}
}

// TestUnreadableSettings: a source whose settings cannot be read is told of, and
// keeps nobody else waiting.
func TestUnreadableSettings(t *testing.T) {
	live(t, func(t *testing.T, o *office) {
		o.add("hr", roster.SourceRow{}, nil)
		must(t, o.roster.AddSource(t.Context(), anna, roster.SourceRow{Name: "broken", Kind: sources.KindCSV, Gone: roster.GoneKeep, Settings: []byte(`{"file": 7}`)}))
		o.export("hr", header, line(1))
		o.start()
		o.wait(11 * time.Second)
		o.expect("hr", sources.StateDone)
		if s := o.status("broken"); !strings.Contains(s.Trouble, "set them anew") {
			t.Errorf("status %+v", s)
		}
		if _, err := o.Import(t.Context(), "broken", sources.Request{}); !errors.Is(err, roster.ErrInvalid) {
			t.Errorf("error %v", err)
		}
	})
}

// TestNothingSecret looks for PINs in all that a run leaves for people.
func TestNothingSecret(t *testing.T) {
	o := newOffice(t)
	o.add("hr", roster.SourceRow{}, nil)
	o.export("hr", "First name,E-mail,PIN", "Ann,ann@example.org,482913", "Bob,bob@example.org,73x5519", "Cyd,cyd,4829133")
	for _, skip := range []bool{false, true} {
		q := sources.Request{SkipBadRows: skip, By: "anna"}
		r, err := o.Import(t.Context(), "hr", q)
		must(t, err)
		text, err := json.Marshal(r)
		must(t, err)
		for _, pin := range []string{"482913", "73x5519", "4829133"} {
			if bytes.Contains(text, []byte(pin)) || strings.Contains(fmt.Sprintf("%+v %v %#v", r, r.Errors, r.Effects), pin) {
				t.Errorf("the report gives the PIN %s away: %s", pin, text)
			}
		}
	}
}
