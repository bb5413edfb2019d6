package csvfile

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"
)

// The encodings, as Format.Encoding and Description spell them.
const (
	encodingUTF8    = "utf-8"
	encodingUTF16   = "utf-16"
	encodingUTF16LE = "utf-16le"
	encodingUTF16BE = "utf-16be"
	encoding1252    = "windows-1252"
)

// encoded is how a file's bytes become text.
type encoded struct {
	name string
	mark int // length of the byte order mark
}

func (e encoded) String() string {
	if e.mark > 0 {
		return e.name + " with byte order mark"
	}
	return e.name
}

func (e encoded) decoder() decoder {
	switch e.name {
	case encodingUTF16LE:
		return utf16Decoder{binary.LittleEndian}
	case encodingUTF16BE:
		return utf16Decoder{binary.BigEndian}
	case encoding1252:
		return newWindows1252()
	}
	return nil
}

// encodingOf looks at a file from its beginning: at its first part, and where only
// the rest can tell UTF-8 from Windows-1252, at all of it. wanted is what the
// Format says, or "".
func encodingOf(r io.Reader, wanted string) (encoded, error) {
	head := make([]byte, readSize)
	n, err := io.ReadFull(r, head)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return encoded{}, fmt.Errorf("read: %w", err)
	}
	whole := err != nil
	head = head[:n]
	if len(bytes.TrimSpace(head)) == 0 && whole {
		return encoded{}, &Error{Wrong: "the file is empty", Wanted: "a CSV file with one row for each person", Fatal: true}
	}
	marked := markOf(head)
	if err := refuse(head, marked, wanted); err != nil {
		return encoded{}, err
	}
	switch {
	case marked.mark > 0:
		return marked, nil
	case wanted == encodingUTF16:
		return encoded{name: orDefault(unmarkedUTF16(head), encodingUTF16LE)}, nil
	case wanted != "":
		return encoded{name: wanted}, nil
	}
	if name := unmarkedUTF16(head); name != "" {
		return encoded{name: name}, nil
	}
	if err := refuseBinary(head); err != nil {
		return encoded{}, err
	}
	name, err := eightBit(io.MultiReader(bytes.NewReader(head), r))
	return encoded{name: name}, err
}

// markOf recognizes the byte order mark.
func markOf(head []byte) encoded {
	switch {
	case bytes.HasPrefix(head, []byte{0xef, 0xbb, 0xbf}):
		return encoded{encodingUTF8, 3}
	case bytes.HasPrefix(head, []byte{0xff, 0xfe}):
		return encoded{encodingUTF16LE, 2}
	case bytes.HasPrefix(head, []byte{0xfe, 0xff}):
		return encoded{encodingUTF16BE, 2}
	}
	return encoded{}
}

// refuse names what is no CSV file in an encoding that can be read, and a byte
// order mark that says otherwise than the Format.
func refuse(head []byte, marked encoded, wanted string) error {
	start := bytes.ToLower(bytes.TrimSpace(head[marked.mark:min(len(head), 512)]))
	for _, known := range []struct{ magic, wrong, wanted string }{
		{"pk\x03\x04", "this is an Excel workbook (xlsx) or another zip archive, no CSV file", `a CSV file: in Excel, "Save as", "CSV UTF-8"`},
		{"\xd0\xcf\x11\xe0", "this is an Excel workbook (xls) or another Office file, no CSV file", `a CSV file: in Excel, "Save as", "CSV UTF-8"`},
		{"%pdf", "this is a PDF, no CSV file", "a CSV file"},
		{"\x1f\x8b", "this file is compressed (gzip)", "the CSV file itself"},
		{"<?xml", "this is XML, no CSV file", "a CSV file"},
		{"<html", "this is a web page, no CSV file", "a CSV file; some programs call a web page with a table .csv or .xls"},
		{"<!doctype", "this is a web page, no CSV file", "a CSV file; some programs call a web page with a table .csv or .xls"},
		{"\xff\xfe\x00\x00", "the file is in UTF-32", "UTF-8 or UTF-16"},
		{"\x00\x00\xfe\xff", "the file is in UTF-32", "UTF-8 or UTF-16"},
	} {
		if bytes.HasPrefix(start, []byte(known.magic)) || bytes.HasPrefix(head, []byte(known.magic)) {
			return &Error{Wrong: known.wrong, Wanted: known.wanted, Fatal: true}
		}
	}
	if marked.mark > 0 && wanted != "" && wanted != marked.name && !(wanted == encodingUTF16 && marked.name != encodingUTF8) {
		return &Error{
			Wrong:  fmt.Sprintf("the file begins with the byte order mark of %s, but its format says %s", marked.name, wanted),
			Wanted: "the encoding set to detect, or to what the file is in", Fatal: true,
		}
	}
	return nil
}

