package csvfile

import (
	"bytes"
	"errors"
	"io"
	"strings"
)

// Bounds of the part of a file by which it is judged.
const (
	sampleSize = 64 << 10
	sampleRows = 1000
)

// sample is the beginning of a file, by which the file is judged.
type sample struct {
	text  []byte
	whole bool // there is no more than the sample
	end   byte // of lines, LF or CR
	skip  int  // length of a line that names the delimiter, sep=;
	comma byte
	rows  [][]string // trimmed cells
	first int        // line of the first of rows
}

// sampleOf reads the beginning of what comes.
func sampleOf(src *source) (*sample, error) {
	for len(src.window()) <= sampleSize && src.double() {
	}
	if src.err != nil && !errors.Is(src.err, io.EOF) && !errors.Is(src.err, errCut) {
		return nil, src.err
	}
	s := &sample{text: src.window(), whole: src.atEnd(), end: '\n'}
	if len(s.text) > sampleSize {
		s.text, s.whole = s.text[:sampleSize], false
	}
	if !endsWithLF(s.text) {
		s.end = '\r'
	}
	return s, nil
}

// endsWithLF reports whether lines end with LF or CR LF: they do unless outside
// quotes there are more CRs without an LF than LFs. A CR at the end of what is
// seen is none without.
func endsWithLF(text []byte) bool {
	inside, lf, cr := false, 0, 0
	for i, b := range text {
		switch {
		case b == '"':
			inside = !inside
		case inside:
		case b == '\n':
			lf++
		case b == '\r' && i+1 < len(text) && text[i+1] != '\n':
			cr++
		}
	}
	return lf >= cr
}

// named looks for a first line such as sep=; which some programs write and
// spreadsheets heed.
func (s *sample) named() byte {
	line, _, _ := bytes.Cut(s.text, []byte{s.end})
	name := strings.Trim(strings.TrimRight(string(line), "\r,;"), `"`)
	if length := len(line) + 1; len(name) >= 4 && strings.EqualFold(name[:4], "sep=") && length <= len(s.text) {
		rest := strings.Trim(strings.TrimRight(string(line), "\r"), `"`)[4:]
		for _, d := range delimiters() {
			if strings.HasPrefix(rest, string(rune(d.char))) {
				s.skip = length
				return d.char
			}
		}
	}
	return 0
}

// rowsBy takes the sample apart by a delimiter. Rows that are wrong are left out
// and counted.
func (s *sample) rowsBy(comma byte) (rows [][]string, wrong int) {
	src := &source{buf: s.text, start: s.skip, end: len(s.text), err: io.EOF}
	if !s.whole {
		src.err = errShort
	}
	split := newSplitter(src, comma, s.end)
	if s.skip > 0 {
		split.next = 2
	}
	for len(rows) < sampleRows {
		err := split.read()
		if e, ok := errors.AsType[*Error](err); ok && !e.Fatal {
			wrong++
			continue
		}
		if err != nil {
			break
		}
		cells := make([]string, len(split.cells))
		for i, c := range split.cells {
			cells[i] = strings.TrimSpace(strings.ToValidUTF8(string(split.text(c)), "�"))
		}
		if strings.Join(cells, "") == "" {
			continue
		}
		if rows = append(rows, cells); len(rows) == 1 {
			s.first = split.line
		}
	}
	return rows, wrong
}

// detectDelimiter takes the delimiter by which the first row has most of the
// names that are looked for; otherwise the one that gives the most rows the same
// number of cells, and of those the one that gives the most cells.
func (s *sample) detectDelimiter(names func(row []string) int) {
	best, first := -1, 0
	for _, d := range delimiters() {
		rows, wrong := s.rowsBy(d.char)
		score := 0
		if len(rows) > 0 {
			n, share := usualCount(rows)
			if n > 1 {
				score = 100*share/(len(rows)+wrong) + min(n, 50)
			}
			score += 1000 * names(rows[0])
		}
		if score > best {
			best, s.comma, s.rows, first = score, d.char, rows, s.first
		}
	}
	s.first = first
}

// usualCount is the number of cells that most rows have, and how many have it.
func usualCount(rows [][]string) (count, share int) {
	counts := map[int]int{}
	for _, r := range rows {
		counts[len(r)]++
	}
	for n, c := range counts {
		if c > share || c == share && n > count {
			count, share = n, c
		}
	}
	return count, share
}
