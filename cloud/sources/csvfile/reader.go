package csvfile

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"doorsync/protocol"
)

// Reader reads one file. It is not for several goroutines at once.
type Reader struct {
	split     *splitter
	described Description
	covers    []string
	decoders  []cellDecoder
	names     []string // of the columns, for errors
	secret    []bool
	expires   int // column of the expiry, counted from 0
	count     int // of cells that a row must have
	encoding  string

	wrong []*Error // of the row read last, that were not yet returned
	rows  int      // that were met, right or wrong
	done  error    // io.EOF, or what stopped reading

	line, made string // the row read last
}

// Open looks at a file, detects what the Format leaves open, and stops before the
// first person. It reads r from its beginning, where only the whole can tell the
// encoding twice. What is wrong with the file as a whole is an *Error; anything
// else is the Format's fault or that of reading.
func Open(r io.ReadSeeker, f Format) (*Reader, error) {
	p, err := f.parse()
	if err != nil {
		return nil, err
	}
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return nil, fmt.Errorf("go to the beginning: %w", err)
	}
	enc, err := encodingOf(r, p.encoding)
	if err != nil {
		return nil, err
	}
	if _, err := r.Seek(int64(enc.mark), io.SeekStart); err != nil {
		return nil, fmt.Errorf("go back to the beginning: %w", err)
	}
	src := newSource(r, enc.decoder())
	s, err := sampleOf(src)
	if err != nil {
		return nil, fmt.Errorf("read: %w", err)
	}
	return open(p, enc, src, s)
}

func open(p parsed, enc encoded, src *source, s *sample) (*Reader, error) {
	named := s.named()
	if s.comma = p.delimiter; s.comma == 0 {
		s.comma = named
	}
	if s.comma != 0 {
		s.rows, _ = s.rowsBy(s.comma)
	} else {
		s.detectDelimiter(p.namesIn())
	}
	r := &Reader{split: newSplitter(src, s.comma, s.end), encoding: enc.name}
	if s.skip > 0 {
		src.start, r.split.next = src.start+s.skip, 2
	}
	if len(s.rows) == 0 {
		return nil, r.noRows()
	}
	b, err := bind(p, s)
	if err != nil {
		return nil, err
	}
	if b.header != nil {
		if err := r.skipHeader(); err != nil {
			return nil, err
		}
	}
	if r.decoders, err = b.decoders(p, s.comma); err != nil {
		return nil, err
	}
	r.described, r.count = describe(p, enc, s.comma, b), b.count
	r.nameColumns(b)
	return r, nil
}

// namesIn counts the names in a row by which a header is known.
func (p parsed) namesIn() func(row []string) int {
	known := newRecognizer()
	return func(row []string) (n int) {
		b := binding{header: row}
		for _, c := range p.columns {
			if at, _ := b.find(c.Header); c.Position == 0 && at >= 0 {
				n++
			}
		}
		if len(p.columns) == 0 && isHeader(p, known, row) {
			for _, cell := range row {
				if f, _ := known.field(cell); f != "" {
					n++
				}
			}
		}
		return n
	}
}

// noRows says why the sample has no row: the file's first row cannot be read.
func (r *Reader) noRows() error {
	err := r.split.read()
	if err == nil && len(r.split.row) > sampleSize/2 {
		return &Error{Line: r.split.line, Wrong: "the first row is longer than 64 KiB", Wanted: "a CSV file with one row for each person", Fatal: true}
	}
	if err == nil || errors.Is(err, io.EOF) {
		return &Error{Wrong: "the file is empty", Wanted: "a CSV file with one row for each person", Fatal: true}
	}
	return err
}

// skipHeader reads up to and with the first row that is not blank.
func (r *Reader) skipHeader() error {
	for {
		if err := r.split.read(); err != nil {
			return err
		}
		r.keepText()
		if !r.blank() {
			return nil
		}
	}
}

