package zk

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
)

// charset is the code page of a terminal's names.
type charset interface {
	encodeRune(r rune) ([]byte, bool)
	decode(b []byte) string
}

func newCharset(name string) (charset, error) {
	pages := map[string]encoding.Encoding{
		"gb18030": simplifiedchinese.GB18030, "gbk": simplifiedchinese.GBK, "gb2312": simplifiedchinese.GBK, "big5": traditionalchinese.Big5,
		"windows-1250": charmap.Windows1250, "windows-1251": charmap.Windows1251, "windows-1252": charmap.Windows1252,
		"windows-1253": charmap.Windows1253, "windows-1254": charmap.Windows1254, "windows-1255": charmap.Windows1255,
		"windows-1256": charmap.Windows1256, "windows-1257": charmap.Windows1257, "windows-1258": charmap.Windows1258,
		"iso-8859-1": charmap.ISO8859_1,
	}
	name = strings.ToLower(name)
	if name == "utf-8" {
		return utf8Charset{}, nil
	}
	if e, ok := pages[name]; ok {
		return pageCharset{e}, nil
	}
	known := append(slices.Sorted(maps.Keys(pages)), "utf-8")
	return nil, fmt.Errorf("%s: %q is none of %s", optionCharset, name, strings.Join(known, ", "))
}

type utf8Charset struct{}

func (utf8Charset) encodeRune(r rune) ([]byte, bool) {
	return utf8.AppendRune(nil, r), r != utf8.RuneError
}

// decode reads names as UTF-8, and as Windows-1252 where they cannot be that: a
// name typed on a western terminal is then readable all the same. A rune that
// the terminal cut at the end is left off.
func (utf8Charset) decode(b []byte) string {
	for cut := range min(utf8.UTFMax, len(b)+1) {
		if head := b[:len(b)-cut]; utf8.Valid(head) && (cut == 0 || !utf8.FullRune(b[len(b)-cut:])) {
			return string(head)
		}
	}
	return pageCharset{charmap.Windows1252}.decode(b)
}

type pageCharset struct{ page encoding.Encoding }

func (c pageCharset) encodeRune(r rune) ([]byte, bool) {
	b, err := c.page.NewEncoder().Bytes(utf8.AppendRune(nil, r))
	return b, err == nil
}

func (c pageCharset) decode(b []byte) string {
	s, err := c.page.NewDecoder().Bytes(b)
	if err != nil {
		return strings.ToValidUTF8(string(b), "?")
	}
	return string(s)
}

// fit is a name in the form that a terminal can hold.
type fit struct {
	bytes []byte
	name  string // as it is read back
	cut   bool   // it was too long
	lost  bool   // it has characters that the code page lacks
}

// fitName encodes a name and cuts it between characters to at most room bytes.
func fitName(c charset, name string, room int) fit {
	var f fit
	for _, r := range strings.TrimSpace(name) {
		if unicode.IsControl(r) {
			f.lost = true
			continue
		}
		b, ok := c.encodeRune(r)
		if !ok {
			b, f.lost = []byte{'?'}, true
		}
		if len(f.bytes)+len(b) > room {
			f.cut = true
			break
		}
		f.bytes = append(f.bytes, b...)
	}
	f.name = strings.TrimSpace(c.decode(f.bytes))
	for len(f.bytes) > 0 && f.bytes[len(f.bytes)-1] == ' ' {
		f.bytes = f.bytes[:len(f.bytes)-1]
	}
	return f
}
