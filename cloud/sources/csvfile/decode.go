package csvfile

import (
	"encoding/binary"
	"errors"
	"io"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// readSize is how many bytes are read at a time.
const readSize = 128 << 10

var errCut = errors.New("the file is cut in the middle of a character")

// decoder turns bytes of an encoding into UTF-8. What is no text in that encoding
// becomes noText, which is not valid UTF-8 and so is found with its line.
type decoder interface {
	// decode takes from src and gives to dst as much as fits; atEnd says that
	// nothing follows src.
	decode(dst, src []byte, atEnd bool) (given, taken int, err error)
}

const noText = 0xff

// utf16Decoder decodes UTF-16 of either order of bytes.
type utf16Decoder struct{ order binary.ByteOrder }

func (d utf16Decoder) decode(dst, src []byte, atEnd bool) (given, taken int, err error) {
	for len(src)-taken >= 2 && len(dst)-given >= utf8.UTFMax {
		unit := d.order.Uint16(src[taken:])
		if unit < utf8.RuneSelf {
			dst[given] = byte(unit)
			given, taken = given+1, taken+2
			continue
		}
		r, size := rune(unit), 2
		if utf16.IsSurrogate(r) {
			if len(src)-taken < 4 && !atEnd {
				return given, taken, nil
			}
			r = -1
			if len(src)-taken >= 4 {
				if both := utf16.DecodeRune(rune(unit), rune(d.order.Uint16(src[taken+2:]))); both != utf8.RuneError {
					r, size = both, 4
				}
			}
		}
		taken += size
		if r < 0 {
			dst[given] = noText
			given++
			continue
		}
		given += utf8.EncodeRune(dst[given:], r)
	}
	if atEnd && len(src)-taken == 1 {
		return given, taken, errCut
	}
	return given, taken, nil
}

// windows1252Decoder decodes the code page of Western Windows.
type windows1252Decoder struct {
	runes [256]rune // -1 where the code page has nothing
}

func newWindows1252() *windows1252Decoder {
	d := &windows1252Decoder{}
	for i := range d.runes {
		b := byte(i)
		if d.runes[i] = charmap.Windows1252.DecodeByte(b); notIn1252(b) {
			d.runes[i] = -1
		}
	}
	return d
}

// notIn1252 reports the five bytes to which the code page gives no character.
func notIn1252(b byte) bool {
	return b == 0x81 || b == 0x8d || b == 0x8f || b == 0x90 || b == 0x9d
}

func (d *windows1252Decoder) decode(dst, src []byte, _ bool) (given, taken int, err error) {
	for taken < len(src) && len(dst)-given >= utf8.UTFMax {
		b := src[taken]
		taken++
		switch r := d.runes[b]; {
		case b < utf8.RuneSelf:
			dst[given] = b
			given++
		case r < 0:
			dst[given] = noText
			given++
		default:
			given += utf8.EncodeRune(dst[given:], r)
		}
	}
	return given, taken, nil
}

// source holds a window of a file in UTF-8, buf[start:end].
type source struct {
	r          io.Reader
	dec        decoder // nil for UTF-8
	raw        []byte  // not yet decoded, of rawBuf
	rawBuf     []byte
	rawEnd     bool // nothing follows raw
	buf        []byte
	start, end int
	err        error // why nothing more comes; io.EOF at the end
}

func newSource(r io.Reader, dec decoder) *source {
	return &source{r: r, dec: dec, buf: make([]byte, 2*readSize)}
}

// window is what is held and was not yet taken.
func (s *source) window() []byte { return s.buf[s.start:s.end] }

// atEnd reports whether nothing follows the window.
func (s *source) atEnd() bool { return s.err != nil && errors.Is(s.err, io.EOF) }

// double reads until the window is twice as long as it was, or nothing more
// comes, for which err has the reason; it returns false if it knew that before.
// Doubling keeps the cost of starting a row over in proportion to its length.
func (s *source) double() bool {
	if s.err != nil {
		return false
	}
	s.end = copy(s.buf, s.buf[s.start:s.end])
	s.start = 0
	for want := max(2*s.end, 1); s.end < want && s.err == nil; {
		if len(s.buf)-s.end < utf8.UTFMax {
			s.buf = append(s.buf, make([]byte, len(s.buf))...)
		}
		s.end += s.fill(s.buf[s.end:])
	}
	return true
}

func (s *source) fill(dst []byte) int {
	if s.dec == nil {
		n, err := s.r.Read(dst)
		s.err = err
		return max(n, 0)
	}
	if !s.rawEnd && len(s.raw) < 4 {
		s.refill()
	}
	given, taken, err := s.dec.decode(dst, s.raw, s.rawEnd)
	s.raw = s.raw[taken:]
	switch {
	case err != nil:
		s.err = err
	case s.rawEnd && len(s.raw) == 0 && s.err == nil:
		s.err = io.EOF
	}
	return given
}

// refill reads bytes to decode behind those left over, of which there are few.
func (s *source) refill() {
	if s.rawBuf == nil {
		s.rawBuf = make([]byte, readSize)
	}
	kept := copy(s.rawBuf, s.raw)
	n, err := s.r.Read(s.rawBuf[kept:])
	s.raw = s.rawBuf[:kept+max(n, 0)]
	switch {
	case errors.Is(err, io.EOF):
		s.rawEnd = true
	case err != nil:
		s.err = err
	}
}
