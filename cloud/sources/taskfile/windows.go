package taskfile

import (
	"bytes"
	"encoding/binary"
	"encoding/xml"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf16"
)

// system is the account SYSTEM, whatever the language of Windows calls it.
const system = "S-1-5-18"

// beginning lies in the past at midnight, so that a task every hour runs on the
// hour, and one every day at midnight, of that machine's own time.
const beginning = "2020-01-01T00:00:00"

// The elements of a task. Where the schema wants them in a sequence they stand in
// that sequence.
type (
	taskXML struct {
		XMLName      xml.Name        `xml:"http://schemas.microsoft.com/windows/2004/02/mit/task Task"`
		Version      string          `xml:"version,attr"`
		Registration registrationXML `xml:"RegistrationInfo"`
		Trigger      triggerXML      `xml:"Triggers>TimeTrigger"`
		Principal    principalXML    `xml:"Principals>Principal"`
		Settings     settingsXML     `xml:"Settings"`
		Actions      actionsXML      `xml:"Actions"`
	}
	registrationXML struct {
		Author      string
		Description string
		URI         string
	}
	triggerXML struct {
		Enabled       bool
		StartBoundary string
		Interval      string `xml:"Repetition>Interval"`
		StopAtEnd     bool   `xml:"Repetition>StopAtDurationEnd"`
	}
	principalXML struct {
		ID        string `xml:"id,attr"`
		UserID    string `xml:"UserId"`
		LogonType string `xml:"LogonType,omitempty"`
		RunLevel  string
	}
	settingsXML struct {
		MultipleInstancesPolicy    string
		DisallowStartIfOnBatteries bool
		StopIfGoingOnBatteries     bool
		AllowHardTerminate         bool
		StartWhenAvailable         bool
		RunOnlyIfNetworkAvailable  bool
		AllowStartOnDemand         bool
		Enabled                    bool
		Hidden                     bool
		RunOnlyIfIdle              bool
		WakeToRun                  bool
		ExecutionTimeLimit         string
		Priority                   int
	}
	actionsXML struct {
		Context string  `xml:"Context,attr"`
		Exec    execXML `xml:"Exec"`
	}
	execXML struct {
		Command          string
		Arguments        string
		WorkingDirectory string
	}
)

// Windows is the task as the Task Scheduler imports it, in its window or by
// "schtasks /Create /XML": UTF-16, little endian, with a byte order mark.
func (t Task) Windows() ([]byte, error) {
	if err := errors.Join(t.check(absoluteOnWindows), t.checkWindows()); err != nil {
		return nil, fmt.Errorf("write the task for Windows: %w", err)
	}
	var b bytes.Buffer
	b.WriteString(`<?xml version="1.0" encoding="UTF-16"?>` + "\n")
	enc := xml.NewEncoder(&b)
	enc.Indent("", "  ")
	if err := enc.Encode(t.xml()); err != nil {
		return nil, fmt.Errorf("write the task for Windows: %w", err)
	}
	b.WriteByte('\n')
	return utf16LE(strings.ReplaceAll(b.String(), "\n", "\r\n")), nil
}

func (t Task) xml() taskXML {
	who := principalXML{ID: "Author", UserID: t.User, LogonType: "Password", RunLevel: "LeastPrivilege"}
	if t.User == "" {
		who.UserID, who.LogonType = system, ""
	}
	return taskXML{
		Version: "1.2",
		Registration: registrationXML{
			Author: "doorsync", Description: "Imports the source " + t.Source + " into doorsync Central", URI: `\doorsync\` + t.TaskName(),
		},
		Trigger:   triggerXML{Enabled: true, StartBoundary: beginning, Interval: duration(t.Interval)},
		Principal: who,
		Settings: settingsXML{
			MultipleInstancesPolicy: "IgnoreNew", AllowHardTerminate: true, StartWhenAvailable: true, AllowStartOnDemand: true, Enabled: true,
			// Without it Windows ends whatever runs for three days. The import ends by
			// itself when the center does not answer.
			ExecutionTimeLimit: "PT0S",
			Priority:           7, // as Windows gives it: below what people use
		},
		Actions: actionsXML{Context: who.ID, Exec: execXML{
			Command: t.Program, Arguments: commandLine(t.arguments()), WorkingDirectory: folderOnWindows(t.Program),
		}},
	}
}

// TaskName is what the task is called.
func (t Task) TaskName() string { return "import " + t.Source }

// checkWindows refuses what the Task Scheduler would put something else for.
func (t Task) checkWindows() error {
	var errs []error
	for _, text := range append(t.arguments(), t.Program) {
		if strings.Contains(text, "%") || strings.Contains(text, "$(") {
			errs = append(errs, fmt.Errorf("the Task Scheduler takes %% and $( in %s for a variable; choose another name", text))
		}
	}
	if strings.ContainsAny(t.Source, `\/:*?"<>|`) {
		errs = append(errs, fmt.Errorf("no task can be called %q", t.TaskName()))
	}
	const longest = 260
	if len(t.Program) > longest {
		errs = append(errs, fmt.Errorf("the path of the program has %d characters, more than %d", len(t.Program), longest))
	}
	return errors.Join(errs...)
}

func absoluteOnWindows(path string) bool {
	if strings.HasPrefix(path, `\\`) {
		return true
	}
	return len(path) > 2 && path[1] == ':' && (path[2] == '\\' || path[2] == '/')
}

func folderOnWindows(path string) string {
	i := strings.LastIndexAny(path, `\/`)
	if i == len(`C:`) {
		i++ // the root keeps its backslash
	}
	return path[:max(i, 0)]
}

// duration writes a span as XML Schema does.
func duration(d time.Duration) string {
	out, day := "P", 24*time.Hour
	if d >= day {
		out += fmt.Sprintf("%dD", d/day)
	}
	if d %= day; d == 0 {
		return out
	}
	out += "T"
	for _, unit := range []struct {
		length time.Duration
		letter string
	}{{time.Hour, "H"}, {time.Minute, "M"}, {time.Second, "S"}} {
		if n := d / unit.length; n > 0 {
			out += fmt.Sprintf("%d%s", n, unit.letter)
		}
		d %= unit.length
	}
	return out
}

// commandLine joins arguments so that programs of Windows take them apart again.
func commandLine(words []string) string {
	quoted := make([]string, 0, len(words))
	for _, w := range words {
		quoted = append(quoted, quoteForWindows(w))
	}
	return strings.Join(quoted, " ")
}

// quoteForWindows puts a word into quotes where it needs them. There a backslash
// means itself, but before a quote.
func quoteForWindows(word string) string {
	if word != "" && !strings.ContainsAny(word, " \t\"") {
		return word
	}
	var b strings.Builder
	slashes := 0
	b.WriteByte('"')
	for _, r := range word {
		switch r {
		case '\\':
			slashes++
		case '"':
			b.WriteString(strings.Repeat(`\`, slashes+1))
			slashes = 0
		default:
			slashes = 0
		}
		b.WriteRune(r)
	}
	b.WriteString(strings.Repeat(`\`, slashes) + `"`)
	return b.String()
}

func utf16LE(text string) []byte {
	out := []byte{0xff, 0xfe}
	for _, unit := range utf16.Encode([]rune(text)) {
		out = binary.LittleEndian.AppendUint16(out, unit)
	}
	return out
}
