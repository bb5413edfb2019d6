package csvfile

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Format says how a file is to be read. The zero Format has everything detected
// and takes the columns from the header, or where there is none in the order
// first name, last name, e-mail address, ID, and optionally sync ID.
type Format struct {
	// Columns says which column is what, as ParseColumns reads it:
	// "Vorname=first_name,3=email,Karte=card:wiegand26;facility:number".
	// Columns that it does not name are not read.
	Columns string `json:"columns,omitempty" yaml:"columns,omitempty"`
	// Header says whether the first row names the columns: "yes", "no", or
	// "detect", which "" means as well.
	Header string `json:"header,omitempty" yaml:"header,omitempty"`
	// Delimiter is "comma", "semicolon", "tab", "pipe" or the character itself;
	// "" or "detect".
	Delimiter string `json:"delimiter,omitempty" yaml:"delimiter,omitempty"`
	// Encoding is "utf-8", "utf-16", "utf-16le", "utf-16be" or "windows-1252"; ""
	// or "detect". A byte order mark is taken off in any case.
	Encoding string `json:"encoding,omitempty" yaml:"encoding,omitempty"`
	// Dates names the format of dates, such as "dd.mm.yyyy", "mm/dd/yyyy hh:mm",
	// "yyyy-mm-dd hh:mm:ss zone", for columns that name none of their own. "" is
	// yyyy-mm-dd, with or without time and zone.
	Dates string `json:"dates,omitempty" yaml:"dates,omitempty"`
	// Zone is the time zone of dates that say none, such as "Europe/Berlin"; ""
	// is UTC.
	Zone string `json:"zone,omitempty" yaml:"zone,omitempty"`
	// ID is what the column ID is where Columns names none: a field as in Columns,
	// such as "mobile" or "card:hex". "" is "card", a card's bare number.
	ID string `json:"id,omitempty" yaml:"id,omitempty"`
	// Split are the characters between several cards or groups in one cell, for
	// columns that name none of their own; "none" for one card or group a cell.
	// "" is "|", ";" and line breaks, less the delimiter.
	Split string `json:"split,omitempty" yaml:"split,omitempty"`
	// Active and Inactive are words for the two states besides those known in
	// English and German (active, yes, true, on, 1, aktiv, ja …).
	Active   []string `json:"active,omitempty" yaml:"active,omitempty"`
	Inactive []string `json:"inactive,omitempty" yaml:"inactive,omitempty"`
	// Yes and No are words of the columns antipassback_exempt and extended_grant
	// besides those known.
	Yes []string `json:"yes,omitempty" yaml:"yes,omitempty"`
	No  []string `json:"no,omitempty" yaml:"no,omitempty"`
}

// detect is the word for what is to be found out.
const detect = "detect"

// delimiters are the names of the delimiters, those more usual first.
func delimiters() []struct {
	name string
	char byte
} {
	return []struct {
		name string
		char byte
	}{{"comma", ','}, {"semicolon", ';'}, {"tab", '\t'}, {"pipe", '|'}}
}

// parsed is a Format that was found to be right.
type parsed struct {
	Format
	columns   []Column
	delimiter byte   // 0 to be detected
	encoding  string // "" to be detected
	header    string // "yes", "no", "" to be detected
	id        Column // what the ID of the usual order is
}

// Validate reports all that is wrong with the Format, without a file.
func (f Format) Validate() error {
	_, err := f.parse()
	return err
}

func (f Format) parse() (parsed, error) {
	p := parsed{Format: f, header: plainWord(f.Header), encoding: plainWord(f.Encoding)}
	var faults []error
	fault := func(err error) {
		if err != nil {
			faults = append(faults, err)
		}
	}
	var err error
	p.columns, err = ParseColumns(f.Columns)
	fault(err)
	if !slices.Contains([]string{"", "yes", "no"}, p.header) {
		fault(fmt.Errorf("header: %q is not known; write yes, no or detect", f.Header))
	}
	if p.header == "no" && slices.ContainsFunc(p.columns, func(c Column) bool { return c.Position == 0 }) {
		fault(errors.New("columns: a column is named by its header, but header is no; name it by its position, such as 3=email"))
	}
	p.delimiter, err = delimiterOf(f.Delimiter)
	fault(err)
	if p.encoding == "utf8" {
		p.encoding = encodingUTF8
	}
	if !slices.Contains([]string{"", encodingUTF8, encodingUTF16, encodingUTF16LE, encodingUTF16BE, encoding1252}, p.encoding) {
		fault(fmt.Errorf("encoding: %q is not known; write utf-8, utf-16, utf-16le, utf-16be, windows-1252 or detect", f.Encoding))
	}
	if err := p.id.parseField(orDefault(strings.TrimSpace(f.ID), "card")); err != nil {
		fault(fmt.Errorf("id: %w", err))
	} else if slices.Contains(usual(), p.id.Field) {
		fault(fmt.Errorf("id: %s has a column of its own", p.id.Field))
	}
	fault(p.checkRest())
	return p, errors.Join(faults...)
}

// checkRest looks at what columns take from the Format.
func (p parsed) checkRest() error {
	var faults []error
	check := func(name string, err error) {
		if err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", name, err))
		}
	}
	_, err := newDates(p.Dates, "", false)
	check("dates", err)
	_, err = newDates("", p.Zone, false)
	check("zone", err)
	_, err = newWords("active", "inactive", [2][]string{p.Active, p.Inactive})
	check("active", err)
	_, err = newWords("yes", "no", [2][]string{p.Yes, p.No})
	check("yes", err)
	check("split", checkSplit(p.Split))
	for _, c := range p.columns {
		check("columns: "+c.where(), checkSplit(c.Split))
	}
	return errors.Join(faults...)
}

// plainWord is a setting in lower case, empty for detect.
func plainWord(s string) string {
	if s = strings.ToLower(strings.TrimSpace(s)); s == detect {
		return ""
	}
	return s
}

func delimiterOf(s string) (byte, error) {
	for _, d := range delimiters() {
		if s == string(rune(d.char)) || plainWord(s) == d.name {
			return d.char, nil
		}
	}
	if plainWord(s) == "" && s != "\t" {
		return 0, nil
	}
	return 0, fmt.Errorf("delimiter: %q is not known; write comma, semicolon, tab, pipe or detect", s)
}

func delimiterName(c byte) string {
	for _, d := range delimiters() {
		if d.char == c {
			return d.name
		}
	}
	return string(rune(c))
}
