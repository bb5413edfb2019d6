package csvfile

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"doorsync/protocol"
)

// Bounds of values, in bytes.
const (
	maxText  = 4096
	maxID    = 64 // of user IDs and groups, as the roster has it
	maxEmail = 254
	maxPIN   = 16
)

// What antipassback_exempt and extended_grant say.
const (
	flagEnabled  = "enabled"
	flagDisabled = "disabled"
)

// cellDecoder reads the cells of one column of the file.
type cellDecoder struct {
	column int // counted from 0
	kind   cellKind
	field  protocol.Field // "" for what is no value
	name   string         // of the column, for errors
	split  string
	dates  *dates
	cards  *cards
	words  *words
}

// decoder makes what reads the column's cells. What the column does not say itself
// the Format says.
func (c *Column) decoder(kind cellKind, f Format) (d cellDecoder, err error) {
	d = cellDecoder{kind: kind, field: fieldOf(c.Field), name: orDefault(c.Header, c.Field), split: orDefault(c.Split, f.Split)}
	switch {
	case kind.date():
		d.dates, err = newDates(orDefault(c.Date, f.Dates), orDefault(c.Zone, f.Zone), c.EndOfDay)
	case kind == cellCredential:
		d.cards, err = newCards(protocol.Kind(c.Field), c.CardFormat, c.Notation, d.split)
	case kind == cellState:
		d.words, err = newWords(protocol.StateActive, protocol.StateInactive, [2][]string{c.Yes, c.No}, [2][]string{f.Active, f.Inactive})
	case kind == cellFlag:
		d.words, err = newWords(flagEnabled, flagDisabled, [2][]string{c.Yes, c.No}, [2][]string{f.Yes, f.No})
	}
	return d, err
}

// words reads cells that say one thing or its opposite.
type words struct {
	yes, no string // what the value becomes
	lists   [][2][]string
}

// newWords takes lists of words, of which the first that has a word decides; those
// that everybody knows come last.
func newWords(yes, no string, lists ...[2][]string) (*words, error) {
	for _, l := range lists {
		for _, w := range l[0] {
			if hasWord(l[1], w) {
				return nil, fmt.Errorf("the word %q stands for both %s and %s", w, yes, no)
			}
		}
	}
	known := [2][]string{
		{"active", "enabled", "yes", "y", "true", "on", "1", "aktiv", "aktiviert", "ja", "j", "wahr", "an", "ein"},
		{"inactive", "disabled", "no", "n", "false", "off", "0", "inaktiv", "deaktiviert", "nein", "falsch", "aus", "blocked", "gesperrt"},
	}
	return &words{yes: yes, no: no, lists: append(lists, known)}, nil
}

func hasWord(list []string, w string) bool {
	return slices.ContainsFunc(list, func(l string) bool { return strings.EqualFold(strings.TrimSpace(l), w) })
}

func (w *words) read(s string) string {
	for _, l := range w.lists {
		if hasWord(l[0], s) {
			return w.yes
		}
		if hasWord(l[1], s) {
			return w.no
		}
	}
	return ""
}

func (w *words) wanted() string {
	for _, l := range w.lists {
		if len(l[0])+len(l[1]) > 0 {
			return fmt.Sprintf("one of %s (%s), or %s (%s)", strings.Join(l[0], ", "), w.yes, strings.Join(l[1], ", "), w.no)
		}
	}
	return w.yes + " or " + w.no
}

// fault is what is wrong with a cell.
type fault struct{ wrong, wanted string }

// value reads a cell that is one value by itself; the text is trimmed and not
// empty.
func (d *cellDecoder) value(s string) (protocol.Value, *fault) {
	switch d.kind {
	case cellEmail:
		if !isEmail(s) {
			return protocol.Value{}, &fault{"this is no e-mail address", "one e-mail address, such as name@example.org"}
		}
	case cellUserID:
		return protocol.Value{First: s}, checkID(s, "a user ID")
	case cellPIN:
		if len(s) > maxPIN || strings.Trim(s, "0123456789") != "" {
			return protocol.Value{}, &fault{"this is no PIN", fmt.Sprintf("at most %d digits", maxPIN)}
		}
	case cellState, cellFlag:
		v := d.words.read(s)
		if v == "" {
			return protocol.Value{}, &fault{"this word is not known", d.words.wanted()}
		}
		return protocol.Value{First: v}, nil
	default:
		if len(s) > maxText {
			return protocol.Value{}, &fault{"the text is too long", fmt.Sprintf("at most %d bytes", maxText)}
		}
	}
	return protocol.Value{First: s}, nil
}

