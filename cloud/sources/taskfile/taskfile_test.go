package taskfile_test

import (
	"bytes"
	"encoding/binary"
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"pgregory.net/rapid"

	"doorsync/cloud/sources/taskfile"
)

var update = flag.Bool("update", false, "write the golden files")

func windowsTask() taskfile.Task {
	return taskfile.Task{
		Source: "hr", Program: `C:\Program Files\doorsync\doorsync-central.exe`, File: `C:\Export & Co\<new> users.csv`,
		API: "http://center.example.org:8480", TokenFile: `C:\ProgramData\doorsync\api.token`, Interval: time.Hour,
	}
}

func linuxTask() taskfile.Task {
	return taskfile.Task{
		Source: "hr", Program: "/usr/bin/doorsync-central", File: "/srv/export/100% of $us \"users\".csv",
		API: "http://127.0.0.1:8480", TokenFile: "/var/lib/doorsync/central/api.token", Interval: time.Hour,
	}
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s: got\n%s\nwant\n%s", name, got, want)
	}
}

func TestWindows(t *testing.T) {
	own := windowsTask()
	own.User, own.File, own.Interval = `EXAMPLE\import`, "", 36*time.Hour+90*time.Second
	for name, task := range map[string]taskfile.Task{"windows.xml": windowsTask(), "windows-own-account.xml": own} {
		got, err := task.Windows()
		if err != nil {
			t.Fatal(err)
		}
		golden(t, name, got)
	}
}

// decode reads what Windows wrote or would write: the mark tells the encoding,
// and the declaration must agree with it.
func decode(t interface{ Fatalf(string, ...any) }, file []byte) string {
	if len(file)%2 != 0 || !bytes.HasPrefix(file, []byte{0xff, 0xfe}) {
		t.Fatalf("no UTF-16, little endian, with a mark: % x…", file[:4])
	}
	var units []uint16
	for b := file[2:]; len(b) > 0; b = b[2:] {
		units = append(units, binary.LittleEndian.Uint16(b))
	}
	text := string(utf16.Decode(units))
	if !strings.HasPrefix(text, `<?xml version="1.0" encoding="UTF-16"?>`) {
		t.Fatalf("declares another encoding: %.60s", text)
	}
	return text
}

// element is any element.
type element struct {
	XMLName  xml.Name
	Attrs    []xml.Attr `xml:",any,attr"`
	Children []element  `xml:",any"`
	Text     string     `xml:",chardata"`
}

func parse(t interface{ Fatalf(string, ...any) }, file []byte) element {
	var root element
	d := xml.NewDecoder(strings.NewReader(decode(t, file)))
	d.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil } // decoded already
	if err := d.Decode(&root); err != nil {
		t.Fatalf("not well-formed: %v", err)
	}
	return root
}

func (e element) at(path ...string) string {
	for _, name := range path {
		i := slices.IndexFunc(e.Children, func(c element) bool { return c.XMLName.Local == name })
		if i < 0 {
			return "(no " + name + ")"
		}
		e = e.Children[i]
	}
	return strings.TrimSpace(e.Text)
}

