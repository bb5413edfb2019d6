package csvfile

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestDates(t *testing.T) {
	for name, tc := range map[string]struct {
		format, zone string
		endOfDay     bool
		text, want   string // RFC 3339 in UTC; "" where it must be refused
	}{
		"iso":                       {"", "", false, "2026-11-22", "2026-11-22T00:00:00Z"},
		"iso with a time":           {"", "", false, "2026-11-22 08:30", "2026-11-22T08:30:00Z"},
		"iso with seconds":          {"", "", false, "2026-11-22T08:30:15", "2026-11-22T08:30:15Z"},
		"iso with a zone":           {"", "Europe/Berlin", false, "2026-11-22T08:30:15-05:00", "2026-11-22T13:30:15Z"},
		"iso in a zone":             {"", "Europe/Berlin", false, "2026-07-01", "2026-06-30T22:00:00Z"},
		"german":                    {"dd.mm.yyyy", "", false, "22.11.2026", "2026-11-22T00:00:00Z"},
		"german, one digit":         {"dd.mm.yyyy", "", false, "1.2.2026", "2026-02-01T00:00:00Z"},
		"german in capitals":        {"DD.MM.YYYY", "", false, "01.02.2026", "2026-02-01T00:00:00Z"},
		"german with a time":        {"dd.mm.yyyy hh:mm", "", false, "22.11.2026 8:30", "2026-11-22T08:30:00Z"},
		"german with seconds":       {"dd.mm.yyyy hh:mm:ss", "", false, "22.11.2026 08:30:59", "2026-11-22T08:30:59Z"},
		"american":                  {"MM/DD/YYYY", "", false, "11/22/2026", "2026-11-22T00:00:00Z"},
		"american with pm":          {"mm/dd/yyyy hh:mm am", "", false, "1/2/2026 1:05 pm", "2026-01-02T13:05:00Z"},
		"month by name":             {"dd-mmm-yyyy", "", false, "22-nov-2026", "2026-11-22T00:00:00Z"},
		"two digits of a year":      {"dd.mm.yy", "", false, "22.11.26", "2026-11-22T00:00:00Z"},
		"nothing between":           {"yyyymmdd", "", false, "20261122", "2026-11-22T00:00:00Z"},
		"nothing between, time":     {"yyyymmddhhmmss", "", false, "20261122083015", "2026-11-22T08:30:15Z"},
		"zone in the format":        {"yyyy-mm-dd hh:mm zone", "", false, "2026-11-22 08:30 +01:00", "2026-11-22T07:30:00Z"},
		"a layout of package time":  {"02.01.2006", "", false, "22.11.2026", "2026-11-22T00:00:00Z"},
		"end of day":                {"dd.mm.yyyy", "Europe/Berlin", true, "28.03.2026", "2026-03-28T23:00:00Z"},
		"end of the day of a shift": {"dd.mm.yyyy", "Europe/Berlin", true, "29.03.2026", "2026-03-29T22:00:00Z"},
		"end of day with a time":    {"", "", true, "2026-03-28 17:00", "2026-03-28T17:00:00Z"},
		"never":                     {"", "", true, "9999-12-31", "9999-12-31T00:00:00Z"},
		"other format":              {"dd.mm.yyyy", "", false, "2026-11-22", ""},
		"month 13":                  {"mm/dd/yyyy", "", false, "22/11/2026", ""},
		"30th of February":          {"", "", false, "2026-02-30", ""},
		"a spreadsheet's number":    {"", "", false, "46348", ""},
		"a word":                    {"", "", false, "never", ""},
		"a time too many":           {"dd.mm.yyyy", "", false, "22.11.2026 00:00", ""},
		"one digit without between": {"yyyymmdd", "", false, "2026112", ""},
	} {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			d, err := newDates(tc.format, tc.zone, tc.endOfDay)
			if err != nil {
				t.Fatal(err)
			}
			got, ok := d.read(tc.text)
			if ok != (tc.want != "") || ok && got.Format(time.RFC3339) != tc.want {
				t.Errorf("%v, %v; want %s", got, ok, tc.want)
			}
			if _, ok := d.read(d.example); !ok {
				t.Errorf("the example %s is none", d.example)
			}
		})
	}
}