func (r *Reader) nameColumns(b *binding) {
	r.names, r.secret = make([]string, b.count), make([]bool, b.count)
	for i := range b.header {
		r.names[i] = showName(b.header[i])
	}
	for _, c := range b.columns {
		r.names[c.Position-1] = orDefault(r.names[c.Position-1], c.Field)
		switch kind, _ := kindOf(c.Field); kind {
		case cellPIN:
			r.secret[c.Position-1] = true
		case cellExpires:
			r.expires = c.Position - 1
		}
		if !slices.Contains(r.covers, c.Field) {
			r.covers = append(r.covers, c.Field)
		}
	}
	slices.Sort(r.covers)
}

// Describe returns what the file was taken for.
func (r *Reader) Describe() Description { return r.described }

// Covers lists the fields of which the file speaks, as in Format.Columns without
// options and sorted: first_name, activates_at, card, groups, sync_id … About a
// field that is not among them no row says anything.
func (r *Reader) Covers() []string { return r.covers }

// Next reads the next person into row. A row that is wrong is an *Error, after
// which Next goes on with the row after it, unless the Error is Fatal. A row with
// several faults gives several Errors, one a call, in the order of the columns.
// Beside an Error, row has the line and what could be read of the other cells, so
// that it may still be seen whom the row names; nothing if its cells could not be
// told apart. At the end Next returns io.EOF; any other error is of reading.
func (r *Reader) Next(row *Row) error {
	for {
		if len(r.wrong) > 0 {
			err := r.wrong[0]
			r.wrong = r.wrong[1:]
			return err
		}
		if r.done != nil {
			return r.done
		}
		if err := r.split.read(); err != nil {
			return r.stop(row, err)
		}
		r.keepText()
		if r.blank() {
			continue
		}
		r.rows++
		row.reset(r.split.line)
		if r.whole() && r.text() {
			r.decode(row)
		}
		if len(r.wrong) == 0 {
			return nil
		}
	}
}

// stop looks at what the splitter ran into.
func (r *Reader) stop(row *Row, err error) error {
	wrong, ok := errors.AsType[*Error](err)
	if ok {
		row.reset(wrong.Line)
	}
	switch {
	case ok && !wrong.Fatal:
		r.rows++
		return r.placed(wrong)
	case ok:
		r.done = io.EOF
		return r.placed(wrong)
	case errors.Is(err, io.EOF) && r.rows == 0:
		r.done = io.EOF
		return &Error{Wrong: "the file has no rows", Wanted: "one row for each person", Fatal: true}
	}
	r.done = err
	return err
}

// placed names the column of an error.
func (r *Reader) placed(e *Error) *Error {
	if e.Column > 0 && e.Column <= len(r.names) {
		e.Name = r.names[e.Column-1]
	}
	return e
}

func (r *Reader) fault(column int, value string, f fault) {
	if column >= 0 && r.secret[column] {
		value = ""
	}
	if r.rows == 1 && !r.described.Header && slices.Contains(r.described.Detected, "header") {
		f.wanted += " (if this row is the header, set header to yes)"
	}
	e := &Error{Line: r.split.line, Column: column + 1, Value: clip(value), Wrong: f.wrong, Wanted: f.wanted}
	r.wrong = append(r.wrong, r.placed(e))
}

// keepText copies the row out of the splitter's buffers, all of its cells at once.
func (r *Reader) keepText() {
	r.line, r.made = string(r.split.row), ""
	if len(r.split.made) > 0 {
		r.made = string(r.split.made)
	}
}

func (r *Reader) cell(i int) string {
	c := r.split.cells[i]
	if c.made {
		return strings.TrimSpace(r.made[c.from:c.to])
	}
	return strings.TrimSpace(r.line[c.from:c.to])
}

// blank reports a row without anything in it, such as spreadsheets leave behind
// the last person, or the mark that old programs end a file with.
func (r *Reader) blank() bool {
	for i := range r.split.cells {
		if s := r.cell(i); s != "" && !(s == "\x1a" && r.split.count == 1) {
			return false
		}
	}
	return r.split.count <= maxCells
}

