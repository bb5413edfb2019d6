package sources_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"doorsync/cloud/roster"
	"doorsync/cloud/roster/sqlstore"
	"doorsync/cloud/sources"
	"doorsync/protocol"
)

// meddler is a roster that something happens to while an import runs.
type meddler struct {
	*roster.Roster
	surveyed func()
	person   func(n int) error
	times    int // surveys
}

func (m *meddler) Survey(ctx context.Context, s protocol.Source, fn func(*roster.Survey) error) error {
	err := m.Roster.Survey(ctx, s, fn)
	if m.times++; m.surveyed != nil {
		m.surveyed()
	}
	return err
}

func (m *meddler) Import(ctx context.Context, a roster.Actor, in roster.Import) (roster.Counts, error) {
	persons, n := in.Persons, 0
	in.Persons = func(yield func(roster.Person, error) bool) {
		for p, err := range persons {
			if n++; m.person != nil && err == nil {
				err = m.person(n)
			}
			if !yield(p, err) {
				return
			}
		}
	}
	return m.Roster.Import(ctx, a, in)
}

// TestCanceled ends the import in the middle: nothing is kept and nothing is left.
func TestCanceled(t *testing.T) {
	for _, at := range []string{"copy", "read", "survey", "first person", "last person"} {
		t.Run(at, func(t *testing.T) {
			o := newOffice(t)
			ctx, cancel := context.WithCancel(t.Context())
			m := &meddler{Roster: o.roster}
			o.open(m)
			o.add("hr", roster.SourceRow{}, nil)
			text := []byte(strings.Join(append([]string{header}, lines(1000)...), "\n"))
			var content io.Reader = bytes.NewReader(text)
			stop := func(n int) func(int) error {
				return func(i int) error {
					if i == n {
						cancel()
						return ctx.Err()
					}
					return nil
				}
			}
			switch at {
			case "copy":
				content = io.MultiReader(bytes.NewReader(text), &canceling{cancel}, bytes.NewReader(text))
			case "read":
				o.open(&checking{Roster: o.roster, cancel: cancel})
				text = bytes.Replace(text, []byte("P7,"), append(bytes.Repeat([]byte("x"), 1100), ','), 1)
				content = bytes.NewReader(text)
			case "survey":
				m.surveyed = cancel
			case "first person":
				m.person = stop(1)
			case "last person":
				m.person = stop(1000)
			}
			before := o.dump()
			r, err := o.Import(ctx, "hr", sources.Request{Content: content, By: "anna"})
			if !errors.Is(err, context.Canceled) {
				t.Fatalf("report %+v, error %v; want it canceled", r, err)
			}
			o.clean()
			if !equalJSON(t, before, o.dump()) || len(o.states("hr")) > 0 {
				t.Errorf("something was kept: %v", o.states("hr"))
			}
		})
	}
}

type canceling struct{ cancel func() }

func (c *canceling) Read([]byte) (int, error) {
	c.cancel()
	return 0, io.EOF
}

// checking cancels while rows are read.
type checking struct {
	*roster.Roster
	cancel func()
}

func (c *checking) CheckField(f protocol.Field, v protocol.Value) error {
	c.cancel()
	return c.Roster.CheckField(f, v)
}

// TestPlannedAgain has users change between survey and import.
func TestPlannedAgain(t *testing.T) {
	for name, c := range map[string]struct {
		changes int
		want    sources.State
		surveys int
	}{
		"once":     {1, sources.StateDone, 2},
		"for ever": {100, sources.StateFailed, 5},
	} {
		t.Run(name, func(t *testing.T) {
			o := newOffice(t)
			m := &meddler{Roster: o.roster}
			o.open(m)
			o.add("hr", roster.SourceRow{Keys: []roster.Key{roster.KeyEmail}}, nil)
			o.export("hr", header, "Ann,Gray,ann@example.org,1001,a", "Bob,Hill,bob@example.org,1002,b")
			m.surveyed = func() {
				if m.times > c.changes {
					return
				}
				email := []string{"ann@example.org", "bob@example.org"}[m.times%2]
				_, err := o.roster.Put(t.Context(), anna, fmt.Sprint(m.times), roster.Patch{Set: map[protocol.Field]protocol.Value{protocol.FieldEmail: protocol.Text(email)}})
				must(t, err)
				if m.times > 2 {
					must(t, o.roster.Delete(t.Context(), anna, fmt.Sprint(m.times-2)))
				}
			}
			r := o.run("hr", c.want, sources.Request{})
			if m.times != c.surveys {
				t.Errorf("planned %d times, want %d", m.times, c.surveys)
			}
			if c.want == sources.StateDone && (r.Counts.Associated != 1 || r.Counts.New != 1 || len(o.names()) != 2 || len(r.Effects) != 2) {
				t.Errorf("counts %+v, users %v, effects %v", r.Counts, o.names(), r.Effects)
			}
		})
	}
}

