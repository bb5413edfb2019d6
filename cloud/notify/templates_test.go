package notify_test

import (
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"doorsync/cloud/notify"
)

var update = flag.Bool("update", false, "write the golden files")

// letter is one with everything, in which somebody tries to smuggle in markup.
func letter() notify.Letter {
	at := time.Date(2026, 11, 22, 8, 5, 0, 0, time.UTC)
	return notify.Letter{
		Sender: "Access Control", Contact: "reception@example.org", Source: "hr", Run: 12,
		Person: notify.Person{Name: `<script>alert("x")</script> O'Müller & Söhne`, FirstName: "Ada", LastName: "Example", UserID: "100001"},
		Report: notify.Report{
			File: `\\server\hr\people & guests.csv`, Started: at, Text: "2 rows are wrong.\nCorrect them <now>, then wait for the next run.",
			Errors: []notify.RowError{
				{Line: 3, Column: "expires_at", Value: "31.02.2027", Wrong: "there is no such day", Wanted: "a date like 28.02.2027"},
				{Line: 9, Wrong: "6 columns instead of 7"},
			},
			Count: 4, Known: 250, Changed: 90, Removed: 51, LastDone: at.Add(-5 * time.Hour), Interval: time.Hour,
		},
	}
}

func TestBuiltInTemplates(t *testing.T) {
	templates, err := notify.LoadTemplates("", "en")
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range notify.Kinds() {
		for _, lang := range []string{"en", "de"} {
			t.Run(string(kind)+"."+lang, func(t *testing.T) {
				subject, plain, html, err := templates.Write(kind, lang, letter())
				if err != nil {
					t.Fatal(err)
				}
				golden(t, string(kind)+"."+lang+".txt", "Subject: "+subject+"\n\n"+plain)
				golden(t, string(kind)+"."+lang+".html", html)
				if strings.Contains(html, "<script>") || strings.Contains(html, "<now>") {
					t.Errorf("markup of somebody else's in:\n%s", html)
				}
				if _, plain, html, err = templates.Write(kind, lang, notify.Letter{Sender: "s", Contact: "c@example.org", Source: "hr"}); err != nil {
					t.Fatal(err)
				}
				golden(t, string(kind)+"."+lang+".least.txt", plain)
				golden(t, string(kind)+"."+lang+".least.html", html)
			})
		}
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", "golden", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs; got:\n%s", path, got)
	}
}

