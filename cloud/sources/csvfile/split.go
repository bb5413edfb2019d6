package csvfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"
)

// Bounds of one row.
const (
	maxRecord = 1 << 20 // bytes in UTF-8; a longer one is a quote never closed
	maxCells  = 4096    // that are kept; all are counted
)

// errShort: the row does not end in what is there.
var errShort = errors.New("the row goes on")

// span is where the text of a cell is: in the row as it stands in the file, or,
// if it had to be put together, in what was put together.
type span struct {
	from, to int
	made     bool
}

// Classes of bytes on which the splitter stops.
const (
	isPlain byte = iota
	isComma
	isEnd
	isQuote
	isOdd // not ASCII, or NUL
)

// splitter takes a file apart into rows and cells (RFC 4180). It takes what
// encoding/csv takes and refuses what that refuses, at a third of the cost, and
// knows lines that end with CR alone as well. A fuzz target holds it against
// encoding/csv.
type splitter struct {
	src   *source
	comma byte
	end   byte // LF, before which one CR is dropped, or CR
	class [256]byte
	next  int // the physical line that comes next, counted from 1

	// Of the row read last, good until the next one.
	line  int    // on which it begins
	row   []byte // as it stands in the file, with what ends it
	made  []byte
	cells []span
	count int  // of cells, also of those beyond maxCells
	odd   bool // something in it is not ASCII, or is NUL
	lines int  // physical lines it takes
}

func newSplitter(src *source, comma, end byte) *splitter {
	s := &splitter{src: src, comma: comma, end: end, next: 1}
	for i := utf8.RuneSelf; i < len(s.class); i++ {
		s.class[i] = isOdd
	}
	s.class[0], s.class[comma], s.class[end], s.class['"'] = isOdd, isComma, isEnd, isQuote
	return s
}

// read takes the next row that is not an empty line. It returns io.EOF at the
// end, and an *Error for a row that cannot be taken apart.
func (s *splitter) read() error {
	for {
		length, err := s.split(s.src.window(), s.src.atEnd())
		for errors.Is(err, errShort) && length <= maxRecord && s.src.double() {
			length, err = s.split(s.src.window(), s.src.atEnd())
		}
		s.line = s.next
		switch {
		case length > maxRecord:
			return s.fatal("the row is longer than 1 MiB", "a CSV file; a quote that is never closed makes such rows too")
		case errors.Is(err, errShort):
			return s.readError()
		case err != nil && length == 0:
			return err
		}
		s.row = s.src.window()[:length]
		s.src.start += length
		s.next += s.lines
		if err != nil || s.count > 0 {
			return err
		}
	}
}

// readError says why the source ended before the row did.
func (s *splitter) readError() error {
	if errors.Is(s.src.err, errCut) {
		return s.fatal(errCut.Error(), "the whole file")
	}
	return fmt.Errorf("read line %d: %w", s.next, s.src.err)
}

func (s *splitter) fatal(wrong, wanted string) *Error {
	return &Error{Line: s.next, Wrong: wrong, Wanted: wanted, Fatal: true}
}

// text is a cell's text.
func (s *splitter) text(c span) []byte {
	if c.made {
		return s.made[c.from:c.to]
	}
	return s.row[c.from:c.to]
}

// split takes one row from the beginning of b and returns its length, with what
// ends it. An empty line is a row without cells. With errShort, length is that of
// b.
func (s *splitter) split(b []byte, atEnd bool) (length int, err error) {
	s.cells, s.made, s.count, s.odd, s.lines = s.cells[:0], s.made[:0], 0, false, 1
	at, from := 0, 0
	for {
		for at < len(b) && s.class[b[at]] == isPlain {
			at++
		}
		if at == len(b) {
			return s.lastRow(b, from, atEnd)
		}
		switch s.class[b[at]] {
		case isComma:
			s.add(span{from: from, to: at})
			at++
			from = at
		case isEnd:
			s.addLast(b, from, at)
			return at + 1, nil
		case isOdd:
			s.odd = true
			at++
		default:
			if at > from {
				return s.skip(b, at, atEnd, "a quote stands in a cell that does not begin with one")
			}
			next, done, err := s.quoted(b, at+1, atEnd)
			if err != nil || done {
				return next, err
			}
			at, from = next, next
		}
	}
}