// failing is a store whose commits fail.
type failing struct {
	roster.Store
	fail int // how many of the next ones
}

var errDisk = errors.New("disk trouble")

func (s *failing) Update(ctx context.Context, fn func(roster.Tx) error) error {
	return s.Store.Update(ctx, func(tx roster.Tx) error {
		err := fn(tx)
		if err == nil && s.fail > 0 {
			s.fail--
			return errDisk
		}
		return err
	})
}

func TestCommitFails(t *testing.T) {
	o := newOffice(t)
	disk, err := sqlstore.Open(t.Context(), filepath.Join(t.TempDir(), "roster.db"), sqlstore.Options{Reserve: 1 << 16})
	must(t, err)
	t.Cleanup(func() { must(t, disk.Close()) })
	store := &failing{Store: disk}
	o.roster, err = roster.Open(t.Context(), store, roster.Options{Now: o.time})
	must(t, err)
	o.open(o.roster)
	o.add("hr", roster.SourceRow{Notify: true}, nil)
	o.export("hr", append([]string{header}, lines(100)...)...)
	store.fail = 1
	r := o.run("hr", sources.StateFailed, sources.Request{})
	if r.Why != sources.WhyRoster || !strings.Contains(r.Failure, "disk trouble") || len(o.names()) != 0 || len(r.Effects) != 0 {
		t.Errorf("report %+v, users %v", r, o.names())
	}
	mails := 0
	must(t, o.roster.Mails(t.Context(), 0, func(roster.MailRow) bool { mails++; return true }))
	if mails > 0 {
		t.Errorf("%d mails are in the outbox", mails)
	}
	store.fail = 2 // not even that it failed can be kept
	if _, err := o.Import(t.Context(), "hr", sources.Request{By: "anna"}); !errors.Is(err, errDisk) {
		t.Errorf("error %v, want %v", err, errDisk)
	}
	o.clean()
	o.run("hr", sources.StateDone, sources.Request{})
	if len(o.names()) != 100 {
		t.Errorf("%d users, want 100", len(o.names()))
	}
}

// TestSweep has a crash leave files behind.
func TestSweep(t *testing.T) {
	o := newOffice(t)
	left := filepath.Join(o.spool, "import-123")
	must(t, os.MkdirAll(left, 0o700))
	must(t, os.WriteFile(filepath.Join(left, "rows-1"), []byte("Ann"), 0o600))
	other := filepath.Join(o.spool, "of somebody else")
	must(t, os.WriteFile(other, nil, 0o600))
	o.open(o.roster)
	if _, err := os.Stat(left); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("what a crash left is still there: %v", err)
	}
	if _, err := os.Stat(other); err != nil {
		t.Errorf("what the importer did not make was removed: %v", err)
	}
}

func TestRefusedRequests(t *testing.T) {
	o := newOffice(t)
	o.add("hr", roster.SourceRow{}, nil)
	o.add("sent", roster.SourceRow{}, func(s *sources.Settings) { s.File = "" })
	o.export("hr", append([]string{header}, lines(30)...)...)
	o.run("hr", sources.StateDone, sources.Request{})
	o.export("hr", append([]string{header}, lines(10)...)...)
	other := sources.DefaultSettings()
	for name, c := range map[string]struct {
		source string
		q      sources.Request
		want   error
	}{
		"an unknown source":             {"nobody", sources.Request{}, roster.ErrNotFound},
		"the office":                    {"office", sources.Request{}, roster.ErrNotFound},
		"no file":                       {"sent", sources.Request{}, sources.ErrNoFile},
		"a run that does not wait":      {"hr", sources.Request{Confirm: 1}, sources.ErrConfirm},
		"a run that never was":          {"hr", sources.Request{Confirm: 7}, sources.ErrConfirm},
		"a dry run of a confirmation":   {"hr", sources.Request{Confirm: 1, Dry: true}, roster.ErrInvalid},
		"other settings on a real run":  {"hr", sources.Request{Settings: &other}, roster.ErrInvalid},
		"settings of an unknown source": {"nobody", sources.Request{Settings: &other, Dry: true}, roster.ErrNotFound},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := o.Import(t.Context(), c.source, c.q); !errors.Is(err, c.want) {
				t.Errorf("error %v, want %v", err, c.want)
			}
		})
	}
	o.run("hr", sources.StateWaiting, sources.Request{})
	o.export("hr", append([]string{header}, lines(9)...)...)
	if _, err := o.Import(t.Context(), "hr", sources.Request{Confirm: 2}); !errors.Is(err, sources.ErrConfirm) || !strings.Contains(err.Error(), "the file has changed") {
		t.Errorf("confirmed another file: %v", err)
	}
}