func TestCards(t *testing.T) {
	for name, tc := range map[string]struct {
		format, notation, text string
		want                   string // format/number/bits; "" where it must be refused
	}{
		"decimal":                {"", "", "4711", "number/4711/0"},
		"zeros before":           {"", "decimal", "0000004711", "number/4711/0"},
		"twenty digits":          {"", "", "98765432109876543210", "number/98765432109876543210/0"},
		"of wiegand26":           {"wiegand26", "", "16777215", "wiegand26/16777215/26"},
		"too large for 26":       {"wiegand26", "", "16777216", ""},
		"of another format":      {"desfire-uid", "hex", "04a2b3c4d5e680", "desfire-uid/1304792892040832/0"},
		"hex":                    {"", "hex", "FF", "number/255/0"},
		"hex with 0x":            {"", "hex", "0x00ff", "number/255/0"},
		"hex with colons":        {"", "hex", "04:A2:B3:C4", "number/77771716/0"},
		"hex with hyphens":       {"", "hex", "04-a2-b3-c4", "number/77771716/0"},
		"hex of 16 digits":       {"", "hex", "ffffffffffffffff", "number/18446744073709551615/0"},
		"hex of 20 digits":       {"", "hex", "100000000000000000000", "number/1208925819614629174706176/0"},
		"facility":               {"", "facility:number", "12:3456", "wiegand26/789888/26"},
		"facility, zeros":        {"", "facility:number", "012-03456", "wiegand26/789888/26"},
		"facility with a slash":  {"", "facility:number", "12/3456", "wiegand26/789888/26"},
		"facility, blanks":       {"", "facility:number", "12 : 3456", "wiegand26/789888/26"},
		"facility 0":             {"", "facility:number", "0:17", "wiegand26/17/26"},
		"facility of wiegand34":  {"wiegand34", "facility:number", "65535:65535", "wiegand34/4294967295/34"},
		"facility of wiegand37":  {"wiegand37", "facility:number", "1:524287", "wiegand37/1048575/37"},
		"facility too large":     {"", "facility:number", "256:1", ""},
		"number too large":       {"", "facility:number", "1:65536", ""},
		"no facility":            {"", "facility:number", "3456", ""},
		"facility of letters":    {"", "facility:number", "a:b", ""},
		"facility, nothing else": {"", "facility:number", "12:", ""},
		"zero":                   {"", "", "000", ""},
		"zero in hex":            {"", "hex", "0x0", ""},
		"both zero":              {"", "facility:number", "0:0", ""},
		"letters":                {"", "", "47 11", ""},
		"minus":                  {"", "", "-4711", ""},
		"rounded":                {"", "", "1,23E+15", ""},
		"hex taken for decimal":  {"", "", "04A2", ""},
		"no hex":                 {"", "hex", "xyz", ""},
		"nothing but 0x":         {"", "hex", "0x", ""},
		"far too long":           {"", "", strings.Repeat("9", 65), ""},
		"far too long in hex":    {"", "hex", strings.Repeat("f", 65), ""},
		"too long when decimal":  {"", "hex", strings.Repeat("f", 60), ""},
	} {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			c, err := newCards("card", tc.format, tc.notation, "|")
			if err != nil {
				t.Fatal(err)
			}
			got, wrong := c.read(tc.text)
			if tc.want == "" {
				if wrong == "" || c.wanted() == "" {
					t.Errorf("taken as %s/%s", got.Format, got.Number)
				}
				return
			}
			if shown := got.Format + "/" + got.Number + "/" + itoa(got.Bits); wrong != "" || shown != tc.want || got.Valid() != nil {
				t.Errorf("%s, %q; want %s", shown, wrong, tc.want)
			}
		})
	}
}

func itoa(n uint16) string { return strconv.Itoa(int(n)) }

