package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"doorsync/packaging/rig"
)

// csvPerson is a row of an export.
type csvPerson struct{ id, first, last, mail string }

func export(people ...csvPerson) string {
	var b strings.Builder
	b.WriteString("Personalnummer;Vorname;Nachname;E-Mail;Karte\r\n")
	for _, p := range people {
		fmt.Fprintf(&b, "%s;%s;%s;%s;%d\r\n", p.id, p.first, p.last, p.mail, card(p.id))
	}
	return b.String()
}

func staff(n int) []csvPerson {
	var out []csvPerson
	for i := range n {
		id := fmt.Sprint(501 + i)
		out = append(out, csvPerson{id, "Person", id, "p" + id + "@example.org"})
	}
	return out
}

// expectAll is that the people of an export are known everywhere, and nobody else.
func (w *world) expectAll(people ...csvPerson) {
	w.mu.Lock()
	clear(w.want)
	w.mu.Unlock()
	for _, p := range people {
		w.expect(p.id, p.first+" "+p.last)
	}
}

// exits runs a command of the center that is to end with an exit code, and returns
// what it prints.
func (w *world) exits(code int, args ...string) string {
	w.t.Helper()
	out, err := w.center.Command(w.ctx, args...)
	got := 0
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		got = exit.ExitCode()
	} else {
		w.must(err)
	}
	if got != code {
		w.t.Fatalf("%v: exit code %d, want %d: %v\n%s", args, got, code, err, out)
	}
	return string(out)
}

// TestAnExportKeepsReadersInStep: an export of another program, from the first time
// that it appears to its change, a broken one, one sent from elsewhere and one that
// is half empty.
func TestAnExportKeepsReadersInStep(t *testing.T) {
	w := newWorld(t, "LYON")
	w.start()
	file := filepath.Join(w.dir, "export", "users.csv")
	w.must(os.MkdirAll(filepath.Dir(file), 0o700))
	write := func(path, content string) string {
		w.must(os.WriteFile(path, []byte(content), 0o600))
		return path
	}
	w.exits(0, "sources", "add", "csv", "hr", "--file", file, "--interval", "1h",
		"--columns", "Personalnummer=user_id,Vorname=first_name,Nachname=last_name,E-Mail=email,Karte=card")

	people := staff(40)
	write(file, export(people...))
	w.expectAll(people...)
	w.agree(40 * time.Second) // the center looks at the file, and looks again whether it has stopped growing
	w.exits(0, "sources", "set", "hr", "--watch=false")

	people[7].last = "Renamed"
	write(file, export(people...))
	w.exits(0, "import", "hr")
	w.expectAll(people...)
	w.agree(bar(time.Second))

	unchanged := func(why string) {
		t.Helper()
		w.agree(5 * time.Second)
		if out := w.exits(0, "sources", "status", "hr"); !strings.Contains(out, "hr") {
			t.Errorf("%s: %s", why, out)
		}
	}
	broken := people[9]
	broken.mail = "no address"
	write(file, export(append([]csvPerson{broken, {"777", "Nobody", "New", "new@example.org"}}, people[1:]...)...))
	if out := w.exits(1, "import", "hr"); !strings.Contains(out, "users.csv:2:4") || !strings.Contains(out, "no address") {
		t.Errorf("the report says nothing of line 2, column 4:\n%s", out)
	}
	unchanged("after a file with errors")

	people[3].last = "Sent"
	sent := write(filepath.Join(w.dir, "sent.csv"), export(people...))
	before := people[3]
	before.last = "504"
	if out := w.exits(0, "import", "hr", "--file", sent, "--dry-run"); !strings.Contains(out, "Sent") {
		t.Errorf("the dry run does not tell of the change:\n%s", out)
	}
	w.expect(before.id, "Person 504")
	unchanged("after a dry run")
	w.exits(0, "import", "hr", "--file", sent)
	w.expectAll(people...)
	w.agree(bar(time.Second))

	// Ten of forty: the import asks, and a reader does not ask once more.
	few := write(filepath.Join(w.dir, "few.csv"), export(people[:30]...))
	w.exits(4, "import", "hr", "--file", few)
	unchanged("while an import waits")
	runs, err := w.center.Runs(w.ctx, "hr", 0, 1)
	w.must(err)
	if len(runs.Runs) != 1 || runs.Runs[0].State != "waiting" {
		t.Fatalf("the last run is %+v", runs.Runs)
	}
	w.exits(0, "import", "hr", "--file", few, "--confirm", fmt.Sprint(runs.Runs[0].Run))
	w.expectAll(people[:30]...)
	w.agree(10 * time.Second)

	// All of it outlives the center.
	w.must(w.center.Kill())
	w.must(w.center.Start(w.ctx))
	w.agree(10 * time.Second)
	w.must(rig.Until(w.ctx, "the file is known again", func(context.Context) bool {
		return strings.Contains(w.exits(0, "import", "hr", "--file", few), "unchanged")
	}))
}
