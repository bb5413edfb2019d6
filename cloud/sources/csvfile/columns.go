package csvfile

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"doorsync/protocol"
)

// What a column may be besides a field of protocol.
const (
	ColumnActivatesAt = "activates_at"
	ColumnExpiresAt   = "expires_at"
	ColumnGroups      = "groups"
	ColumnSyncID      = "sync_id"
	ColumnLanguage    = "language"
	// Credentials are named by their kind: card, mobile, secure_credential,
	// access_on_card.
)

// Column says what one column of a file is.
type Column struct {
	Header   string // its name in the header; "" if it is named by position
	Position int    // counted from 1; 0 if it is named by header
	// Field is a field of protocol (first_name, custom:NAME …) or one of the
	// Columns above.
	Field string

	CardFormat string   // of credentials: number (the default), wiegand26 …
	Notation   string   // of credentials: decimal (the default), hex, facility:number
	Split      string   // of credentials and groups: as Format.Split
	Date       string   // of dates: as Format.Dates
	Zone       string   // of dates: as Format.Zone
	EndOfDay   bool     // of expires_at: the day itself is still allowed
	Yes, No    []string // words of state (active, inactive) and of yes and no
}

// ParseColumns reads Format.Columns: COLUMN=FIELD, separated by commas. COLUMN is
// the name in the header or, a bare number, the position counted from 1. What has
// a comma, a semicolon, an equals sign or nothing but digits in it stands in
// double quotes. FIELD may have options behind a colon, separated by semicolons:
//
//	Karte=card                            a card's bare number, decimal
//	Karte=card:hex                        in hexadecimal
//	Karte=card:facility:number            12:3456, one number of wiegand26
//	Karte=card:wiegand34;facility:number  the same of wiegand34
//	Handy=mobile                          a phone's number
//	Gruppen=groups:split=/                several in a cell, and between them a slash
//	Austritt=expires_at:dd.mm.yyyy;zone=Europe/Berlin;end-of-day
//	Status=state:active=A/aktiv;inactive=G/gesperrt
//	Schleuse=extended_grant:yes=X;no=-
//	Kostenstelle=custom:cost center
//
// All that is wrong is in the error, not only the first.
func ParseColumns(s string) ([]Column, error) {
	var out []Column
	var faults []error
	for _, item := range splitQuoted(s, ',') {
		if strings.TrimSpace(item) == "" {
			continue
		}
		c, err := parseColumn(item)
		if err != nil {
			faults = append(faults, fmt.Errorf("columns: %q: %w", strings.TrimSpace(item), err))
			continue
		}
		out = append(out, c)
	}
	return out, errors.Join(append(faults, checkColumns(out)...)...)
}

func parseColumn(item string) (Column, error) {
	parts := splitQuoted(item, '=')
	if len(parts) < 2 {
		return Column{}, errors.New("write COLUMN=FIELD, such as Vorname=first_name or 3=email")
	}
	var c Column
	name := strings.TrimSpace(parts[0])
	switch n, err := strconv.Atoi(name); {
	case name == "":
		return c, errors.New("no column is named before the equals sign")
	case err != nil:
		c.Header = unquote(name)
	case n < 1 || n > maxCells:
		return c, fmt.Errorf("there is no column %d; columns are counted from 1", n)
	default:
		c.Position = n
	}
	return c, c.parseField(strings.TrimSpace(strings.Join(parts[1:], "=")))
}

// parseField reads FIELD or FIELD:OPTION;OPTION….
func (c *Column) parseField(spec string) error {
	options := splitQuoted(spec, ';')
	field := strings.TrimSpace(options[0])
	if custom, ok := strings.CutPrefix(field, protocol.CustomPrefix); ok {
		if c.Field = protocol.CustomPrefix + unquote(strings.TrimSpace(custom)); c.Field == protocol.CustomPrefix {
			return errors.New("write custom: and the name of the value")
		}
		options = options[1:]
	} else {
		name, first, _ := strings.Cut(field, ":")
		c.Field, options[0] = strings.TrimSpace(name), first
	}
	kind, err := kindOf(c.Field)
	if err != nil {
		return err
	}
	for _, o := range options {
		if o = strings.TrimSpace(o); o == "" {
			continue
		}
		if err := c.option(kind, o); err != nil {
			return err
		}
	}
	_, err = c.decoder(kind, Format{})
	return err
}

