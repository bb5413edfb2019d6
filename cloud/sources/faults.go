package sources

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"doorsync/cloud/roster"
	"doorsync/cloud/sources/csvfile"
	"doorsync/cloud/sources/plan"
	"doorsync/cloud/sources/spool"
	"doorsync/protocol"
)

// badRows is what is known of rows that could not be read.
type badRows struct {
	telling [2]int // columns that tell people apart: sync ID, e-mail address; 0 is none
	lines   int
	named   []roster.Identity // whom they name
	nobody  bool              // some name nobody that could be read
	stopped bool              // the rest of the file could not be read

	line  int // of the row that errors are about
	id    roster.Identity
	known bool // id is who it names
}

// mostNamed is how many people are remembered whose rows are wrong.
const mostNamed = 100_000

func newBadRows(d csvfile.Description) *badRows {
	b := &badRows{}
	for _, c := range d.Columns {
		switch c.Field {
		case "sync_id":
			b.telling[0] = c.Position
		case string(protocol.FieldEmail):
			b.telling[1] = c.Position
		}
	}
	return b
}

// fault is told of each error. row is what could be read of the row it is about, if
// its line is that of the error.
func (b *badRows) fault(e *csvfile.Error, row *csvfile.Row) {
	if e.Line != b.line || b.lines == 0 {
		b.end()
		b.lines++
		b.line, b.known = e.Line, row.Line == e.Line && row.Identity() != ""
		if b.known {
			b.id = roster.IdentityOf(row.Identity())
		}
	}
	if e.Column == 0 || slices.Contains(b.telling[:], e.Column) {
		b.known = false
	}
	b.stopped = b.stopped || e.Fatal
}

// end ends the row that errors were about.
func (b *badRows) end() {
	switch {
	case b.line == 0 && b.lines == 0:
	case b.known && len(b.named) < mostNamed:
		b.named = append(b.named, b.id)
	default:
		b.nobody = true
	}
	b.known = false
}

// checker finds what the roster would refuse of a row that is well written.
type checker struct {
	field   func(protocol.Field, protocol.Value) error
	columns map[string]csvfile.ColumnUsed
}

func newChecker(field func(protocol.Field, protocol.Value) error, d *csvfile.Description) *checker {
	c := &checker{field: field, columns: map[string]csvfile.ColumnUsed{}}
	for _, used := range d.Columns {
		if _, twice := c.columns[used.Field]; !twice {
			c.columns[used.Field] = used
		}
	}
	return c
}

// row returns all that is wrong with a row.
func (c *checker) row(row *csvfile.Row) []csvfile.Error {
	var out []csvfile.Error
	for i := range row.Values {
		f, v := row.Values[i].Field, row.Values[i].Value
		if strings.HasPrefix(string(f), protocol.CustomPrefix) || len(v.First) > 1024 {
			if err := c.field(f, v); err != nil {
				wrong, _ := strings.CutPrefix(err.Error(), roster.ErrInvalid.Error()+": ")
				out = append(out, c.fault(row, f, v, wrong, ""))
			}
		}
		if f == protocol.FieldUserID && !short(v.First) {
			out = append(out, c.fault(row, f, v, "this is no user ID", "1 to 64 characters without control characters"))
		}
	}
	for _, g := range row.Groups {
		if !short(g) {
			out = append(out, c.fault(row, csvfile.ColumnGroups, protocol.Text(g), "this is no name of a group", "1 to 64 characters without control characters"))
		}
	}
	return out
}

func short(name string) bool {
	return name != "" && len(name) <= 64 && !strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f })
}

func (c *checker) fault(row *csvfile.Row, f protocol.Field, v protocol.Value, wrong, wanted string) csvfile.Error {
	used := c.columns[string(f)]
	return csvfile.Error{
		Line: row.Line, Column: used.Position, Name: cmp.Or(used.Header, string(f)), Value: clip(f.Show(v)), Wrong: wrong, Wanted: wanted,
	}
}

// twice reports rows that name somebody whom another row names.
func (t *taken) twice() error {
	c := t.file.Index.Cursor()
	var first spool.Record
	same := false
	for c.Next() {
		r := c.Record()
		if r[0] != first[0] || r[1] != first[1] || first[2] == plan.Bad {
			first, same = *r, false
			continue
		}
		if r[2] == plan.Bad {
			continue
		}
		if !same {
			t.skipped++ // which of them is right nobody knows
		}
		same = true
		t.skipped++
		if err := t.repeated(int(first[2]), int(r[2])); err != nil {
			return err
		}
	}
	return c.Err()
}

func (t *taken) repeated(first, again int) error {
	if t.errors.count >= Kept {
		t.errors.count++
		return nil
	}
	one, err := t.file.Rows.At(first)
	if err != nil {
		return err
	}
	other, err := t.file.Rows.At(again)
	if err != nil {
		return err
	}
	what, name := "sync ID", other.SyncID
	if name == "" {
		what, name = "e-mail address", nameOf(&other)
	}
	t.errors.add(csvfile.Error{
		Line: other.Line, Name: what, Value: clip(name), Wrong: fmt.Sprintf("line %d has the same %s", one.Line, what),
		Wanted: "one row for each person",
	})
	return nil
}

// nameOf is what a row is told apart by, as written.
func nameOf(w *roster.Word) string {
	return cmp.Or(w.SyncID, w.Values["email"].First)
}

func clip(s string) string {
	if r := []rune(s); len(r) > 60 {
		return string(r[:60]) + "…"
	}
	return s
}

// faults are the first errors of a file, and how many there are.
type faults struct {
	kept  []csvfile.Error
	count int
}

func (f *faults) add(e csvfile.Error) {
	f.count++
	if len(f.kept) < Kept {
		f.kept = append(f.kept, e)
	}
}

func (f *faults) merge(o *faults) {
	f.count += o.count
	f.kept = append(f.kept, o.kept...)
}

// sorted are the first ones in order of line.
func (f *faults) sorted() []csvfile.Error {
	slices.SortStableFunc(f.kept, func(a, b csvfile.Error) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return f.kept[:min(len(f.kept), Kept)]
}