// whole checks the number of cells.
func (r *Reader) whole() bool {
	if r.split.count == r.count {
		return true
	}
	f := fault{fmt.Sprintf("the row has %s", cells(r.split.count)), fmt.Sprintf("%s, as in the header", cells(r.count))}
	if !r.described.Header {
		f.wanted = fmt.Sprintf("%s, as most rows have", cells(r.count))
	}
	if n := len(r.split.row); r.split.count < r.count && r.split.row[n-1] != r.split.end {
		// It is the last row, and not even its line is complete.
		f.wrong += ", and the file ends in it: it was cut, or not yet written to its end"
		f.wanted = "the whole file"
		r.fault(-1, "", f)
		r.wrong[len(r.wrong)-1].Fatal = true
		return false
	}
	r.fault(-1, "", f)
	return false
}

func cells(n int) string {
	if n == 1 {
		return "1 cell"
	}
	return fmt.Sprintf("%d cells", n)
}

// text checks that the row is text in the encoding that the file is in.
func (r *Reader) text() bool {
	if !r.split.odd {
		return true
	}
	for i := range r.split.cells {
		switch s := r.cell(i); {
		case strings.IndexByte(s, 0) >= 0:
			r.fault(i, "", fault{"the cell holds a zero byte", "text; the file is damaged there, or in another encoding than " + r.encoding})
			return false
		case !utf8.ValidString(s):
			r.fault(i, "", fault{"the cell holds what is no character in " + r.encoding, "text in " + r.encoding + "; the file is damaged there, or in another encoding"})
			return false
		}
	}
	return true
}

// decode reads the cells of a row that is whole.
func (r *Reader) decode(row *Row) {
	var from, to time.Time
	for i := range r.decoders {
		d := &r.decoders[i]
		s := r.cell(d.column)
		if s == "" {
			continue
		}
		var f *fault
		switch d.kind {
		case cellActivates:
			from, f = d.date(s)
		case cellExpires:
			to, f = d.date(s)
		case cellSyncID:
			if f = checkSyncID(s); f == nil {
				row.SyncID = s
			}
		case cellLanguage:
			row.Language, f = readLanguage(s)
		case cellGroups:
			f = d.groups(row, s)
		case cellCredential:
			f = d.credentials(row, s)
		default:
			var v protocol.Value
			if v, f = d.value(s); f == nil {
				row.Values = append(row.Values, FieldValue{d.field, v})
			}
		}
		if f != nil {
			r.fault(d.column, s, *f)
		}
	}
	// No field comes after the validity in order.
	if !from.IsZero() || !to.IsZero() {
		if !from.IsZero() && !to.IsZero() && !from.Before(to) {
			r.fault(r.expires, "", fault{"the person would expire before becoming active", "an expiry behind the activation"})
		}
		row.Values = append(row.Values, FieldValue{protocol.FieldValidity, protocol.Validity{ActivatesAt: from, ExpiresAt: to}.Value()})
	}
	if len(r.wrong) > 0 {
		slices.SortStableFunc(r.wrong, func(a, b *Error) int { return a.Column - b.Column })
	} else if row.Identity() == "" {
		r.fault(-1, "", r.nobody())
	}
}

// nobody is the fault of a row that does not say whom it is about.
func (r *Reader) nobody() fault {
	f := fault{"the row has no e-mail address", "an e-mail address, which tells people apart"}
	switch sync, email := slices.Contains(r.covers, ColumnSyncID), slices.Contains(r.covers, string(protocol.FieldEmail)); {
	case sync && email:
		return fault{"the row has neither a sync ID nor an e-mail address", "one of the two, which tells people apart"}
	case sync:
		return fault{"the row has no sync ID", "a sync ID, which tells people apart"}
	}
	return f
}
