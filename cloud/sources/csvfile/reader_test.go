package csvfile_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf16"

	"golang.org/x/text/encoding/charmap"
	"pgregory.net/rapid"

	"doorsync/cloud/sources/csvfile"
	"doorsync/protocol"
)

// seeker is a file whose reads come in pieces.
type seeker struct {
	io.Reader
	file  *bytes.Reader
	piece func(io.Reader) io.Reader
}

func inPieces(file []byte, piece func(io.Reader) io.Reader) *seeker {
	s := &seeker{file: bytes.NewReader(file), piece: piece}
	s.Reader = piece(s.file)
	return s
}

func (s *seeker) Seek(offset int64, whence int) (int64, error) {
	n, err := s.file.Seek(offset, whence)
	s.Reader = s.piece(s.file)
	return n, err
}

// FuzzReader reads anything: it must neither panic nor go on forever, every fault
// must say its line unless it is the whole file's, a secret must never be in one,
// and the pieces in which the file arrives must not matter.
func FuzzReader(f *testing.F) {
	f.Add([]byte("First name,Last name,E-mail,ID,PIN\nAndrew,Smith,a@example.org,17,1234\n"), "", "", byte(0))
	f.Add([]byte("\xff\xfea\x00,\x00b\x00\n\x00"), "1=email,2=pin", "", byte(1))
	f.Add([]byte("sep=;\r\nA;B\r\na@example.org;\"1|2\r\n3\"\r\n"), "A=email,B=card:split=/", "utf-8", byte(2))
	f.Add([]byte("J\xfcrgen\tGro\xdf\tj@example.org\t0x17\tS-1\r"), "", "windows-1252", byte(3))
	f.Add([]byte("a@example.org,22.11.2026,01.01.2027 08:00,ja,Staff;Lab\n"), "1=email,2=activates_at:dd.mm.yyyy,3=expires_at:dd.mm.yyyy hh:mm,4=state,5=groups", "", byte(0))
	cases, err := filepath.Glob("testdata/cases/*/file.csv")
	if err != nil || len(cases) == 0 {
		f.Fatal("no cases: ", err)
	}
	for _, name := range cases {
		file, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(file, "", "", byte(0))
	}
	f.Fuzz(func(t *testing.T, file []byte, columns, encoding string, header byte) {
		format := csvfile.Format{Columns: columns, Encoding: encoding, Header: []string{"", "yes", "no", "detect"}[header%4]}
		whole, _ := dump(bytes.NewReader(file), format)
		if bytewise, _ := dump(inPieces(file, iotest.OneByteReader), format); bytewise != whole {
			t.Fatalf("byte by byte:\n%s\nat once:\n%s", bytewise, whole)
		}
		if early, _ := dump(inPieces(file, iotest.DataErrReader), format); early != whole {
			t.Fatalf("with the end told early:\n%s\nat once:\n%s", early, whole)
		}
		r, err := csvfile.Open(bytes.NewReader(file), format)
		if err != nil {
			return
		}
		checkRows(t, r, len(file))
	})
}