// unmarkedUTF16 recognizes UTF-16 without a mark by its zero bytes: delimiters,
// digits and line breaks have one each, whatever script the names are in, and all
// on the same side.
func unmarkedUTF16(head []byte) string {
	var zeros [2]int
	for i, b := range head {
		if b == 0 {
			zeros[i%2]++
		}
	}
	enough := max(len(head)/10, 2)
	switch {
	case zeros[1] >= enough && zeros[0]*50 <= zeros[1]:
		return encodingUTF16LE
	case zeros[0] >= enough && zeros[1]*50 <= zeros[0]:
		return encodingUTF16BE
	}
	return ""
}

// refuseBinary refuses what has more control characters than a text may have by
// mistake.
func refuseBinary(head []byte) error {
	odd := 0
	for _, b := range head {
		if b < ' ' && b != '\t' && b != '\n' && b != '\r' && b != '\f' && b != '\v' {
			odd++
		}
	}
	if odd > 2 && odd*20 > len(head) {
		return &Error{Wrong: "this is no text file", Wanted: "a CSV file", Fatal: true}
	}
	return nil
}

// eightBit tells UTF-8 from Windows-1252. A file with more that is UTF-8 beyond
// ASCII than is not is a damaged one of UTF-8: read as Windows-1252, it would
// change everybody's name for the sake of one.
func eightBit(r io.Reader) (string, error) {
	buf := make([]byte, readSize)
	kept, good, bad := 0, 0, 0
	for {
		n, err := io.ReadFull(r, buf[kept:])
		atEnd := err != nil
		if atEnd && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			return "", fmt.Errorf("read: %w", err)
		}
		b := buf[:kept+n]
		whole := len(b)
		if !atEnd {
			whole = wholeRunes(b)
		}
		g, w := countRunes(b[:whole])
		good, bad = good+g, bad+w
		if atEnd {
			break
		}
		kept = copy(buf, b[whole:])
	}
	if bad > good {
		return encoding1252, nil
	}
	return encodingUTF8, nil
}

// wholeRunes is the length of b without a rune at its end that goes on behind it.
func wholeRunes(b []byte) int {
	for i := 1; i < utf8.UTFMax && i <= len(b); i++ {
		if at := len(b) - i; utf8.RuneStart(b[at]) {
			if !utf8.FullRune(b[at:]) {
				return at
			}
			break
		}
	}
	return len(b)
}

// countRunes counts the runes beyond ASCII, and the bytes that belong to none.
func countRunes(b []byte) (good, bad int) {
	for i := 0; i < len(b); {
		if b[i] < utf8.RuneSelf {
			for i++; len(b)-i >= 8 && binary.NativeEndian.Uint64(b[i:])&0x8080808080808080 == 0; {
				i += 8
			}
			continue
		}
		r, size := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && size == 1 {
			bad++
		} else {
			good++
		}
		i += size
	}
	return good, bad
}

func orDefault(s, def string) string {
	if s == "" {
		return def
	}
	return s
}
