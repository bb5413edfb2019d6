package notify

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"text/template"
	"time"
)

// inlineErrors is how many errors a report shows in its text; all are in the file
// that is attached.
const inlineErrors = 50

// Letter is what a template may use: {{.Person.FirstName}}, {{.Report.File}}.
type Letter struct {
	Kind     Kind
	Language string // of the template, BCP 47
	Sender   string // the name in mail.from, or its address
	Contact  string // the address to answer to
	Source   string
	Run      uint64
	Person   Person
	Report   Report
}

// Shown are the errors that stand in the mail itself.
func (l Letter) Shown() []RowError { return l.Report.Errors[:min(len(l.Report.Errors), inlineErrors)] }

// More is how many errors are not shown in the mail itself.
func (l Letter) More() int { return max(l.Report.Count, len(l.Report.Errors)) - len(l.Shown()) }

// functions are what templates can call beside what Go's templates bring along:
// date and span.
func functions(zone *time.Location) template.FuncMap {
	if zone == nil {
		zone = time.Local
	}
	return template.FuncMap{
		"date": func(t time.Time) string {
			if t.IsZero() {
				return "-"
			}
			return t.In(zone).Format("2006-01-02 15:04 MST")
		},
		"span": span,
	}
}

// span says a duration without the units that are zero: 1h instead of 1h0m0s.
func span(d time.Duration) string {
	s := d.Round(time.Second).String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// written is a mail in words.
type written struct{ subject, plain, html string }

// parsePlain parses a text and the subject in its first line. Both keep the
// lines of the file, for messages.
func parsePlain(name, content string) (subject, plain *template.Template, err error) {
	first, rest, _ := strings.Cut(content, "\n")
	line, ok := strings.CutPrefix(first, "Subject:")
	if !ok || strings.TrimSpace(line) == "" {
		return nil, nil, fmt.Errorf("template: %s:1: the first line is the subject: write Subject: and the subject", name)
	}
	if second, _, _ := strings.Cut(rest, "\n"); strings.TrimSpace(second) != "" {
		return nil, nil, fmt.Errorf("template: %s:2: leave this line empty: the text begins below it", name)
	}
	subject, errSubject := template.New(name).Funcs(functions(nil)).Parse(line)
	plain, errPlain := template.New(name).Funcs(functions(nil)).Parse("\n" + rest)
	return subject, plain, errors.Join(errSubject, errPlain)
}

// write fills the templates in.
func (t text) write(l Letter, zone *time.Location) (out written, err error) {
	var b bytes.Buffer
	f := functions(zone)
	subject, err := t.subject.Clone()
	if err != nil {
		return written{}, fmt.Errorf("write mail: %w", err)
	}
	if err := subject.Funcs(f).Execute(&b, l); err != nil {
		return written{}, fmt.Errorf("write mail: %w", err)
	}
	if out.subject = oneLine(b.String(), 200); out.subject == "" {
		return written{}, fmt.Errorf("write mail: template: %s:1: the subject comes out empty", t.subject.Name())
	}
	b.Reset()
	plain, err := t.plain.Clone()
	if err != nil {
		return written{}, fmt.Errorf("write mail: %w", err)
	}
	if err := plain.Funcs(f).Execute(&b, l); err != nil {
		return written{}, fmt.Errorf("write mail: %w", err)
	}
	out.plain = strings.Trim(b.String(), "\n") + "\n"
	if t.html == nil {
		return out, nil
	}
	b.Reset()
	page, err := t.html.Clone()
	if err != nil {
		return written{}, fmt.Errorf("write mail: %w", err)
	}
	if err := page.Funcs(f).Execute(&b, l); err != nil {
		return written{}, fmt.Errorf("write mail: %w", err)
	}
	out.html = b.String()
	return out, nil
}

// try fills a template in with a letter that has everything and with one that
// has the least, so that mistakes come out when it is read.
func (t text) try(k Kind) error {
	for _, l := range specimens(k) {
		if _, err := t.write(l, time.UTC); err != nil {
			return err
		}
	}
	return nil
}

func specimens(k Kind) []Letter {
	at := time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)
	row := RowError{Line: 7, Column: "expires_at", Value: "31.02.2027", Wrong: "no such day", Wanted: "a date"}
	full := Letter{
		Kind: k, Language: builtIn, Sender: "Access Control", Contact: "access@example.org", Source: "hr", Run: 12,
		Person: Person{Name: "Ada Example", FirstName: "Ada", LastName: "Example", UserID: "100001"},
		Report: Report{
			File: "people.csv", Started: at, Text: "Correct the file.", Errors: []RowError{row, row}, Count: 3,
			Known: 100, Changed: 40, Removed: 30, LastDone: at, Interval: time.Hour,
		},
	}
	return []Letter{full, {Kind: k, Language: builtIn, Sender: "access@example.org", Contact: "access@example.org", Source: "hr"}}
}

// located puts a template's error as "file:line: what".
func located(dir string, err error) error {
	place := regexp.MustCompile(`(?:html/)?template: ?([^:\n]+):(\d+)(?::\d+)?: `)
	var lines []string
	for line := range strings.Lines(err.Error()) {
		line = strings.TrimSpace(strings.TrimPrefix(line, "write mail: "))
		if m := place.FindStringSubmatchIndex(line); m != nil {
			line = filepath.Join(dir, line[m[2]:m[3]]) + ":" + line[m[4]:m[5]] + ": " + line[m[1]:]
		}
		lines = append(lines, line)
	}
	return errors.New(strings.Join(lines, "\n"))
}