func checkRows(t *testing.T, r *csvfile.Reader, size int) {
	t.Helper()
	var pins []int
	for _, c := range r.Describe().Columns {
		if c.Field == "pin" {
			pins = append(pins, c.Position)
		}
	}
	var row csvfile.Row
	line := 0
	for calls := 0; ; calls++ {
		if calls > size*len(r.Describe().Columns)+1 {
			t.Fatalf("%d rows and errors of %d bytes", calls, size)
		}
		err := r.Next(&row)
		if errors.Is(err, io.EOF) {
			return
		}
		if wrong, ok := errors.AsType[*csvfile.Error](err); ok {
			if wrong.Wrong == "" || wrong.Wanted == "" || wrong.Line == 0 && !wrong.Fatal {
				t.Fatalf("%+v", wrong)
			}
			if slices.Contains(pins, wrong.Column) && wrong.Value != "" {
				t.Fatal("an error shows a PIN")
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if row.Line <= line || row.Identity() == "" || row.Digest() == 0 {
			t.Fatalf("line %d after %d, identity %q", row.Line, line, row.Identity())
		}
		line = row.Line
		checkRow(t, &row)
	}
}

// checkRow checks what every consumer may rely on.
func checkRow(t *testing.T, row *csvfile.Row) {
	t.Helper()
	if !slices.IsSortedFunc(row.Values, func(a, b csvfile.FieldValue) int { return strings.Compare(string(a.Field), string(b.Field)) }) {
		t.Fatalf("%v", row.Values)
	}
	for _, v := range row.Values {
		if v.Value.IsNull() || v.Value != v.Value.Trimmed() || !v.Field.Known() {
			t.Fatalf("%s: not a value", v.Field)
		}
	}
	for _, c := range row.Credentials {
		if err := c.Valid(); err != nil {
			t.Fatal(err)
		}
	}
	if v := row.Value(protocol.FieldValidity); !v.IsNull() {
		if _, err := protocol.ParseValidity(v); err != nil {
			t.Fatal(err)
		}
	}
}

// person is what a row is made of, before it is written in some form.
type person struct {
	first, last, email, sync string
	cards                    []uint64
}

// TestAnyForm writes random people in a random form and reads them back, with
// nothing said about the form.
func TestAnyForm(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cell := rapid.StringMatching(`[A-Za-zäöüßéàñ'" ,;|-]{0,12}|[A-Z][a-z]{1,9}`)
		people := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) person {
			n := rapid.Uint64Range(1, 1<<40).Draw(t, "n")
			return person{
				first: strings.TrimSpace(cell.Draw(t, "first")), last: strings.TrimSpace(cell.Draw(t, "last")),
				email: fmt.Sprintf("p%d@example.org", n), sync: rapid.SampledFrom([]string{"", fmt.Sprintf("S-%d", n)}).Draw(t, "sync"),
				cards: rapid.SliceOfNDistinct(rapid.Uint64Range(1, 1<<60), 0, 3, rapid.ID).Draw(t, "cards"),
			}
		}), 2, 30).Draw(t, "people")
		comma := rapid.SampledFrom([]rune{',', ';', '\t', '|'}).Draw(t, "comma")
		header := rapid.SampledFrom([]string{"", "First name,Last name,E-mail address,ID,Sync ID", "Vorname,Nachname,E-Mail,ID,Sync-ID"}).Draw(t, "header")
		var text strings.Builder
		w := csv.NewWriter(&text)
		w.Comma, w.UseCRLF = comma, rapid.Bool().Draw(t, "CR LF")
		if header != "" {
			if err := w.Write(strings.Split(header, ",")); err != nil {
				t.Fatal(err)
			}
		}
		for _, p := range people {
			var cards []string
			for _, c := range p.cards {
				cards = append(cards, fmt.Sprintf("%012d", c))
			}
			if err := w.Write([]string{p.first, p.last, p.email, strings.Join(cards, map[bool]string{true: ";", false: "|"}[comma == '|']), p.sync}); err != nil {
				t.Fatal(err)
			}
		}
		w.Flush()
		encoding := rapid.SampledFrom([]string{"utf-8", "utf-8 mark", "utf-16le mark", "utf-16be mark", "utf-16le", "utf-16be", "windows-1252"}).Draw(t, "encoding")
		r, err := csvfile.Open(bytes.NewReader(encode(encoding, text.String())), csvfile.Format{})
		if err != nil {
			t.Fatalf("%v\n%s", err, text.String())
		}
		for i, p := range people {
			var row csvfile.Row
			if err := r.Next(&row); err != nil {
				t.Fatalf("%v\n%s", err, text.String())
			}
			if got := backTo(&row); fmt.Sprint(got) != fmt.Sprint(p) {
				t.Fatalf("person %d: %+v, want %+v\n%s", i, got, p, text.String())
			}
		}
		if err := r.Next(&csvfile.Row{}); !errors.Is(err, io.EOF) {
			t.Fatal(err)
		}
	})
}

func backTo(row *csvfile.Row) person {
	p := person{sync: row.SyncID}
	p.first, p.last = row.Value(protocol.FieldFirstName).First, row.Value(protocol.FieldLastName).First
	p.email = row.Value(protocol.FieldEmail).First
	for _, c := range row.Credentials {
		var n uint64
		_, _ = fmt.Sscan(c.Number, &n)
		p.cards = append(p.cards, n)
	}
	return p
}

