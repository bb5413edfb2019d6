package sources_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"doorsync/cloud/roster"
	"doorsync/cloud/roster/sqlstore"
	"doorsync/cloud/sources"
	"doorsync/protocol"
)

var anna = roster.Actor{Name: "anna", From: "test"}

// office is a center with a roster on the disk, and an importer.
type office struct {
	*sources.Importer
	t       testing.TB
	roster  *roster.Roster
	dir     string // of the files that are exported
	spool   string
	now     time.Time
	clock   func() time.Time // instead of now, if set
	born    time.Time
	start   func() // runs the importer
	notices notices
	mails   mails
}

// notices are what people were told.
type notices struct {
	mu  sync.Mutex
	all []sources.Notice
}

func (n *notices) Notify(_ context.Context, one sources.Notice) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.all = append(n.all, one)
	return nil
}

func (n *notices) told() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	var out []string
	for _, one := range n.all {
		out = append(out, fmt.Sprintf("%s %s", one.Report.State, one.Report.Why))
	}
	return out
}

// mails are mails to people who come and go.
type mails struct{}

func (mails) Mail(_ protocol.Source, e roster.Effect, u protocol.User, language string) []byte {
	if u.Value(protocol.FieldEmail).IsNull() {
		return nil
	}
	return fmt.Appendf(nil, "%s %s %s", e.Kind, u.Value(protocol.FieldEmail).First, language)
}

func newOffice(t testing.TB) *office {
	t.Helper()
	o := &office{t: t, dir: t.TempDir(), spool: filepath.Join(t.TempDir(), "imports"), now: time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)}
	store, err := sqlstore.Open(t.Context(), filepath.Join(t.TempDir(), "roster.db"), sqlstore.Options{Reserve: 1 << 16})
	must(t, err)
	t.Cleanup(func() { must(t, store.Close()) })
	o.roster, err = roster.Open(t.Context(), store, roster.Options{Now: o.time})
	must(t, err)
	o.born = time.Now()
	o.open(o.roster)
	return o
}

func (o *office) time() time.Time {
	if o.clock != nil {
		return o.clock()
	}
	return o.now
}

// line is a row of the usual order, lines are n of them.
func line(i int) string { return fmt.Sprintf("P%d,Test,p%d@example.org,%d,s%d", i, i, 2000+i, i) }

func lines(n int) []string {
	var out []string
	for i := range n {
		out = append(out, line(i))
	}
	return out
}

func (o *office) open(r sources.Roster) {
	o.t.Helper()
	var err error
	o.Importer, err = sources.New(sources.Options{
		Roster: r, Dir: o.spool, Now: o.time, Notifier: &o.notices, Mailer: o.mails,
	})
	must(o.t, err)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// add adds a CSV source whose file is NAME.csv.
func (o *office) add(name string, row roster.SourceRow, change func(*sources.Settings)) {
	o.t.Helper()
	s := sources.DefaultSettings()
	s.File = o.path(name + ".csv")
	if change != nil {
		change(&s)
	}
	text, err := s.Encode()
	must(o.t, err)
	row.Name, row.Kind, row.Settings = protocol.Source(name), sources.KindCSV, text
	if row.Gone == "" {
		row.Gone = roster.GoneRemoveOnly
	}
	row.Added = o.time().UnixMilli()
	must(o.t, o.roster.AddSource(o.t.Context(), anna, row))
}

func (o *office) path(file string) string { return filepath.Join(o.dir, file) }

// export writes a source's file.
func (o *office) export(name string, lines ...string) {
	o.t.Helper()
	o.exportAt(name, o.time(), lines...)
}

func (o *office) exportAt(name string, at time.Time, lines ...string) {
	o.t.Helper()
	file := o.path(name + ".csv")
	must(o.t, os.WriteFile(file, []byte(strings.Join(lines, "\n")+"\n"), 0o600))
	must(o.t, os.Chtimes(file, at, at))
}

// run imports and expects a state.
func (o *office) run(name string, want sources.State, q sources.Request) sources.Report {
	o.t.Helper()
	o.now = o.now.Add(time.Minute)
	if q.By == "" {
		q.By = "anna"
	}
	r, err := o.Import(o.t.Context(), name, q)
	must(o.t, err)
	if r.State != want {
		o.t.Fatalf("run of %s is %s (%s: %s), want %s; errors %v", name, r.State, r.Why, r.Failure, want, r.Errors)
	}
	o.clean()
	return r
}

// clean fails if an import left something behind.
func (o *office) clean() {
	o.t.Helper()
	left, err := filepath.Glob(filepath.Join(o.spool, "*"))
	must(o.t, err)
	if len(left) > 0 {
		o.t.Fatalf("imports left %v", left)
	}
}

// ids are the user IDs of all users, and their names.
func (o *office) names() map[string]string {
	o.t.Helper()
	out := map[string]string{}
	for _, u := range o.users(false) {
		out[u.ID] = u.User.FullName()
	}
	return out
}

func (o *office) users(removed bool) []roster.UserView {
	o.t.Helper()
	var out []roster.UserView
	q := roster.Query{Limit: 1000, Removed: removed}
	for {
		page, err := o.roster.Users(o.t.Context(), q)
		must(o.t, err)
		out = append(out, page.Users...)
		if q.After = page.Next; page.Next == "" {
			return out
		}
	}
}

// dump is what the roster knows of everybody, without what is random: IDs to
// values, with who holds them and what others said.
func (o *office) dump() map[string]map[string]string {
	o.t.Helper()
	out := map[string]map[string]string{}
	for _, removed := range []bool{false, true} {
		for _, u := range o.users(removed) {
			one := map[string]string{}
			if removed {
				one["removed"] = "yes"
			}
			if len(u.Aliases) > 0 {
				one["aliases"] = strings.Join(u.Aliases, " ")
			}
			if !removed {
				o.explain(u.GUID, one)
			}
			out[u.ID] = one
		}
	}
	return out
}

func (o *office) explain(guid string, one map[string]string) {
	o.t.Helper()
	all, err := o.roster.Explain(o.t.Context(), guid)
	must(o.t, err)
	for _, e := range all {
		text := e.Shown + " <- " + string(e.Source)
		if !e.Active {
			text = "not in effect"
		}
		var others []string
		for _, s := range e.Others {
			others = append(others, strings.TrimSpace(fmt.Sprintf("%s: %s %s", s.Source, s.Shown, s.State)))
		}
		slices.Sort(others)
		if len(others) > 0 {
			text += " (" + strings.Join(others, "; ") + ")"
		}
		name := e.Name
		if e.What != "value" {
			name = e.What + " " + name
		}
		one[name] = text
	}
}