func TestEmails(t *testing.T) {
	for text, want := range map[string]bool{
		"name@example.org": true, "jürgen@exämple.org": true, "a@b": true, "o'neil+tag@example.org": true,
		"": false, "name": false, "@example.org": false, "name@": false, "a@b@c": false, "a b@example.org": false,
		"a@example.org;b@example.org": false, "a@example.org,": false, "Andrew <a@example.org>": false,
		"a@example.org\n": false, strings.Repeat("a", 250) + "@example.org": false, "a\u00a0@example.org": false,
	} {
		if got := isEmail(text); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}

func TestWords(t *testing.T) {
	w, err := newWords("active", "inactive", [2][]string{{"nein"}, {"ja", " G "}}, [2][]string{{"läuft"}, nil})
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		"nein": "active", "JA": "inactive", "g": "inactive", "LÄUFT": "active", "1": "active", "0": "inactive",
		"Yes": "active", "no": "inactive", "Aktiv": "active", "gesperrt": "inactive", "perhaps": "", "2": "",
	} {
		if got := w.read(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	if got := w.wanted(); !strings.Contains(got, "nein") {
		t.Error(got)
	}
}

func TestNames(t *testing.T) {
	known := newRecognizer()
	for name, want := range map[string]string{
		"First name": "first_name", "FIRSTNAME": "first_name", "Frist name": "first_name", "Vorname": "first_name", "Vornamen": "first_name",
		"E-mail address": "email", "E-Mail-Adresse": "email", "E-mail adress": "email", "mail": "email", "Sync ID": "sync_id", "SyncID": "sync_id",
		"Gültig bis": "expires_at", "gu\u0308ltig bis": "expires_at", "Gueltig_bis": "expires_at", "Austrittsdatum": "expires_at",
		"Eintrittsdatum": "activates_at", "Kartennummer": "card", "ID": headerID, "User ID": "user_id", "Personalnr.": "employee_number",
		// Neither of these may be taken for a neighbor.
		"Antrittsdatum": "", "Familienstand": "", "E-mail 2": "", "Nam": "", "Geburtsname": "", "Room": "", "": "", "Raum-ID": "",
	} {
		if got, _ := known.field(name); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
	for field := range headerNames() {
		if _, err := kindOf(field); err != nil && field != headerID {
			t.Error(err)
		}
	}
}

// The names by which columns are known are each of one field, and no name is near
// to one of another field, or the order of a map would decide.
func TestNamesAreApart(t *testing.T) {
	seen := map[string]string{}
	for field, names := range headerNames() {
		for _, n := range names {
			if other, ok := seen[normal(n)]; ok && other != field {
				t.Errorf("%s is both %s and %s", n, other, field)
			}
			seen[normal(n)] = field
		}
	}
}

func TestDistance(t *testing.T) {
	for _, tc := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"abc", "abc", 0}, {"abc", "abd", 1}, {"abc", "acb", 1}, {"abc", "ab", 1}, {"abc", "bc", 1}, {"abc", "xyz", 3}, {"ca", "abc", 3}, {"für", "fur", 1}} {
		if got := distance(tc.a, tc.b, 9); got != tc.want {
			t.Errorf("%s, %s: %d, want %d", tc.a, tc.b, got, tc.want)
		}
		if got := distance(tc.b, tc.a, 9); got != tc.want {
			t.Errorf("%s, %s: %d, want %d", tc.b, tc.a, got, tc.want)
		}
	}
}

func TestLanguages(t *testing.T) {
	for text, want := range map[string]string{
		"de": "de", "DE": "de", "en-us": "en-US", "de_AT": "de-AT", "zh-hant-tw": "zh-Hant-TW", "gsw": "gsw",
		"german": "", "d": "", "de-": "", "1a": "", "de at": "", "-": "", "é": "",
	} {
		if got, f := readLanguage(text); got != want || (f == nil) != (want != "") {
			t.Errorf("%q: %q, %v; want %q", text, got, f, want)
		}
	}
}

func TestEach(t *testing.T) {
	for split, want := range map[string][]string{
		"|;\n": {"a b", "c", "d,e"}, noSplit: {"a b | c;;d,e\n"}, ",": {"a b | c;;d", "e"},
	} {
		d := cellDecoder{split: split}
		var got []string
		if f := d.each("a b | c;;d,e\n", func(s string) *fault { got = append(got, s); return nil }); f != nil || !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", split, got, want)
		}
	}
}