// encode writes a text by other means than those by which it is read.
func encode(encoding, text string) []byte {
	name, mark := strings.CutSuffix(encoding, " mark")
	if mark {
		text = "\ufeff" + text
	}
	switch name {
	case "windows-1252":
		out, err := charmap.Windows1252.NewEncoder().Bytes([]byte(text))
		if err != nil {
			panic(err)
		}
		return out
	case "utf-16le", "utf-16be":
		var out []byte
		for _, u := range utf16.Encode([]rune(text)) {
			if name == "utf-16le" {
				out = append(out, byte(u), byte(u>>8))
			} else {
				out = append(out, byte(u>>8), byte(u))
			}
		}
		return out
	}
	return []byte(text)
}

// The digest tells what a row says, not how it is written.
func TestDigest(t *testing.T) {
	read := func(file string, f csvfile.Format) uint64 {
		t.Helper()
		r, err := csvfile.Open(strings.NewReader(file), f)
		if err != nil {
			t.Fatal(err)
		}
		var row csvfile.Row
		if err := r.Next(&row); err != nil {
			t.Fatal(err)
		}
		return row.Digest()
	}
	base := read("E-mail,Card,Groups,Valid until\na@example.org,17|18,Staff|Lab,2026-12-31\n", csvfile.Format{})
	for name, tc := range map[string]struct {
		file   string
		format csvfile.Format
		same   bool
	}{
		"quotes, CR LF, blanks":  {"E-mail,Card,Groups,Valid until\r\n\"a@example.org\",\" 17|18\",Staff|Lab,2026-12-31\r\n", csvfile.Format{}, true},
		"order of columns":       {"Card,E-mail,Valid until,Groups\n17|18,a@example.org,2026-12-31,Staff|Lab\n", csvfile.Format{}, true},
		"order of cards, groups": {"E-mail,Card,Groups,Valid until\na@example.org,18|17,Lab|Staff|Lab,2026-12-31\n", csvfile.Format{}, true},
		"zeros and other line":   {"\n\nE-mail,Card,Groups,Valid until\na@example.org,0017|18,Staff|Lab,2026-12-31\n", csvfile.Format{}, true},
		"a column not read":      {"E-mail,Card,Groups,Valid until,X\na@example.org,17|18,Staff|Lab,2026-12-31,y\n", csvfile.Format{}, true},
		"an empty column":        {"E-mail,Card,Groups,Valid until,Phone\na@example.org,17|18,Staff|Lab,2026-12-31,\n", csvfile.Format{}, true},
		"date in another format": {"E-mail,Card,Groups,Valid until\na@example.org,17|18,Staff|Lab,31.12.2026\n", csvfile.Format{Dates: "dd.mm.yyyy"}, true},
		"another zone":           {"E-mail,Card,Groups,Valid until\na@example.org,17|18,Staff|Lab,2026-12-31\n", csvfile.Format{Zone: "Europe/Berlin"}, false},
		"a card fewer":           {"E-mail,Card,Groups,Valid until\na@example.org,17,Staff|Lab,2026-12-31\n", csvfile.Format{}, false},
		"a group as a card":      {"E-mail,Card,Groups,Valid until\na@example.org,17,18|Staff|Lab,2026-12-31\n", csvfile.Format{}, false},
		"a letter":               {"E-mail,Card,Groups,Valid until\nA@example.org,17|18,Staff|Lab,2026-12-31\n", csvfile.Format{}, false},
		"a phone":                {"E-mail,Card,Groups,Valid until,Phone\na@example.org,17|18,Staff|Lab,2026-12-31,1\n", csvfile.Format{}, false},
		"a date the other end":   {"E-mail,Card,Groups,Valid from\na@example.org,17|18,Staff|Lab,2026-12-31\n", csvfile.Format{}, false},
	} {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			if got := read(tc.file, tc.format); (got == base) != tc.same {
				t.Errorf("%x, and %x before", got, base)
			}
		})
	}
	// What it was in an earlier version, or everybody would have changed.
	if base != 0 && fmt.Sprintf("%016x", base) != wantDigest {
		t.Errorf("the digest of the same row has become %016x: every source would be taken in again", base)
	}
}

// A Format and a Description can be kept and sent as JSON.
func TestFormatAsJSON(t *testing.T) {
	f := csvfile.Format{
		Columns: "Vorname=first_name,3=email", Header: "yes", Delimiter: "tab", Encoding: "utf-16", Dates: "dd.mm.yyyy", Zone: "Europe/Berlin",
		ID: "mobile", Split: "/", Active: []string{"A"}, Inactive: []string{"I"}, Yes: []string{"X"}, No: []string{"-"},
	}
	text, err := json.Marshal(f)
	if err != nil {
		t.Fatal(err)
	}
	var back csvfile.Format
	if err := json.Unmarshal(text, &back); err != nil || fmt.Sprint(back) != fmt.Sprint(f) {
		t.Errorf("%v: %+v", err, back)
	}
	if text, err := json.Marshal(csvfile.Format{}); err != nil || string(text) != "{}" {
		t.Errorf("%s, %v", text, err)
	}
}

