package notify

import (
	"embed"
	"errors"
	"fmt"
	htmltemplate "html/template"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/template"

	"golang.org/x/text/language"
)

//go:embed templates
var embedded embed.FS

// builtIn is the language that has all kinds built in, if nothing else fits.
const builtIn = "en"

// maxTemplate keeps a file that was put there by mistake out of memory.
const maxTemplate = 1 << 20

// Samples are the templates that are part of the program, one folder deep, for
// the office to start from.
func Samples() fs.FS {
	sub, err := fs.Sub(embedded, "templates")
	if err != nil { // only of a name that is not valid
		panic(err)
	}
	return sub
}

// Templates are the texts of all mails, by kind and language.
type Templates struct {
	texts    map[Kind]map[string]text
	language string // where nothing else fits
}

// text is one mail in one language. html is nil where the mail has none.
type text struct {
	subject *template.Template
	plain   *template.Template
	html    *htmltemplate.Template
}

// LoadTemplates reads the office's templates from a folder over those that are
// part of the program; dir may be "". A template is KIND.LANGUAGE.txt, whose
// first line is the subject ("Subject: …"), and, if the mail is to have HTML
// too, KIND.LANGUAGE.html beside it. Everything that is wrong is reported at
// once, a line for each fault with file and line.
func LoadTemplates(dir, defaultLanguage string) (*Templates, error) {
	tag, err := language.Parse(defaultLanguage)
	if err != nil {
		return nil, fmt.Errorf("language %q is not known; write for instance en, de or fr-CA", defaultLanguage)
	}
	t := &Templates{texts: map[Kind]map[string]text{}, language: tag.String()}
	for _, k := range Kinds() {
		t.texts[k] = map[string]text{}
	}
	if err := t.read(Samples(), ""); err != nil {
		return nil, fmt.Errorf("templates of the program: %w", err)
	}
	if dir != "" {
		if _, err := os.Stat(dir); err != nil {
			return nil, fmt.Errorf("read mail templates: %w; make the folder, or leave out mail.templates", err)
		}
		if err := t.read(os.DirFS(dir), dir); err != nil {
			return nil, err
		}
	}
	return t, t.complete(dir)
}

// read takes in all templates of a folder.
func (t *Templates) read(from fs.FS, dir string) error {
	files, err := fs.ReadDir(from, ".")
	if err != nil {
		return fmt.Errorf("read mail templates: %w", err)
	}
	var faults []error
	for _, f := range files {
		name := f.Name()
		if f.IsDir() || strings.HasPrefix(name, ".") {
			continue
		}
		switch filepath.Ext(name) {
		case ".txt":
			faults = append(faults, t.add(from, dir, name, files))
		case ".html":
			if plain := strings.TrimSuffix(name, ".html") + ".txt"; !has(files, plain) {
				faults = append(faults, fmt.Errorf("%s:1: there is no %s beside it: a mail with HTML has the same as text, and its subject there", filepath.Join(dir, name), plain))
			}
		}
	}
	return errors.Join(faults...)
}

func has(files []fs.DirEntry, name string) bool {
	return slices.ContainsFunc(files, func(f fs.DirEntry) bool { return f.Name() == name })
}

// add reads one template: its text, and its HTML if there is any.
func (t *Templates) add(from fs.FS, dir, name string, files []fs.DirEntry) error {
	at := filepath.Join(dir, name)
	kind, tag, err := parseName(strings.TrimSuffix(name, ".txt"))
	if err != nil {
		return fmt.Errorf("%s:1: %w", at, err)
	}
	plain, err := readTemplate(from, dir, name)
	if err != nil {
		return err
	}
	var out text
	if out.subject, out.plain, err = parsePlain(name, plain); err != nil {
		return located(dir, err)
	}
	if page := strings.TrimSuffix(name, ".txt") + ".html"; has(files, page) {
		content, err := readTemplate(from, dir, page)
		if err != nil {
			return err
		}
		if out.html, err = htmltemplate.New(page).Funcs(htmltemplate.FuncMap(functions(nil))).Parse(content); err != nil {
			return located(dir, err)
		}
	}
	if err := out.try(kind); err != nil {
		return located(dir, err)
	}
	t.texts[kind][tag] = out
	return nil
}

func parseName(stem string) (Kind, string, error) {
	kind, lang, _ := strings.Cut(stem, ".")
	if !slices.Contains(Kinds(), Kind(kind)) {
		return "", "", fmt.Errorf("%q is no kind of mail; name the file KIND.LANGUAGE.txt, with %s", kind, kindList())
	}
	tag, err := language.Parse(lang)
	if err != nil {
		return "", "", fmt.Errorf("%q is no language; name the file for instance %s.en.txt or %s.de-AT.txt", lang, kind, kind)
	}
	return Kind(kind), tag.String(), nil
}

func kindList() string {
	var names []string
	for _, k := range Kinds() {
		names = append(names, string(k))
	}
	return strings.Join(names[:len(names)-1], ", ") + " or " + names[len(names)-1]
}

func readTemplate(from fs.FS, dir, name string) (string, error) {
	at := filepath.Join(dir, name)
	b, err := fs.ReadFile(from, name)
	if err != nil {
		return "", fmt.Errorf("read mail template: %w", err)
	}
	if len(b) > maxTemplate {
		return "", fmt.Errorf("%s:1: larger than 1 MiB: is this a template?", at)
	}
	content := strings.TrimPrefix(string(b), "\uFEFF")
	if bad := strings.ToValidUTF8(content, "\x00"); strings.ContainsRune(bad, 0) {
		line := 1 + strings.Count(bad[:strings.IndexByte(bad, 0)], "\n")
		return "", fmt.Errorf("%s:%d: not UTF-8; save the file in that encoding", at, line)
	}
	return strings.ReplaceAll(content, "\r\n", "\n"), nil
}

// complete refuses a default language that lacks a kind: people would get mail
// in a language that nobody chose.
func (t *Templates) complete(dir string) error {
	var missing []string
	for _, k := range Kinds() {
		if _, ok := t.lookup(k, t.language); !ok {
			missing = append(missing, string(k)+"."+t.language+".txt")
		}
	}
	if len(missing) == 0 {
		return nil
	}
	where := "no folder is set with mail.templates"
	if dir != "" {
		where = "they are not in " + dir
	}
	return fmt.Errorf("mail.language is %s, which needs the templates %s: %s", t.language, strings.Join(missing, ", "), where)
}

// lookup finds a language or one that it is a variety of.
func (t *Templates) lookup(k Kind, lang string) (text, bool) {
	tag, err := language.Parse(lang)
	if err != nil {
		return text{}, false
	}
	for at := tag; at != language.Und; at = at.Parent() {
		if found, ok := t.texts[k][at.String()]; ok {
			return found, true
		}
	}
	base, _, _ := tag.Raw()
	found, ok := t.texts[k][base.String()]
	return found, ok
}

// choose finds the text in the person's language, in its base language, in the
// default language.
func (t *Templates) choose(k Kind, lang string) (text, string) {
	for _, l := range []string{lang, t.language, builtIn} {
		if found, ok := t.lookup(k, l); ok {
			return found, l
		}
	}
	return text{}, ""
}
