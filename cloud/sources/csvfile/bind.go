package csvfile

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"doorsync/protocol"
)

// binding is which column of a file is what.
type binding struct {
	columns []Column // Position is set on all, Header where the file has one
	header  []string // nil if the file has none
	count   int      // of cells that a row must have
	line    int      // of the header
	near    []int    // positions whose names are not quite the known ones
	notes   []string
}

// bind finds out whether there is a header and what the columns are.
func bind(p parsed, s *sample) (*binding, error) {
	known := newRecognizer()
	b := &binding{line: s.first}
	data := s.rows
	if p.header == "yes" || p.header == "" && isHeader(p, known, s.rows[0]) {
		b.header, b.count, data = s.rows[0], len(s.rows[0]), data[1:]
		if len(data) == 0 && s.whole {
			return nil, &Error{Wrong: "the file has a header, but no rows below it", Wanted: "one row for each person", Fatal: true}
		}
	} else {
		b.count, _ = usualCount(data)
	}
	switch {
	case len(p.columns) > 0:
		return b, b.byMapping(p.columns)
	case b.header == nil:
		return b, b.byOrder(p, data)
	}
	recognized := b.recognize(p, known)
	if recognized == 0 {
		b.notes = []string{"no name of the header is known; the columns are taken by their order"}
		return b, b.byOrder(p, data)
	}
	return b, b.byNames(p)
}

// isHeader tells a header from a person: it has names that are known, and neither
// numbers nor addresses.
func isHeader(p parsed, known recognizer, row []string) bool {
	if slices.ContainsFunc(p.columns, func(c Column) bool { return c.Position == 0 }) {
		return true
	}
	names, filled := 0, 0
	for _, cell := range row {
		if cell == "" {
			continue
		}
		if filled++; strings.Contains(cell, "@") || strings.Trim(cell, "0123456789") == "" {
			return false
		}
		if f, _ := known.field(cell); f != "" {
			names++
		}
	}
	return names >= 2 || names > 0 && names*2 >= filled
}

// byMapping takes the columns that were named.
func (b *binding) byMapping(columns []Column) error {
	var missing, hints []string
	taken := map[int]string{}
	for _, c := range columns {
		where := c.where()
		if c.Position == 0 {
			at, several := b.find(c.Header)
			switch {
			case several:
				return &Error{Line: b.line, Wrong: fmt.Sprintf("several columns are named %q", c.Header), Wanted: "a header with different names, or the column named by its position", Fatal: true}
			case at < 0:
				missing = append(missing, where)
				if near := nearest(c.Header, b.header); near != "" {
					hints = append(hints, fmt.Sprintf("%q may be what was %q", clip(near), c.Header))
				}
				continue
			}
			c.Position = at + 1
		} else if c.Position > b.count {
			missing = append(missing, where)
			continue
		}
		if other, ok := taken[c.Position]; ok {
			return fmt.Errorf("columns: %s and %s are the same column of the file", other, where)
		}
		taken[c.Position] = where
		b.columns = append(b.columns, b.titled(c))
	}
	if len(missing) > 0 {
		if slices.ContainsFunc(b.header, func(h string) bool { return strings.HasPrefix(showName(h), "(a") }) {
			hints = append(hints, "the first row looks like a person: did the header get lost?")
		}
		return &Error{
			Line: b.line, Fatal: true, Wrong: "the file lacks " + strings.Join(missing, ", ") + "; it has " + b.shape(),
			Wanted: strings.Join(append([]string{"every column that the source's settings name"}, hints...), "; "),
		}
	}
	return nil
}

// find looks for a name in the header: as it is written, or else whatever the
// case, blanks and hyphens.
func (b *binding) find(name string) (at int, several bool) {
	for _, same := range []func(string) bool{
		func(h string) bool { return h == strings.TrimSpace(name) },
		func(h string) bool { return normal(h) == normal(name) && normal(name) != "" },
	} {
		if at = slices.IndexFunc(b.header, same); at >= 0 {
			return at, slices.IndexFunc(b.header[at+1:], same) >= 0
		}
	}
	return -1, false
}

// titled gives a column the name that the file's header has for it.
func (b *binding) titled(c Column) Column {
	if c.Header = ""; b.header != nil {
		c.Header = b.header[c.Position-1]
	}
	return c
}

// recognize takes the columns whose names are known and returns their number.
func (b *binding) recognize(p parsed, known recognizer) int {
	exact := map[string]bool{}
	for _, h := range b.header {
		if f, near := known.field(h); f != "" && !near {
			exact[f] = true
		}
	}
	// Beside a first name, a name is a last name: Name, Vorname.
	last := string(protocol.FieldLastName)
	nameIsLast := exact[string(protocol.FieldFirstName)] && !exact[last]
	for i, h := range b.header {
		f, near := known.field(h)
		if f == "" || near && exact[f] {
			if h != "" {
				b.notes = append(b.notes, fmt.Sprintf("column %d (%s) is not read: its name is not known; to have it read, name it in the columns", i+1, showName(h)))
			}
			continue
		}
		if near {
			b.near = append(b.near, i+1)
		}
		if f == string(protocol.FieldName) && nameIsLast {
			f = last
		}
		b.columns = append(b.columns, b.titled(p.usualColumn(f, i+1)))
	}
	return len(b.columns)
}

// usualColumn makes a column of what names and the usual order know.
func (p parsed) usualColumn(field string, position int) Column {
	c := Column{Field: field}
	if field == headerID {
		c = p.id
	}
	c.Position = position
	return c
}