// TestBusy asks for two imports of a source at once: the second is refused, and
// somebody who sends slowly keeps no other source waiting.
func TestBusy(t *testing.T) {
	o := newOffice(t)
	o.add("hr", roster.SourceRow{}, func(s *sources.Settings) { s.File = "" })
	o.add("school", roster.SourceRow{}, nil)
	o.export("school", header, line(1))
	r, w := io.Pipe()
	done := make(chan error)
	go func() {
		_, err := o.Import(t.Context(), "hr", sources.Request{Content: r, By: "anna"})
		done <- err
	}()
	_, err := io.WriteString(w, header+"\n")
	must(t, err)
	if p, ok := o.Progress("hr"); !ok || p.Stage != sources.StageCopy {
		t.Errorf("progress %+v", p)
	}
	if _, err := o.Import(t.Context(), "hr", sources.Request{Content: strings.NewReader(header)}); !errors.Is(err, sources.ErrBusy) {
		t.Errorf("error %v, want %v", err, sources.ErrBusy)
	}
	if got, err := o.Import(t.Context(), "school", sources.Request{By: "anna"}); err != nil || got.State != sources.StateDone {
		t.Errorf("report %+v, error %v", got, err)
	}
	_, err = io.WriteString(w, line(2)+"\n")
	must(t, err)
	must(t, w.Close())
	must(t, <-done)
	if _, ok := o.Progress("hr"); ok {
		t.Error("the import has ended, and still makes progress")
	}
}

// TestOneAtATime has an import take long: that of another source waits for the
// memory, and can be given up meanwhile.
func TestOneAtATime(t *testing.T) {
	o := newOffice(t)
	m := &meddler{Roster: o.roster}
	o.open(m)
	o.add("hr", roster.SourceRow{}, nil)
	o.add("school", roster.SourceRow{}, nil)
	o.export("hr", header, line(1))
	o.export("school", header, line(2))
	m.surveyed = func() {
		m.surveyed = nil
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		if _, err := o.Import(ctx, "school", sources.Request{By: "anna"}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v: two imports at once would take twice the memory", err)
		}
	}
	got, err := o.Import(t.Context(), "hr", sources.Request{By: "anna"})
	must(t, err)
	if got.State != sources.StateDone {
		t.Errorf("report %+v", got)
	}
	o.run("school", sources.StateDone, sources.Request{})
}

// TestManyErrors has more errors than a report keeps.
func TestManyErrors(t *testing.T) {
	o := newOffice(t)
	o.add("hr", roster.SourceRow{}, nil)
	all := []string{header}
	for i := range 2500 {
		all = append(all, strings.Replace(line(i), fmt.Sprint(2000+i), "no number", 1))
	}
	o.export("hr", append(all, line(9999))...)
	r := o.run("hr", sources.StateFailed, sources.Request{})
	if len(r.Errors) != sources.Kept || r.ErrorCount != 2500 || r.Errors[0].Line != 2 || r.Errors[999].Line != 1001 || r.Skipped != 2500 {
		t.Errorf("%d errors of %d, first %v, last %v", len(r.Errors), r.ErrorCount, r.Errors[0], r.Errors[len(r.Errors)-1])
	}
	if r := o.run("hr", sources.StateDone, sources.Request{SkipBadRows: true}); len(o.names()) != 1 || r.Skipped != 2500 {
		t.Errorf("users %v", o.names())
	}
}
