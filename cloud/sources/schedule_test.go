package sources_test

import (
	"context"
	"errors"
	"os"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"doorsync/cloud/roster"
	"doorsync/cloud/sources"
	"doorsync/protocol"
)

// live is an office whose importer runs, in time that passes only when everybody
// waits.
func live(t *testing.T, test func(t *testing.T, o *office)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t)
		o.clock = time.Now
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		running := false
		o.start = func() {
			running = true
			go func() { done <- o.Run(ctx) }()
		}
		t.Cleanup(func() {
			cancel()
			if !running {
				return
			}
			if err := <-done; !errors.Is(err, context.Canceled) {
				t.Errorf("Run ended with %v", err)
			}
		})
		test(t, o)
	})
}

// wait lets time pass.
func (o *office) wait(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// states are the runs of a source, oldest first.
func (o *office) states(name string) []sources.State {
	o.t.Helper()
	var out []sources.State
	must(o.t, o.Reports(o.t.Context(), name, func(r sources.Report) bool {
		if len(r.Effects)+len(r.Errors) > 0 {
			o.t.Errorf("run %d is listed with all it did", r.Run)
		}
		out = append(out, r.State)
		return true
	}))
	slices.Reverse(out)
	return out
}

func (o *office) expect(name string, want ...sources.State) {
	o.t.Helper()
	if got := o.states(name); !slices.Equal(got, want) {
		o.t.Fatalf("runs of %s after %s: %v, want %v", name, time.Since(o.born), got, want)
	}
}

func (o *office) status(name string) sources.Status {
	o.t.Helper()
	all, err := o.Status(o.t.Context())
	must(o.t, err)
	for _, s := range all {
		if string(s.Source) == name {
			return s
		}
	}
	o.t.Fatalf("no status of %s", name)
	return sources.Status{}
}

const header = "First name,Last name,E-mail,ID,Sync ID"

func TestWatch(t *testing.T) {
	live(t, func(t *testing.T, o *office) {
		o.add("hr", roster.SourceRow{}, nil)
		o.start()
		o.wait(time.Second)
		o.expect("hr") // there is no file, and nothing is due
		o.export("hr", header, "Ann,Gray,ann@example.org,1001,a")
		o.wait(6 * time.Second)
		o.expect("hr") // it may still be growing
		o.wait(5 * time.Second)
		o.expect("hr", sources.StateDone)
		o.wait(30 * time.Minute)
		o.expect("hr", sources.StateDone)
		o.export("hr", header, "Ann,Gray,ann@example.org,1001,a", "Bob,Hill,bob@example.org,1002,b")
		o.wait(11 * time.Second)
		o.expect("hr", sources.StateDone, sources.StateDone)
	})
}

// TestWatchGrowing has a file grow for a minute: it is left alone until it does not.
func TestWatchGrowing(t *testing.T) {
	live(t, func(t *testing.T, o *office) {
		o.add("hr", roster.SourceRow{}, nil)
		lines := []string{header}
		for i := range 20 {
			lines = append(lines, line(i))
			o.exportAt("hr", time.Now(), lines...)
			if i == 0 {
				o.start()
			}
			o.wait(3 * time.Second)
		}
		o.expect("hr")
		o.wait(11 * time.Second)
		o.expect("hr", sources.StateDone)
		if n := len(o.names()); n != 20 {
			t.Errorf("%d users, want 20", n)
		}
	})
}

func TestScheduleWithoutWatching(t *testing.T) {
	live(t, func(t *testing.T, o *office) {
		o.add("hr", roster.SourceRow{}, func(s *sources.Settings) { s.Watch = false })
		o.export("hr", header, line(1))
		o.start()
		o.wait(11 * time.Second)
		o.expect("hr", sources.StateDone) // none was ever run
		o.export("hr", header, line(1), line(2))
		o.wait(59 * time.Minute)
		o.expect("hr", sources.StateDone)
		o.wait(2 * time.Minute)
		o.expect("hr", sources.StateDone, sources.StateDone)
		o.wait(5*time.Hour + time.Minute)
		o.expect("hr", sources.StateDone, sources.StateDone, sources.StateUnchanged)
		s := o.status("hr")
		if s.Overdue || s.Completed.Times != 5 || s.Ago > time.Hour || time.Until(*s.Next) > time.Hour {
			t.Errorf("status %+v, completed %+v", s, s.Completed)
		}
	})
}

// TestMissedWhileDown has the center down when a run was due and the file changed.
func TestMissedWhileDown(t *testing.T) {
	live(t, func(t *testing.T, o *office) {
		o.add("hr", roster.SourceRow{}, nil)
		o.export("hr", header, line(1))
		o.run("hr", sources.StateDone, sources.Request{})
		o.wait(24 * time.Hour)
		o.export("hr", header, line(1), line(2))
		o.open(o.roster)
		o.start()
		o.wait(11 * time.Second)
		o.expect("hr", sources.StateDone, sources.StateOverdue, sources.StateDone)
		o.wait(10 * time.Minute)
		o.expect("hr", sources.StateDone, sources.StateOverdue, sources.StateDone)
	})
}

// TestOverdue has the export die: it is reported once, until a run completes.
func TestOverdue(t *testing.T) {
	live(t, func(t *testing.T, o *office) {
		o.add("hr", roster.SourceRow{}, func(s *sources.Settings) { s.Contacts = []string{"it@example.org"} })
		o.add("sent", roster.SourceRow{}, func(s *sources.Settings) { s.File = "" })
		o.export("hr", header, line(1))
		o.start()
		o.wait(time.Minute)
		must(t, os.Remove(o.path("hr.csv")))
		o.wait(4 * time.Hour)
		o.expect("hr", sources.StateDone, sources.StateFailed, sources.StateOverdue)
		o.expect("sent", sources.StateOverdue) // nobody ever sent anything
		o.wait(4 * time.Hour)
		if told := o.notices.told(); !slices.Equal(told, []string{"failed file", "overdue ", "overdue "}) {
			t.Errorf("told %q", told)
		}
		if s := o.status("hr"); !s.Overdue || s.Last == nil || s.Last.State != sources.StateFailed || s.Last.Times < 6 {
			t.Errorf("status %+v, last %+v", s, s.Last)
		}
		o.export("hr", header, line(1), line(2))
		o.wait(15 * time.Second)
		if s := o.status("hr"); s.Overdue || s.Completed.State != sources.StateDone {
			t.Errorf("status %+v", s)
		}
		must(t, os.Remove(o.path("hr.csv")))
		o.wait(4 * time.Hour)
		if n := len(o.notices.told()); n != 5 {
			t.Errorf("told %q: the second time it must be told again", o.notices.told())
		}
	})
}

// TestFileAway has the file taken away for a moment, as exports do, just when it is
// to be read.
func TestFileAway(t *testing.T) {
	live(t, func(t *testing.T, o *office) {
		o.add("hr", roster.SourceRow{}, nil)
		got := make(chan sources.Report, 1)
		go func() {
			r, err := o.Import(t.Context(), "hr", sources.Request{By: "anna"})
			if err != nil {
				t.Error(err)
			}
			got <- r
		}()
		o.wait(2 * time.Second)
		o.export("hr", header, line(1))
		if r := <-got; r.State != sources.StateDone {
			t.Errorf("the run is %s: %s", r.State, r.Failure)
		}
		must(t, os.Remove(o.path("hr.csv")))
		if r := o.run("hr", sources.StateFailed, sources.Request{}); r.Why != sources.WhyFile {
			t.Errorf("why %s", r.Why)
		}
		o.start()
	})
}

// TestWaitingIsNotAskedTwice has the schedule meet a run that waits.
func TestWaitingIsNotAskedTwice(t *testing.T) {
	live(t, func(t *testing.T, o *office) {
		o.add("hr", roster.SourceRow{}, func(s *sources.Settings) { s.Overdue = 1000 })
		o.export("hr", append([]string{header}, lines(20)...)...)
		o.start()
		o.wait(11 * time.Second)
		o.export("hr", append([]string{header}, lines(5)...)...)
		o.wait(5 * time.Hour)
		o.expect("hr", sources.StateDone, sources.StateWaiting)
		if told := o.notices.told(); !slices.Equal(told, []string{"waiting guard"}) {
			t.Errorf("told %q", told)
		}
		o.run("hr", sources.StateDone, sources.Request{Confirm: 2})
		if n := len(o.names()); n != 5 {
			t.Errorf("%d users, want 5", n)
		}
	})
}

// TestMendedElsewhere has a file fail for what is not its fault: the schedule tries
// it again, and nobody is told twice meanwhile.
func TestMendedElsewhere(t *testing.T) {
	live(t, func(t *testing.T, o *office) {
		o.add("hr", roster.SourceRow{}, func(s *sources.Settings) {
			s.Overdue, s.Format.Columns = 1000, "Name=name,Mail=email,Plate=custom:plate"
		})
		o.export("hr", "Name,Mail,Plate", "Ann,ann@example.org,B-XY 12")
		o.start()
		o.wait(3 * time.Hour)
		o.expect("hr", sources.StateFailed)
		must(t, o.roster.PutField(t.Context(), anna, protocol.Custom{Field: "custom:plate", Type: protocol.CustomText}))
		o.wait(time.Hour)
		o.expect("hr", sources.StateFailed, sources.StateDone)
		if told := o.notices.told(); !slices.Equal(told, []string{"failed rows"}) {
			t.Errorf("told %q", told)
		}
	})
}