// TestWindowsSchema holds the task to the published schema: the namespace, what
// each element may hold, in sequence where it is one, and the types of values.
func TestWindowsSchema(t *testing.T) {
	file, err := windowsTask().Windows()
	if err != nil {
		t.Fatal(err)
	}
	root := parse(t, file)
	// Sequences must be in this order; the others may be in any.
	allowed := map[string]struct {
		sequence bool
		names    []string
	}{
		"Task":             {false, []string{"RegistrationInfo", "Triggers", "Settings", "Data", "Principals", "Actions"}},
		"RegistrationInfo": {false, []string{"URI", "SecurityDescriptor", "Source", "Date", "Author", "Version", "Description", "Documentation"}},
		"Triggers":         {true, []string{"TimeTrigger"}},
		"TimeTrigger":      {true, []string{"Enabled", "StartBoundary", "EndBoundary", "Repetition", "ExecutionTimeLimit", "RandomDelay"}},
		"Repetition":       {false, []string{"Interval", "Duration", "StopAtDurationEnd"}},
		"Principals":       {true, []string{"Principal"}},
		"Principal":        {false, []string{"UserId", "LogonType", "GroupId", "DisplayName", "RunLevel"}},
		"Settings": {false, []string{
			"AllowStartOnDemand", "RestartOnFailure", "MultipleInstancesPolicy", "DisallowStartIfOnBatteries", "StopIfGoingOnBatteries",
			"AllowHardTerminate", "StartWhenAvailable", "NetworkProfileName", "RunOnlyIfNetworkAvailable", "WakeToRun", "Enabled", "Hidden",
			"DeleteExpiredTaskAfter", "IdleSettings", "NetworkSettings", "ExecutionTimeLimit", "Priority", "RunOnlyIfIdle",
		}},
		"Actions": {true, []string{"Exec"}},
		"Exec":    {false, []string{"Command", "Arguments", "WorkingDirectory"}},
	}
	var walk func(e element)
	walk = func(e element) {
		if e.XMLName.Space != "http://schemas.microsoft.com/windows/2004/02/mit/task" {
			t.Errorf("%s is of namespace %q", e.XMLName.Local, e.XMLName.Space)
		}
		rule, last := allowed[e.XMLName.Local], -1
		for i, c := range e.Children {
			place := slices.Index(rule.names, c.XMLName.Local)
			if place < 0 {
				t.Errorf("%s may not hold %s", e.XMLName.Local, c.XMLName.Local)
			}
			if slices.ContainsFunc(e.Children[:i], func(o element) bool { return o.XMLName == c.XMLName }) {
				t.Errorf("%s holds %s twice", e.XMLName.Local, c.XMLName.Local)
			}
			if rule.sequence && place < last {
				t.Errorf("%s: %s stands too late", e.XMLName.Local, c.XMLName.Local)
			}
			last = place
			walk(c)
		}
	}
	walk(root)
	if at := slices.IndexFunc(root.Children, func(e element) bool { return e.XMLName.Local == "Actions" }); root.Children[at].Attrs[0].Value != "Author" {
		t.Error("the action names no principal of the task")
	}
}

func TestWindowsSettings(t *testing.T) {
	file, err := windowsTask().Windows()
	if err != nil {
		t.Fatal(err)
	}
	root := parse(t, file)
	for name, c := range map[string]struct {
		path []string
		want string
	}{
		"a second run waits for nobody": {[]string{"Settings", "MultipleInstancesPolicy"}, "IgnoreNew"},
		"starts on battery":             {[]string{"Settings", "DisallowStartIfOnBatteries"}, "false"},
		"goes on on battery":            {[]string{"Settings", "StopIfGoingOnBatteries"}, "false"},
		"makes up for what was missed":  {[]string{"Settings", "StartWhenAvailable"}, "true"},
		"is not ended by a limit":       {[]string{"Settings", "ExecutionTimeLimit"}, "PT0S"},
		"every hour":                    {[]string{"Triggers", "TimeTrigger", "Repetition", "Interval"}, "PT1H"},
		"without an end":                {[]string{"Triggers", "TimeTrigger", "Repetition", "Duration"}, "(no Duration)"},
		"as SYSTEM":                     {[]string{"Principals", "Principal", "UserId"}, "S-1-5-18"},
		"the program without quotes":    {[]string{"Actions", "Exec", "Command"}, `C:\Program Files\doorsync\doorsync-central.exe`},
		"its folder without quotes":     {[]string{"Actions", "Exec", "WorkingDirectory"}, `C:\Program Files\doorsync`},
		"paths with blanks, & < >":      {[]string{"Actions", "Exec", "Arguments"}, `import hr --file "C:\Export & Co\<new> users.csv" --api http://center.example.org:8480 --token-file C:\ProgramData\doorsync\api.token`},
	} {
		t.Run(name, func(t *testing.T) {
			if got := root.at(c.path...); got != c.want {
				t.Errorf("%v: got %s, want %s", c.path, got, c.want)
			}
		})
	}
}