// office writes the office's templates.
func office(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestLanguages(t *testing.T) {
	dir := office(t, map[string]string{
		"invite.fr.txt": "Subject: Bienvenue\n\nBonjour {{.Person.Name}}\n", "invite.de-AT.txt": "Subject: Servus\n\nServus\n",
		"invite.pt-br.txt": "Subject: Bem-vindo\n\nOi\n", "README.md": "not a template",
	})
	for lang, want := range map[string]string{
		"en": "Your access has been set up", "en-GB": "Your access has been set up", "de": "Ihr Zutritt ist eingerichtet", "de-CH": "Ihr Zutritt ist eingerichtet",
		"de-AT": "Servus", "de_AT": "Servus", "fr-CA": "Bienvenue", "pt-BR": "Bem-vindo",
		// nothing fits: the default language, here German
		"pt": "Ihr Zutritt ist eingerichtet", "it": "Ihr Zutritt ist eingerichtet", "": "Ihr Zutritt ist eingerichtet",
		"German": "Ihr Zutritt ist eingerichtet", "und": "Ihr Zutritt ist eingerichtet", "x\r\ny": "Ihr Zutritt ist eingerichtet",
	} {
		templates, err := notify.LoadTemplates(dir, "de")
		if err != nil {
			t.Fatal(err)
		}
		if subject, _, _, err := templates.Write(notify.KindInvite, lang, letter()); subject != want || err != nil {
			t.Errorf("%q: got %q, %v", lang, subject, err)
		}
	}
}

func TestOfficesTemplates(t *testing.T) {
	dir := office(t, map[string]string{
		"invite.en.txt":  "\uFEFFSubject: Welcome {{.Person.FirstName}}\r\n\r\nHello {{.Person.Name}},\r\nsee {{.Contact}}.\r\n",
		"removed.en.txt": "Subject: Goodbye\n\nGoodbye\n", "removed.en.html": "<p>Goodbye {{.Person.Name}}</p>",
	})
	templates, err := notify.LoadTemplates(dir, "en")
	if err != nil {
		t.Fatal(err)
	}
	subject, plain, html, err := templates.Write(notify.KindInvite, "en", letter())
	if subject != "Welcome Ada" || !strings.HasSuffix(plain, "see reception@example.org.\n") || err != nil {
		t.Errorf("got %q, %q, %v", subject, plain, err)
	}
	if html != "" {
		t.Errorf("the program's HTML goes out beside the office's text:\n%s", html)
	}
	if _, _, html, _ = templates.Write(notify.KindRemoved, "en", letter()); !strings.Contains(html, "Goodbye &lt;script&gt;") {
		t.Errorf("got %s", html)
	}
}

func TestSubjectIsOneLine(t *testing.T) {
	templates, err := notify.LoadTemplates(office(t, map[string]string{"invite.en.txt": "Subject: Hello {{.Person.Name}}\n\ntext\n"}), "en")
	if err != nil {
		t.Fatal(err)
	}
	l := letter()
	l.Person.Name = "Ada\r\nBcc: victim@example.org\u2028\x00" + strings.Repeat("ä", 500)
	subject, _, _, err := templates.Write(notify.KindInvite, "en", l)
	if err != nil || strings.ContainsAny(subject, "\r\n\x00\u2028") || len([]rune(subject)) > 200 {
		t.Errorf("got %q, %v", subject, err)
	}
}

func TestFaultyTemplates(t *testing.T) {
	for name, c := range map[string]struct {
		files map[string]string
		lang  string
		want  []string
	}{
		"no subject":         {map[string]string{"invite.en.txt": "Hello\n"}, "en", []string{"invite.en.txt:1: the first line is the subject"}},
		"empty subject":      {map[string]string{"invite.en.txt": "Subject: \n\nHello\n"}, "en", []string{"invite.en.txt:1: the first line is the subject"}},
		"no blank line":      {map[string]string{"invite.en.txt": "Subject: x\nHello\n"}, "en", []string{"invite.en.txt:2: leave this line empty"}},
		"wrong subject":      {map[string]string{"invite.en.txt": "Subject: {{.Nme}}\n\nHello\n"}, "en", []string{"invite.en.txt:1: ", "Nme"}},
		"not closed":         {map[string]string{"invite.en.txt": "Subject: x\n\nHello\n{{if .Run}}\n"}, "en", []string{"invite.en.txt:5: unexpected EOF"}},
		"unknown field":      {map[string]string{"invite.en.txt": "Subject: x\n\nHello\n{{.Person.Nmae}}\n"}, "en", []string{"invite.en.txt:4: ", "Nmae"}},
		"unknown in an if":   {map[string]string{"failure.en.txt": "Subject: x\n\n{{range .Shown}}\n{{.Row}}{{end}}\n"}, "en", []string{"failure.en.txt:4: ", "Row"}},
		"unknown function":   {map[string]string{"invite.en.txt": "Subject: x\n\n{{shout .Run}}\n"}, "en", []string{"invite.en.txt:3: function \"shout\" not defined"}},
		"wrong HTML":         {map[string]string{"invite.en.txt": "Subject: x\n\nx\n", "invite.en.html": "<p>\n{{.Persn}}</p>"}, "en", []string{"invite.en.html:2: ", "Persn"}},
		"HTML cut short":     {map[string]string{"invite.en.txt": "Subject: x\n\nx\n", "invite.en.html": "<p>\n<a href=\"{{.Contact}}"}, "en", []string{"invite.en.html:"}},
		"HTML alone":         {map[string]string{"invite.fr.html": "<p>x</p>"}, "en", []string{"invite.fr.html:1: there is no invite.fr.txt"}},
		"unknown kind":       {map[string]string{"invitation.en.txt": "Subject: x\n\nx\n"}, "en", []string{"invitation.en.txt:1: \"invitation\" is no kind of mail", "invite, removed, failure, waiting or overdue"}},
		"unknown language":   {map[string]string{"invite.german.txt": "Subject: x\n\nx\n"}, "en", []string{"invite.german.txt:1: \"german\" is no language"}},
		"no language":        {map[string]string{"invite.txt": "Subject: x\n\nx\n"}, "en", []string{"invite.txt:1: \"\" is no language"}},
		"not UTF-8":          {map[string]string{"invite.en.txt": "Subject: x\n\nM\xfcller\n"}, "en", []string{"invite.en.txt:3: not UTF-8"}},
		"default lacks some": {map[string]string{"invite.fr.txt": "Subject: x\n\nx\n"}, "fr", []string{"mail.language is fr, which needs the templates removed.fr.txt, failure.fr.txt"}},
		"several at once":    {map[string]string{"invite.en.txt": "Hello\n", "removed.en.txt": "Subject: x\n\n{{.Nope}}\n"}, "en", []string{"invite.en.txt:1: ", "removed.en.txt:3: "}},
	} {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			dir := office(t, c.files)
			_, err := notify.LoadTemplates(dir, c.lang)
			if err == nil {
				t.Fatal("no error")
			}
			for _, want := range c.want {
				if strings.Contains(want, ":") && strings.Contains(want, ".txt:") {
					want = filepath.Join(dir, want)
				}
				if !strings.Contains(err.Error(), want) {
					t.Errorf("no %q in:\n%v", want, err)
				}
			}
		})
	}
}

func TestTemplateFoldersAndLanguagesThatAreNone(t *testing.T) {
	if _, err := notify.LoadTemplates(filepath.Join(t.TempDir(), "none"), "en"); err == nil || !strings.Contains(err.Error(), "mail.templates") {
		t.Errorf("a folder that is not there: %v", err)
	}
	if _, err := notify.LoadTemplates("", "Klingonisch"); err == nil {
		t.Error("a language that is none")
	}
	if _, err := notify.LoadTemplates("", "fr"); err == nil || !strings.Contains(err.Error(), "invite.fr.txt") {
		t.Errorf("a language without templates: %v", err)
	}
}

// TestSamples lets the office begin with the program's own templates.
func TestSamples(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(filepath.Join(dir, "mail"), notify.Samples()); err != nil {
		t.Fatal(err)
	}
	if _, err := notify.LoadTemplates(filepath.Join(dir, "mail"), "de"); err != nil {
		t.Error(err)
	}
	names, err := fs.Glob(notify.Samples(), "*.txt")
	if err != nil || len(names) != 10 || !slices.Contains(names, "invite.de.txt") {
		t.Errorf("got %v, %v", names, err)
	}
}

func TestSpan(t *testing.T) {
	for d, want := range map[time.Duration]string{
		time.Hour: "1h", 90 * time.Minute: "1h30m", 30 * time.Minute: "30m", 10 * time.Minute: "10m", 45 * time.Second: "45s", 61 * time.Second: "1m1s", 0: "0s",
	} {
		if got := notify.Span(d); got != want {
			t.Errorf("%v: got %s, want %s", d, got, want)
		}
	}
}