// lastRow ends the row where the file ends.
func (s *splitter) lastRow(b []byte, from int, atEnd bool) (int, error) {
	switch {
	case !atEnd:
		return len(b), errShort
	case len(b) == 0:
		return 0, io.EOF
	}
	s.addLast(b, from, len(b))
	return len(b), nil
}

func (s *splitter) add(c span) {
	if s.count++; s.count <= maxCells {
		s.cells = append(s.cells, c)
	}
}

// addLast adds the row's last cell, unless it is all there is of the row and
// empty.
func (s *splitter) addLast(b []byte, from, to int) {
	if s.end == '\n' && to > from && b[to-1] == '\r' {
		to--
	}
	if to > 0 {
		s.add(span{from: from, to: to})
	}
}

// quoted takes a quoted cell whose text begins at a place, and what ends it. It
// returns where the next cell begins, or, done, the length of the row.
func (s *splitter) quoted(b []byte, at int, atEnd bool) (next int, done bool, err error) {
	from, cell := at, span{from: len(s.made), made: true}
	for {
		i := bytes.IndexByte(b[at:], '"')
		if i < 0 {
			if !atEnd {
				return len(b), false, errShort
			}
			return len(b), false, s.unclosed()
		}
		at += i
		if at+2 >= len(b) && !atEnd {
			return len(b), false, errShort
		}
		if at+1 == len(b) || b[at+1] != '"' {
			break
		}
		s.made = append(s.made, b[from:at+1]...)
		at += 2
		from = at
	}
	s.made = append(s.made, b[from:at]...)
	s.tidy(cell.from)
	cell.to = len(s.made)
	return s.behindQuote(b, cell, at+1, atEnd)
}

// tidy looks at what was put together from a place on: line breaks count as
// lines and become LF.
func (s *splitter) tidy(from int) {
	made := s.made[from:]
	if n := bytes.Count(made, []byte{s.end}); n > 0 {
		s.lines += n
		was := []byte("\r")
		if s.end == '\n' {
			was = []byte("\r\n")
		}
		s.made = append(s.made[:from], bytes.ReplaceAll(made, was, []byte("\n"))...)
	}
	for _, c := range s.made[from:] {
		if c >= utf8.RuneSelf || c == 0 {
			s.odd = true
			return
		}
	}
}

// behindQuote looks at what follows the quote that closes a cell.
func (s *splitter) behindQuote(b []byte, cell span, at int, atEnd bool) (next int, done bool, err error) {
	rest := b[at:]
	switch {
	case len(rest) == 0, s.end == '\n' && len(rest) == 1 && rest[0] == '\r':
		s.add(cell)
		return len(b), true, nil
	case rest[0] == s.comma:
		s.add(cell)
		return at + 1, false, nil
	case rest[0] == s.end:
		s.add(cell)
		return at + 1, true, nil
	case s.end == '\n' && rest[0] == '\r' && rest[1] == '\n':
		s.add(cell)
		return at + 2, true, nil
	}
	next, err = s.skip(b, at, atEnd, "something follows the quote that ends a cell")
	return next, false, err
}

// skip leaves out a row that cannot be taken apart, up to the end of the line.
func (s *splitter) skip(b []byte, at int, atEnd bool, wrong string) (int, error) {
	length := len(b)
	if i := bytes.IndexByte(b[at:], s.end); i >= 0 {
		length = at + i + 1
	} else if !atEnd {
		return length, errShort
	}
	return length, &Error{
		Line: s.next + s.lines - 1, Column: s.count + 1, Wrong: wrong,
		Wanted: `a cell that holds quotes to stand in quotes, each quote in it doubled: "Andrew ""Andy"""`,
	}
}

// unclosed is the fault of a quote that goes on to the end of the file.
func (s *splitter) unclosed() error {
	return &Error{
		Line: s.next + s.lines - 1, Column: s.count + 1, Fatal: true,
		Wrong: "the cell begins with a quote that is never closed, to the end of the file", Wanted: "the whole file, or a closing quote",
	}
}