// byNames checks what was recognized.
func (b *binding) byNames(p parsed) error {
	has := map[string]int{}
	for _, c := range b.columns {
		kind, _ := kindOf(c.Field)
		if other := has[c.Field]; other > 0 && kind != cellCredential && kind != cellGroups {
			return &Error{
				Line: b.line, Fatal: true, Wrong: fmt.Sprintf("columns %d and %d both seem to be %s; the file has %s", other, c.Position, c.Field, b.shape()),
				Wanted: "the columns named in the source's settings, such as " + b.suggestion(),
			}
		}
		has[c.Field] = c.Position
	}
	if has[ColumnSyncID] == 0 && has[string(protocol.FieldEmail)] == 0 {
		return &Error{
			Line: b.line, Fatal: true, Wrong: "no column is known to be an e-mail address or a sync ID, one of which tells people apart; the file has " + b.shape(),
			Wanted: "a header such as First name, Last name, E-mail address, ID, Sync ID, or the columns named in the source's settings, such as " + b.suggestion(),
		}
	}
	for _, f := range usual()[:4] {
		field := p.usualColumn(f, 0).Field
		name := f == string(protocol.FieldFirstName) || f == string(protocol.FieldLastName)
		if has[field] == 0 && !(name && has[string(protocol.FieldName)] > 0) {
			b.notes = append(b.notes, fmt.Sprintf("the file has no column for %s: it says nothing about it", field))
		}
	}
	return nil
}

// byOrder takes the columns in the usual order, if that visibly fits.
func (b *binding) byOrder(p parsed, data [][]string) error {
	const wanted = "first name, last name, e-mail address, ID and optionally sync ID, in this order; or a header with known names; or the columns named in the source's settings, such as 1=first_name,2=last_name,3=email"
	order := usual()
	if b.count != len(order) && b.count != len(order)-1 {
		return &Error{Fatal: true, Wrong: "nothing says what the columns are, and the usual order has 4 or 5; the file has " + b.shape(), Wanted: wanted}
	}
	if wrong := b.misfit(data); wrong != "" {
		return &Error{Column: 3, Fatal: true, Wrong: wrong, Wanted: wanted}
	}
	for i := range b.count {
		b.columns = append(b.columns, b.titled(p.usualColumn(order[i], i+1)))
	}
	return nil
}

// misfit says why the usual order does not fit: the third column has e-mail
// addresses in half of the rows at most, not counting those where it is empty.
func (b *binding) misfit(data [][]string) string {
	filled, addresses := 0, make([]int, b.count)
	for _, row := range data {
		if len(row) != b.count {
			continue
		}
		if row[2] != "" {
			filled++
		}
		for i, cell := range row {
			if isEmail(cell) {
				addresses[i]++
			}
		}
	}
	if addresses[2]*2 > filled || filled == 0 && b.count == len(usual()) {
		return ""
	}
	wrong := fmt.Sprintf("the usual order has e-mail addresses here, but %d of %d rows do", addresses[2], filled)
	if i := slices.Index(addresses, slices.Max(addresses)); i != 2 && addresses[i] > 0 {
		wrong += fmt.Sprintf(" (column %d does in %d: is a column missing or out of place?)", i+1, addresses[i])
	}
	if b.header == nil {
		wrong += "; the first row was not taken for a header, since it has no names that are known"
	}
	return wrong
}

// shape says what columns the file has.
func (b *binding) shape() string {
	if b.header == nil {
		return fmt.Sprintf("%d columns and no header", b.count)
	}
	const most = 30
	var names []string
	for _, h := range b.header[:min(len(b.header), most)] {
		names = append(names, showName(h))
	}
	if len(b.header) > most {
		names = append(names, "…")
	}
	return fmt.Sprintf("%d columns: %s", len(b.header), strings.Join(names, ", "))
}

// showName shows a name of a header. What may be a person's number or address,
// because the file has no header after all, is not shown.
func showName(h string) string {
	switch {
	case strings.Contains(h, "@"):
		return "(an address)"
	case strings.ContainsAny(h, "0123456789") && !strings.ContainsFunc(h, func(r rune) bool { return r >= 'A' }):
		return "(a number)"
	}
	return clip(strings.Join(strings.Fields(h), " "))
}

// suggestion is what to write as columns, as far as it is known.
func (b *binding) suggestion() string {
	var out []string
	seen := map[string]bool{}
	for _, c := range b.columns {
		if !seen[c.Field] && c.Header != "" {
			out = append(out, Column{Header: c.Header, Field: c.Field, CardFormat: c.CardFormat, Notation: c.Notation}.String())
		}
		seen[c.Field] = true
	}
	if !seen[string(protocol.FieldEmail)] {
		out = append(out, "HEADER=email")
	}
	return strings.Join(out, ",")
}

// decoders are what reads the columns: values first by field, the rest by
// position.
func (b *binding) decoders(p parsed, comma byte) ([]cellDecoder, error) {
	f := p.Format
	if f.Split == "" {
		f.Split = defaultSplit(comma)
	}
	var out []cellDecoder
	for _, c := range b.columns {
		kind, err := kindOf(c.Field)
		if err != nil {
			return nil, err
		}
		d, err := c.decoder(kind, f)
		if err != nil {
			return nil, fmt.Errorf("columns: %s: %w", c.where(), err)
		}
		d.column = c.Position - 1
		out = append(out, d)
	}
	slices.SortStableFunc(out, func(a, b cellDecoder) int {
		return cmp.Or(cmp.Compare(a.field, b.field), cmp.Compare(a.column, b.column))
	})
	return out, nil
}