// isEmail takes everything that mail servers might, and refuses lists, names in
// front, and what is no address at all.
func isEmail(s string) bool {
	at, ats, ascii := 0, 0, true
	for i := range len(s) {
		switch c := s[i]; {
		case c >= utf8.RuneSelf:
			ascii = false
		case c == '@':
			at, ats = i, ats+1
		case c <= ' ' || c == 0x7f || c == ',' || c == ';' || c == '<' || c == '>':
			return false
		}
	}
	return ats == 1 && at > 0 && at < len(s)-1 && len(s) <= maxEmail && (ascii || !strings.ContainsFunc(s, unicode.IsSpace))
}

// checkID holds the roster's bounds of user IDs and names of groups.
func checkID(s, what string) *fault {
	if len(s) > maxID || strings.ContainsFunc(s, unicode.IsControl) {
		return &fault{"this is not " + what, fmt.Sprintf("%s of at most %d bytes without control characters", what, maxID)}
	}
	return nil
}

// readLanguage takes a tag such as de or de-AT, and writes it in the usual case.
func readLanguage(s string) (string, *fault) {
	s = strings.ReplaceAll(s, "_", "-")
	parts := strings.Split(s, "-")
	for i, part := range parts {
		ok := len(part) >= 1 && len(part) <= 8 && strings.ContainsFunc(part, isAlphanumeric) && !strings.ContainsFunc(part, func(r rune) bool { return !isAlphanumeric(r) })
		if i == 0 {
			ok = ok && (len(part) == 2 || len(part) == 3) && strings.Trim(part, "0123456789") == part
		}
		if !ok {
			return "", &fault{"this is no language", "a language tag, such as en or de-AT"}
		}
		switch parts[i] = strings.ToLower(part); {
		case i > 0 && len(part) == 2:
			parts[i] = strings.ToUpper(part)
		case i > 0 && len(part) == 4:
			parts[i] = strings.ToUpper(part[:1]) + parts[i][1:]
		}
	}
	return strings.Join(parts, "-"), nil
}

func isAlphanumeric(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
}

// noSplit is the word for one element a cell.
const noSplit = "none"

// defaultSplit are the characters between several elements in one cell where
// nobody names others.
func defaultSplit(delimiter byte) string {
	return strings.ReplaceAll("|;\n", string(rune(delimiter)), "")
}

// each calls fn with every element of a cell that may have several, trimmed.
func (d *cellDecoder) each(s string, fn func(string) *fault) *fault {
	if d.split == noSplit {
		return fn(s)
	}
	for s != "" {
		part, rest := s, ""
		if i := d.next(s); i >= 0 {
			part, rest = s[:i], s[i+1:]
		}
		s = rest
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		if f := fn(part); f != nil {
			return f
		}
	}
	return nil
}

// next is where the first separator stands, -1 if none does.
func (d *cellDecoder) next(s string) int {
	for i := range len(s) {
		for j := range len(d.split) {
			if s[i] == d.split[j] {
				return i
			}
		}
	}
	return -1
}

// checkSplit reports separators that take numbers and names apart.
func checkSplit(split string) error {
	if split == noSplit {
		return nil
	}
	for _, r := range split {
		if r >= 0x80 || isAlphanumeric(r) || r == '"' {
			return errors.New("what stands between several cards or groups must be one of the usual separators, such as | or /, or the word none")
		}
	}
	return nil
}

func checkSyncID(s string) *fault {
	if len(s) > maxText || strings.ContainsFunc(s, unicode.IsControl) {
		return &fault{"this is no sync ID", fmt.Sprintf("at most %d bytes without control characters", maxText)}
	}
	return nil
}

func (d *cellDecoder) date(s string) (time.Time, *fault) {
	t, ok := d.dates.read(s)
	if !ok {
		return t, &fault{"this is no date in the format that is set", d.dates.wanted()}
	}
	return t, nil
}

func (d *cellDecoder) groups(row *Row, s string) *fault {
	return d.each(s, func(g string) *fault {
		if f := checkID(g, "a group"); f != nil {
			return f
		}
		if !slices.Contains(row.Groups, g) {
			row.Groups = append(row.Groups, g)
		}
		return nil
	})
}

func (d *cellDecoder) credentials(row *Row, s string) *fault {
	return d.each(s, func(number string) *fault {
		c, wrong := d.cards.read(number)
		if wrong != "" {
			return &fault{wrong, d.cards.wanted()}
		}
		same := func(o protocol.Credential) bool {
			return o.Kind == c.Kind && o.Format == c.Format && o.Number == c.Number
		}
		if !slices.ContainsFunc(row.Credentials, same) {
			row.Credentials = append(row.Credentials, c)
		}
		return nil
	})
}