// A damaged file of UTF-8 is not taken for Windows-1252, however far behind the
// damage is; nor the other way about.
func TestEncodingOfLongFiles(t *testing.T) {
	rows := strings.Repeat("Andrew,Smith,a@example.org,17\n", 20_000)
	for name, tc := range map[string]struct{ file, encoding string }{
		"plain":                         {rows, "utf-8"},
		"one umlaut at the end":         {rows + "Jürgen,Smith,a@example.org,17\n", "utf-8"},
		"one of 1252 at the end":        {rows + "J\xfcrgen,Smith,a@example.org,17\n", "windows-1252"},
		"UTF-8 damaged once":            {strings.Repeat("Jürgen,", 1) + rows[7:] + "Zoë,Gro\xff,a@example.org,17\n", "utf-8"},
		"umlaut on the edge of a piece": {rows[:30*4369] + "xü,b,a@example.org,17\n" + rows, "utf-8"},
	} {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			r, err := csvfile.Open(strings.NewReader(tc.file), csvfile.Format{Columns: "3=email"})
			if err != nil {
				t.Fatal(err)
			}
			if got := r.Describe().Encoding; got != tc.encoding {
				t.Errorf("%s, want %s", got, tc.encoding)
			}
		})
	}
}

// Reading a long file takes no more memory than reading a short one.
func TestMemoryIsBounded(t *testing.T) {
	perRow := testing.AllocsPerRun(1, func() {
		r, err := csvfile.Open(strings.NewReader(strings.Repeat("Andrew,Smith,a@example.org,17\n", 50_000)), csvfile.Format{})
		if err != nil {
			t.Fatal(err)
		}
		var row csvfile.Row
		for r.Next(&row) == nil {
			row.Digest()
		}
	}) / 50_000
	if perRow > 1.5 {
		t.Errorf("%.1f allocations a row", perRow)
	}
}

func TestErrorsOfReadingAreNotOfTheFile(t *testing.T) {
	gone := errors.New("the share is gone")
	for name, piece := range map[string]func(io.Reader) io.Reader{
		"at once":  func(io.Reader) io.Reader { return iotest.ErrReader(gone) },
		"later on": func(r io.Reader) io.Reader { return io.MultiReader(io.LimitReader(r, 300_000), iotest.ErrReader(gone)) },
	} {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			r, err := csvfile.Open(inPieces([]byte(strings.Repeat("Andrew,Smith,a@example.org,17\n", 20_000)), piece), csvfile.Format{Encoding: "utf-8"})
			var row csvfile.Row
			for err == nil {
				err = r.Next(&row)
			}
			if _, ok := errors.AsType[*csvfile.Error](err); ok || !errors.Is(err, gone) {
				t.Errorf("%v", err)
			}
		})
	}
}

// wantDigest is what TestDigest's row had when digests were first stored.
const wantDigest = "42bf7f49ef69c368"

// Beside an error a row tells whom it names, if that could be read.
func TestWrongRowsNameSomebody(t *testing.T) {
	file := "Sync ID,E-mail,Valid from,Valid until,Card\n" +
		"S-1,a@example.org,2026-12-31,2026-01-01,x\n" + // two faults
		"S-2,b@example.org,17\n" + // cells are missing
		"S-\"3,c@example.org,,,\n" + // not told apart
		",d@example.org,,,x\n"
	r, err := csvfile.Open(strings.NewReader(file), csvfile.Format{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	var row csvfile.Row
	for {
		err := r.Next(&row)
		if errors.Is(err, io.EOF) {
			break
		}
		wrong, ok := errors.AsType[*csvfile.Error](err)
		if !ok {
			t.Fatalf("line %d: %v", row.Line, err)
		}
		got = append(got, fmt.Sprintf("%d/%d %d %q", wrong.Line, row.Line, wrong.Column, row.Identity()))
	}
	if want := []string{`2/2 4 "S-1"`, `2/2 5 "S-1"`, `3/3 0 ""`, `4/4 1 ""`, `5/5 5 "d@example.org"`}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
