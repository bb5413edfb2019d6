package csvfile

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

// splitAll takes a file apart up to the first error.
func splitAll(r io.Reader, comma, end byte) (rows [][]string, lines []int, err error) {
	s := newSplitter(newSource(r, nil), comma, end)
	for {
		if err := s.read(); err != nil {
			return rows, lines, err
		}
		var row []string
		for _, c := range s.cells {
			row = append(row, string(s.text(c)))
		}
		rows, lines = append(rows, row), append(lines, s.line)
	}
}

// FuzzSplit holds the splitter against encoding/csv: the same rows on the same
// lines, and an error where the other has one, however the bytes arrive.
func FuzzSplit(f *testing.F) {
	for _, seed := range []string{
		"a,b,c\n1,2,3\n", "a;b\r\n\r\n1;2", "\"a\nb\",\"c\"\"d\"\n", "a\"b,c\nd\n", "\"a\"b,c\nd\n", "\"a", "\"\"\r", "a\r", "\r\r\n", "\"a\r\nb\"\r\n\"c\"\r",
		"\"a\r\r\n\"\n\n\"\",\n", ",,\n,\n", "\x00,\xff\n", "\"a\"\r\r\n", "\"a\"\rb\n", "é,\"ü\"\n", "\"\"\"\"\n", "\"\"\"\n",
	} {
		f.Add([]byte(seed), byte(0))
	}
	f.Fuzz(func(t *testing.T, file []byte, which byte) {
		comma := delimiters()[int(which)%len(delimiters())].char
		other := csv.NewReader(bytes.NewReader(file))
		other.Comma, other.FieldsPerRecord = rune(comma), -1
		var want [][]string
		var wantLines []int
		var wantErr error
		for {
			row, err := other.Read()
			if err != nil {
				wantErr = err
				break
			}
			line, _ := other.FieldPos(0)
			want, wantLines = append(want, row), append(wantLines, line)
		}
		for name, r := range map[string]io.Reader{
			"whole": bytes.NewReader(file), "bytes": iotest.OneByteReader(bytes.NewReader(file)),
			"halves": iotest.HalfReader(bytes.NewReader(file)), "early end": iotest.DataErrReader(bytes.NewReader(file)),
		} {
			got, lines, err := splitAll(r, comma, '\n')
			if errors.Is(err, io.EOF) != errors.Is(wantErr, io.EOF) {
				t.Fatalf("%s: %v, encoding/csv: %v", name, err, wantErr)
			}
			if !slices.EqualFunc(got, want, slices.Equal[[]string]) {
				t.Fatalf("%s: %q, encoding/csv: %q", name, got, want)
			}
			if !slices.Equal(lines, wantLines) {
				t.Fatalf("%s: lines %v, encoding/csv: %v", name, lines, wantLines)
			}
			parse, ok := errors.AsType[*csv.ParseError](wantErr)
			if wrong, mine := errors.AsType[*Error](err); ok && mine && !wrong.Fatal && wrong.Line != parse.Line {
				t.Fatalf("%s: error on line %d, encoding/csv: %d", name, wrong.Line, parse.Line)
			}
		}
	})
}

func TestSplitGoesOn(t *testing.T) {
	s := newSplitter(newSource(strings.NewReader("a,b\nx\"y,z\n\"p\"q\nc,d\n\"open\n,\n"), nil), ',', '\n')
	var got []string
	for {
		err := s.read()
		if errors.Is(err, io.EOF) {
			break
		}
		if wrong, ok := errors.AsType[*Error](err); ok {
			got = append(got, wrong.Error())
			if wrong.Fatal {
				break
			}
			continue
		}
		got = append(got, string(s.row))
	}
	want := []string{
		"a,b\n",
		`line 2, column 1: a quote stands in a cell that does not begin with one; wanted: a cell that holds quotes to stand in quotes, each quote in it doubled: "Andrew ""Andy"""`,
		`line 3, column 1: something follows the quote that ends a cell; wanted: a cell that holds quotes to stand in quotes, each quote in it doubled: "Andrew ""Andy"""`,
		"c,d\n",
		"line 5, column 1: the cell begins with a quote that is never closed, to the end of the file; wanted: the whole file, or a closing quote",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestSplitEndsWithCR(t *testing.T) {
	rows, lines, err := splitAll(strings.NewReader("a,b\r\"c\rd\",e\r\rf,g"), ',', '\r')
	if want := [][]string{{"a", "b"}, {"c\nd", "e"}, {"f", "g"}}; !errors.Is(err, io.EOF) || !slices.EqualFunc(rows, want, slices.Equal[[]string]) || !slices.Equal(lines, []int{1, 2, 5}) {
		t.Errorf("%q on lines %v, %v", rows, lines, err)
	}
}

// A row has a bound, or a quote that is never closed would need as much memory as
// the file is long.
func TestSplitBoundsRows(t *testing.T) {
	for name, tc := range map[string]struct {
		file string
		ok   bool
	}{
		"just allowed":         {strings.Repeat("a", maxRecord-1) + "\nb\n", true},
		"too long":             {strings.Repeat("a", maxRecord) + "\nb\n", false},
		"quote never closed":   {`"` + strings.Repeat("a,b\n", maxRecord), false},
		"skipped but too long": {`a"` + strings.Repeat("a", maxRecord) + "\nb\n", false},
	} {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			for _, r := range []io.Reader{strings.NewReader(tc.file), iotest.HalfReader(strings.NewReader(tc.file))} {
				source := newSource(r, nil)
				s := newSplitter(source, ',', '\n')
				err := s.read()
				wrong, bad := errors.AsType[*Error](err)
				if tc.ok != (err == nil) || !tc.ok && (!bad || !wrong.Fatal || wrong.Line != 1) {
					t.Errorf("%v", err)
				}
				if len(source.buf) > 4*maxRecord {
					t.Errorf("the buffer grew to %d bytes", len(source.buf))
				}
			}
		})
	}
}

func TestReadErrorsAreNoFaultsOfTheFile(t *testing.T) {
	broken := errors.New("the share is gone")
	for _, dec := range []decoder{nil, newWindows1252()} {
		s := newSplitter(newSource(io.MultiReader(strings.NewReader("a,b\nc,"), iotest.ErrReader(broken)), dec), ',', '\n')
		if err := s.read(); err != nil {
			t.Fatal(err)
		}
		if err := s.read(); !errors.Is(err, broken) || !strings.Contains(err.Error(), "line 2") {
			t.Errorf("%v", err)
		}
	}
}
