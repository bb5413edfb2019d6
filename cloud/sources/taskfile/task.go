package taskfile

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Task is an import to be run again and again. Paths are those of the machine
// that is to run it, so they are absolute but not looked at here.
type Task struct {
	Source  string // name of the source
	Program string // of doorsync-central, a path
	// File is sent from the machine that runs the task; "" leaves it to the center
	// to read the file that the source names.
	File      string
	API       string // address of the center's API
	TokenFile string // a path
	Interval  time.Duration
	// User is the account that the task runs as; "" is SYSTEM on Windows, and
	// doorsync on Linux.
	User string
}

// The shortest and the longest interval that the Task Scheduler takes.
const (
	MinInterval = time.Minute
	MaxInterval = 31 * 24 * time.Hour
)

// arguments are those of the command, without the program.
func (t Task) arguments() []string {
	out := []string{"import", t.Source}
	if t.File != "" {
		out = append(out, "--file", t.File)
	}
	return append(out, "--api", t.API, "--token-file", t.TokenFile)
}

// check refuses what no system could run, all of it at once.
func (t Task) check(absolute func(string) bool) error {
	var errs []error
	fault := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	for _, text := range []struct{ what, value string }{
		{"name of the source", t.Source}, {"address of the API", t.API}, {"path of the program", t.Program}, {"path of the token", t.TokenFile},
	} {
		if text.value == "" {
			fault("the %s is missing", text.what)
		}
	}
	if strings.HasPrefix(t.Source, "-") {
		fault("the name of the source begins with a dash: %s", t.Source)
	}
	for _, path := range []string{t.Program, t.TokenFile, t.File} {
		if path != "" && !absolute(path) {
			fault("%s is not a whole path there; the task does not run in your folder", path)
		}
	}
	for _, text := range append(t.arguments(), t.Program, t.User) {
		if strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f }) {
			fault("%q has a control character in it", text)
		}
	}
	if t.Interval < MinInterval || t.Interval > MaxInterval || t.Interval%time.Second != 0 {
		fault("an interval of %v; it is whole seconds, from %v to 31 days", t.Interval, MinInterval)
	}
	return errors.Join(errs...)
}
