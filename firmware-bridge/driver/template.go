package driver

import (
	"errors"
	"fmt"
	"strings"

	"doorsync/protocol"
)

// Template is what a reader shows in place of a user's name: text with the names
// of values in braces, like "{name} {custom:plate}". {name} is the whole name.
// Text stands before the value that follows it, and is left out where the user
// has no such value; what stands behind the last value goes with that one.
type Template struct {
	parts []part
	after string // behind the last value
}

// part is a value and the text before it.
type part struct {
	before string
	field  protocol.Field
}

// maxTemplate is the longest template, in bytes: no reader shows as much.
const maxTemplate = 256

// ParseTemplate reads a template.
func ParseTemplate(s string) (*Template, error) {
	if len(s) > maxTemplate {
		return nil, fmt.Errorf("is longer than %d bytes", maxTemplate)
	}
	t := &Template{}
	for rest := s; ; {
		before, inside, found := strings.Cut(rest, "{")
		if strings.Contains(before, "}") {
			return nil, fmt.Errorf("has a } without a { before it")
		}
		if !found {
			t.after = before
			break
		}
		name, behind, closed := strings.Cut(inside, "}")
		if !closed {
			return nil, fmt.Errorf("has a { without a } after it")
		}
		f := protocol.Field(name)
		if err := shows(f); err != nil {
			return nil, err
		}
		t.parts = append(t.parts, part{before: before, field: f})
		rest = behind
	}
	if len(t.parts) == 0 {
		return nil, errors.New(`names no value; write for instance "{name} {custom:plate}"`)
	}
	return t, nil
}

// shows refuses what is no text for people, or not for everybody's eyes.
func shows(f protocol.Field) error {
	switch {
	case !f.Known():
		return fmt.Errorf("there is no value %q; write for instance {name}, {employee_number} or {%splate}", f, protocol.CustomPrefix)
	case f.Secret(), f == protocol.FieldPicture, f == protocol.FieldValidity:
		return fmt.Errorf("%s cannot be shown", f)
	}
	return nil
}

// Show is the text for a user. A user of whom nothing in it is known has none.
func (t *Template) Show(u protocol.User) string {
	var b strings.Builder
	last := ""
	for _, p := range t.parts {
		if last = shown(u, p.field); last != "" {
			b.WriteString(p.before + last)
		}
	}
	if last != "" {
		b.WriteString(t.after)
	}
	return strings.TrimSpace(b.String())
}

func shown(u protocol.User, f protocol.Field) string {
	switch f {
	case protocol.FieldName:
		return u.FullName()
	case protocol.FieldUserID:
		return u.ID
	default:
		return u.Value(f).First
	}
}

// typed stands for the name while it is looked for what is around it.
const typed = "\x00"

// NameIn is the name in a text that somebody made of the user's at a reader. False
// where anything else was changed too, or the name does not stand there as one:
// then nobody can tell which part is the name.
func (t *Template) NameIn(u protocol.User, text string) (string, bool) {
	names := 0
	for _, p := range t.parts {
		switch p.field {
		case protocol.FieldName:
			names++
		case protocol.FieldFirstName, protocol.FieldLastName:
			return "", false
		}
	}
	if names != 1 {
		return "", false
	}
	u = u.Clone()
	if u.Values == nil {
		u.Values = map[protocol.Field]protocol.Value{}
	}
	u.Values[protocol.FieldName] = protocol.Value{First: typed}
	before, behind, _ := strings.Cut(t.Show(u), typed)
	text = strings.TrimSpace(text)
	name, begins := strings.CutPrefix(text, before)
	name, ends := strings.CutSuffix(name, behind)
	if name = strings.TrimSpace(name); !begins || !ends || name == "" {
		return "", false
	}
	return name, true
}