// takeApart is how programs of Windows read their command line.
func takeApart(line string) []string {
	var out []string
	for line = strings.TrimLeft(line, " "); line != ""; line = strings.TrimLeft(line, " ") {
		var word strings.Builder
		quoted, slashes, i := false, 0, 0
		for ; i < len(line) && (quoted || line[i] != ' '); i++ {
			switch line[i] {
			case '\\':
				slashes++
				continue
			case '"':
				word.WriteString(strings.Repeat(`\`, slashes/2))
				if slashes%2 == 0 {
					quoted = !quoted
				} else {
					word.WriteByte('"')
				}
			default:
				word.WriteString(strings.Repeat(`\`, slashes) + line[i:i+1])
			}
			slashes = 0
		}
		word.WriteString(strings.Repeat(`\`, slashes))
		out, line = append(out, word.String()), line[i:]
	}
	return out
}

func TestAnyPathArrives(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		task := windowsTask()
		task.File = `C:\` + rapid.StringMatching(`([a-z "\\&<>'é漢😀]|\\\\|\\")*`).Draw(t, "file")
		file, err := task.Windows()
		if err != nil {
			t.Fatal(err)
		}
		want := []string{"import", "hr", "--file", task.File, "--api", task.API, "--token-file", task.TokenFile}
		if got := takeApart(parse(t, file).at("Actions", "Exec", "Arguments")); !slices.Equal(got, want) {
			t.Fatalf("got %q, want %q", got, want)
		}
	})
}

func TestSystemd(t *testing.T) {
	for name, interval := range map[string]time.Duration{
		"hourly": time.Hour, "daily": 24 * time.Hour, "weekly": 7 * 24 * time.Hour, "15m": 15 * time.Minute, "6h": 6 * time.Hour, "90m": 90 * time.Minute,
	} {
		task := linuxTask()
		if task.Interval = interval; name != "hourly" {
			task.File = ""
		}
		units, err := task.Systemd()
		if err != nil {
			t.Fatal(err)
		}
		golden(t, name+".timer", units.Timer)
		if name == "hourly" || name == "daily" {
			golden(t, name+".service", units.Service)
		}
	}
}

// TestSystemdVerifies has systemd read the units: it must have nothing to say.
// Its exit code alone says little.
func TestSystemdVerifies(t *testing.T) {
	if _, err := exec.LookPath("systemd-analyze"); errors.Is(err, exec.ErrNotFound) {
		t.Fatal("no systemd-analyze here; packaging/needs.sh installs it")
	}
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, interval := range []time.Duration{time.Minute, 7 * time.Minute, 15 * time.Minute, time.Hour, 90 * time.Minute, 6 * time.Hour, 24 * time.Hour, 7 * 24 * time.Hour, 31 * 24 * time.Hour} {
		for _, source := range []string{"hr", "HR main/ä %i"} {
			task := linuxTask()
			task.Source, task.Program, task.Interval, task.User = source, program, interval, "root"
			units, err := task.Systemd()
			if err != nil {
				t.Fatal(err)
			}
			folder := t.TempDir()
			service, timer := filepath.Join(folder, units.Name+".service"), filepath.Join(folder, units.Name+".timer")
			for path, content := range map[string][]byte{service: units.Service, timer: units.Timer} {
				if err := os.WriteFile(path, content, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			out, err := exec.CommandContext(t.Context(), "systemd-analyze", "verify", "--man=no", service, timer).CombinedOutput()
			if err != nil || len(bytes.TrimSpace(out)) > 0 {
				t.Errorf("%v, %q: %v\n%s\n%s", interval, source, err, out, units.Timer)
			}
		}
	}
}

func TestRefusals(t *testing.T) {
	for name, c := range map[string]struct {
		change           func(*taskfile.Task)
		windows, systemd string
	}{
		"no token":          {func(x *taskfile.Task) { x.TokenFile = "" }, "path of the token is missing", "path of the token is missing"},
		"no source":         {func(x *taskfile.Task) { x.Source = "" }, "name of the source is missing", "name of the source is missing"},
		"a flag for a name": {func(x *taskfile.Task) { x.Source = "--json" }, "begins with a dash", "begins with a dash"},
		"a relative file":   {func(x *taskfile.Task) { x.File = "users.csv" }, "not a whole path", "not a whole path"},
		"a line break":      {func(x *taskfile.Task) { x.API = "http://a\nExecStart=b" }, "control character", "control character"},
		"too often":         {func(x *taskfile.Task) { x.Interval = 30 * time.Second }, "an interval of 30s", "an interval of 30s"},
		"too seldom":        {func(x *taskfile.Task) { x.Interval = 32 * 24 * time.Hour }, "an interval of", "an interval of"},
		"a variable":        {func(x *taskfile.Task) { x.API = "http://%HOST%" }, "for a variable", ""},
		"an odd account":    {func(x *taskfile.Task) { x.User = "two words" }, "", "no account"},
	} {
		t.Run(name, func(t *testing.T) {
			onWindows, onLinux := windowsTask(), linuxTask()
			c.change(&onWindows)
			c.change(&onLinux)
			_, werr := onWindows.Windows()
			_, serr := onLinux.Systemd()
			for system, got := range map[string]struct {
				err  error
				want string
			}{"windows": {werr, c.windows}, "systemd": {serr, c.systemd}} {
				if (got.err != nil) != (got.want != "") || got.err != nil && !strings.Contains(got.err.Error(), got.want) {
					t.Errorf("%s: got %v, want %q", system, got.err, got.want)
				}
			}
		})
	}
}