// option takes one option, as far as the kind of field has such.
func (c *Column) option(kind cellKind, o string) error {
	key, value, assigned := strings.Cut(o, "=")
	key, value = strings.ToLower(strings.TrimSpace(key)), unquote(strings.TrimSpace(value))
	switch {
	case assigned && key == "split" && (kind == cellCredential || kind == cellGroups):
		c.Split = value
	case assigned && key == "zone" && kind.date():
		c.Zone = value
	case assigned && (key == "yes" || key == "active") && kind.words():
		c.Yes = strings.Split(value, "/")
	case assigned && (key == "no" || key == "inactive") && kind.words():
		c.No = strings.Split(value, "/")
	case assigned:
		return fmt.Errorf("%s has no option %s; %s", c.Field, key, kind.options())
	case key == "end-of-day" && kind == cellExpires:
		c.EndOfDay = true
	case kind.date():
		c.Date = unquote(o)
	case kind == cellCredential && slices.Contains(notations(), key):
		c.Notation = key
	case kind == cellCredential:
		c.CardFormat = unquote(o)
	default:
		return fmt.Errorf("%s has no option %q; %s", c.Field, o, kind.options())
	}
	return nil
}

// checkColumns looks for what contradicts itself.
func checkColumns(columns []Column) (faults []error) {
	seen := map[string]string{}
	for _, c := range columns {
		where := c.where()
		if other, ok := seen[where]; ok {
			faults = append(faults, fmt.Errorf("columns: %s is named twice, as %s and as %s", where, other, c.Field))
		}
		seen[where] = c.Field
	}
	clear(seen)
	for _, c := range columns {
		kind, _ := kindOf(c.Field)
		if other, ok := seen[c.Field]; ok && kind != cellCredential && kind != cellGroups {
			faults = append(faults, fmt.Errorf("columns: both %s and %s are %s, of which a person has one", other, c.where(), c.Field))
		}
		seen[c.Field] = c.where()
	}
	_, sync := seen[ColumnSyncID]
	_, email := seen[string(protocol.FieldEmail)]
	if len(columns) > 0 && !sync && !email {
		faults = append(faults, errors.New("columns: neither sync_id nor email is among them; one of the two tells people apart"))
	}
	return faults
}

// where names the column for people.
func (c Column) where() string {
	if c.Position > 0 {
		return fmt.Sprintf("column %d", c.Position)
	}
	return strconv.Quote(c.Header)
}

// String is the column as ParseColumns reads it.
func (c Column) String() string {
	name := strconv.Itoa(c.Position)
	if c.Position == 0 {
		name = quote(c.Header)
		if _, err := strconv.Atoi(name); err == nil {
			name = `"` + name + `"`
		}
	}
	return name + "=" + c.Spec()
}

// Spec is the field with its options, as ParseColumns reads it.
func (c Column) Spec() string {
	var options []string
	add := func(format string, set bool, args ...any) {
		if set {
			options = append(options, fmt.Sprintf(format, args...))
		}
	}
	add("%s", c.CardFormat != "", quote(c.CardFormat))
	add("%s", c.Notation != "", c.Notation)
	add("%s", c.Date != "", quote(c.Date))
	add("split=%s", c.Split != "", quote(c.Split))
	add("zone=%s", c.Zone != "", quote(c.Zone))
	add("end-of-day", c.EndOfDay)
	yes, no := "yes", "no"
	if c.Field == string(protocol.FieldState) {
		yes, no = "active", "inactive"
	}
	add("%s=%s", len(c.Yes) > 0, yes, quote(strings.Join(c.Yes, "/")))
	add("%s=%s", len(c.No) > 0, no, quote(strings.Join(c.No, "/")))
	if custom, ok := strings.CutPrefix(c.Field, protocol.CustomPrefix); ok {
		return strings.Join(append([]string{protocol.CustomPrefix + quote(custom)}, options...), ";")
	}
	if len(options) == 0 {
		return c.Field
	}
	return c.Field + ":" + strings.Join(options, ";")
}

// splitQuoted splits where a separator stands outside double quotes. There is
// always at least one part.
func splitQuoted(s string, sep byte) []string {
	var out []string
	from, inside := 0, false
	for i := range len(s) {
		switch {
		case s[i] == '"':
			inside = !inside
		case s[i] == sep && !inside:
			out = append(out, s[from:i])
			from = i + 1
		}
	}
	return append(out, s[from:])
}

// unquote takes the double quotes off, and makes two inside one.
func unquote(s string) string {
	if len(s) >= 2 && s[0] == '"' && s[len(s)-1] == '"' {
		return strings.ReplaceAll(s[1:len(s)-1], `""`, `"`)
	}
	return s
}

// quote puts in double quotes what ParseColumns would read otherwise.
func quote(s string) string {
	if s == "" || strings.ContainsAny(s, `",;="`) || strings.TrimSpace(s) != s {
		return `"` + strings.ReplaceAll(s, `"`, `""`) + `"`
	}
	return s
}
