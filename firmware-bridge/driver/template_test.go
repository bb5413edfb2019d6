package driver_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"doorsync/firmware-bridge/driver"
	"doorsync/protocol"
)

func user(name string, values ...string) protocol.User {
	u := protocol.User{ID: "5", Values: map[protocol.Field]protocol.Value{}}
	if name != "" {
		u.Values[protocol.FieldName] = protocol.Text(name)
	}
	for i := 0; i < len(values); i += 2 {
		u.Values[protocol.Field(values[i])] = protocol.Text(values[i+1])
	}
	return u
}

func template(t testing.TB, s string) *driver.Template {
	t.Helper()
	out, err := driver.ParseTemplate(s)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestTemplateShows(t *testing.T) {
	anna := user("Anna", "custom:plate", "B-AX 1", "employee_number", "77")
	for _, test := range []struct {
		name, template string
		user           protocol.User
		want           string
	}{
		{"two values", "{name} {custom:plate}", anna, "Anna B-AX 1"},
		{"text around them", "{employee_number}: {name} ({custom:plate})", anna, "77: Anna (B-AX 1)"},
		{"the user ID", "{user_id} {name}", anna, "5 Anna"},
		{"text goes with its value", "{name}, plate {custom:plate}", user("Anna"), "Anna"},
		{"text behind goes with the last", "{name} ({custom:plate})", user("Anna"), "Anna"},
		{"no name", "{name} {custom:plate}", user("", "custom:plate", "B-AX 1"), "B-AX 1"},
		{"nothing", "{name} {custom:plate}", user(""), ""},
		{"first and last make a name", "{name} {title}", user("", "first_name", "Anna", "last_name", "Berg", "title", "Dr."), "Anna Berg Dr."},
	} {
		if got := template(t, test.template).Show(test.user); got != test.want {
			t.Errorf("%s: %q", test.name, got)
		}
	}
}

func TestTemplateFaults(t *testing.T) {
	for s, wants := range map[string]string{
		"": "names no value", "Visitor": "names no value", "{name": "without a }", "name}": "without a {", "{nmae}": "no value", "{custom:}": "no value",
		"{pin}": "cannot be shown", "{picture}": "cannot be shown", "{validity}": "cannot be shown", strings.Repeat("x", 300) + "{name}": "longer",
	} {
		if _, err := driver.ParseTemplate(s); err == nil || !strings.Contains(err.Error(), wants) {
			t.Errorf("%q: %v", s, err)
		}
	}
}

func TestNameInWhatIsShown(t *testing.T) {
	anna := user("Anna", "custom:plate", "B-AX 1")
	for _, test := range []struct{ what, template, text, want string }{
		{"the name alone was changed", "{name} {custom:plate}", "Anne Berg B-AX 1", "Anne Berg"},
		{"text around", "{custom:plate}: {name}!", "B-AX 1: Anne!", "Anne"},
		{"the other value was changed", "{name} {custom:plate}", "Anna B-AX 2", ""},
		{"the other value was left out", "{name} {custom:plate}", "Anne", ""},
		{"the name was left out", "{name} {custom:plate}", "B-AX 1", ""},
		{"no name is shown", "{custom:plate}", "B-AX 2", ""},
		{"half a name is shown", "{first_name} {name}", "Anna Anna", ""},
	} {
		got, ok := template(t, test.template).NameIn(anna, test.text)
		if got != test.want || ok != (test.want != "") {
			t.Errorf("%s: %q %t", test.what, got, ok)
		}
	}
}

// Whatever name is typed in place of the one shown is found again.
func TestNameIsFoundAgain(t *testing.T) {
	word := rapid.StringMatching(`[A-Za-zÀ-ž0-9{}. -]{0,12}`)
	rapid.Check(t, func(rt *rapid.T) {
		tm := template(t, rapid.SampledFrom([]string{"{name} {custom:plate}", "{title} {name}, {custom:plate}", "({name})"}).Draw(rt, "template"))
		u := user(word.Draw(rt, "name"), "custom:plate", word.Draw(rt, "plate"), "title", word.Draw(rt, "title"))
		to := u.Clone()
		to.Values[protocol.FieldName] = protocol.Text("x" + word.Draw(rt, "typed"))
		if got, ok := tm.NameIn(u, tm.Show(to)); !ok || got != to.FullName() {
			rt.Fatalf("typed %q, read %q", tm.Show(to), got)
		}
	})
}

func FuzzParseTemplate(f *testing.F) {
	f.Add("{name} {custom:plate}", "Anna B-AX 1")
	f.Fuzz(func(t *testing.T, s, text string) {
		tm, err := driver.ParseTemplate(s)
		if err != nil {
			return
		}
		u := user("Anna", "custom:plate", "B-AX 1")
		_ = tm.Show(u)
		if name, ok := tm.NameIn(u, text); ok && (name == "" || !strings.Contains(text, name)) {
			t.Fatalf("name %q in %q", name, text)
		}
	})
}
