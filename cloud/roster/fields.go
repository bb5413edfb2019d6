package roster

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"doorsync/protocol"
)

// FieldReader reads the definitions of custom values.
type FieldReader interface {
	FieldRows() ([]protocol.Custom, error) // by name
}

// FieldWriter writes them.
type FieldWriter interface {
	PutFieldRow(c protocol.Custom) error
	DropFieldRow(f protocol.Field) error
}

// Fields are the custom values that are defined, by name.
func (r *Roster) Fields() []protocol.Custom {
	r.state.mu.RLock()
	defer r.state.mu.RUnlock()
	out := make([]protocol.Custom, 0, len(r.state.fields))
	for _, f := range slices.Sorted(maps.Keys(r.state.fields)) {
		c := r.state.fields[f]
		c.Choices = slices.Clone(c.Choices)
		out = append(out, c)
	}
	return out
}

// PutField defines a custom value, or defines it otherwise. What users have of it
// already stays as it is, until it is next set.
func (r *Roster) PutField(ctx context.Context, a Actor, c protocol.Custom) error {
	c.Title, c.Choices = strings.TrimSpace(c.Title), slices.Clone(c.Choices)
	err := r.update(ctx, func(w *work) error {
		if err := c.Valid(); err != nil {
			return invalid("%w", err)
		}
		w.fields = map[protocol.Field]*protocol.Custom{c.Field: &c}
		w.note(a, protocol.EventOfficeChanged, nil, fmt.Sprintf("custom value %s: %s", c.Field, c.Type))
		return w.tx.PutFieldRow(c)
	})
	if err != nil {
		return fmt.Errorf("define custom value: %w", err)
	}
	return nil
}

// DropField ends a definition. What users have of the value stays, and can be
// withdrawn or held blank, but no longer set.
func (r *Roster) DropField(ctx context.Context, a Actor, f protocol.Field) error {
	err := r.update(ctx, func(w *work) error {
		if _, ok := w.r.state.fields[f]; !ok {
			return notFound("custom value", string(f))
		}
		if err := w.unused(f); err != nil {
			return err
		}
		w.fields = map[protocol.Field]*protocol.Custom{f: nil}
		w.note(a, protocol.EventOfficeChanged, nil, fmt.Sprintf("custom value %s is no longer defined", f))
		return w.tx.DropFieldRow(f)
	})
	if err != nil {
		return fmt.Errorf("drop custom value: %w", err)
	}
	return nil
}

// unused says by what a custom value is needed.
func (w *work) unused(f protocol.Field) error {
	_, over := w.meta.Rules.Overrides[f]
	if _, settled := w.meta.Rules.SettleBy[f]; over || settled {
		return invalid("%s has an order of sources of its own; take it out of the order first", f)
	}
	rows, err := w.tx.SourceRows()
	if err != nil {
		return err
	}
	for _, row := range rows {
		if slices.Contains(row.Keys, Key(f)) {
			return invalid("%s is a global key of source %s; select other keys there first", f, row.Name)
		}
	}
	return nil
}

// CheckField reports why the office or an import cannot set a value. NULL, which
// says nothing, can always be said. Records of readers are not held to this: what
// a site sends must not be lost for want of a definition.
func (r *Roster) CheckField(f protocol.Field, v protocol.Value) error {
	r.state.mu.RLock()
	defer r.state.mu.RUnlock()
	return checkField(r.state.fields, f, v)
}

func checkField(defined map[protocol.Field]protocol.Custom, f protocol.Field, v protocol.Value) error {
	v = v.Trimmed()
	switch c, ok := defined[f]; {
	case !f.Known():
		return invalid("there is no value %q", clip(string(f)))
	case v.IsNull():
		return nil
	case ok:
		if err := c.Check(v); err != nil {
			return invalid("%w", err)
		}
	case !slices.Contains(protocol.Fields(), f):
		return invalid("%s is not defined; %s", clip(string(f)), hint(defined, f))
	}
	if why := checkValue(f, v); why != "" {
		return invalid("%s: %s", f, why)
	}
	return nil
}

// hint names the defined value that somebody may have meant.
func hint(defined map[protocol.Field]protocol.Custom, f protocol.Field) string {
	nearest, least := protocol.Field(""), 0
	for _, d := range slices.Sorted(maps.Keys(defined)) {
		if n := distance(strings.ToLower(string(f)), string(d)); nearest == "" || n < least {
			nearest, least = d, n
		}
	}
	if nearest == "" {
		return "no custom value is; define it first"
	}
	return fmt.Sprintf("define it first, or write %s if that is meant", nearest)
}

// distance is how many letters must be put in, left out or changed to make one
// word of the other.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		above := row[0]
		row[0] = i + 1
		for j := range len(b) {
			changed := above
			if a[i] != b[j] {
				changed++
			}
			above = row[j+1]
			row[j+1] = min(changed, row[j]+1, above+1)
		}
	}
	return row[len(b)]
}

// checkCustom holds what the office sets against the definitions.
func (w *work) checkCustom(p Patch) error {
	var faults []string
	for _, f := range slices.Sorted(maps.Keys(p.Set)) {
		if err := checkField(w.r.state.fields, f, p.Set[f]); err != nil {
			faults = append(faults, strings.TrimPrefix(err.Error(), ErrInvalid.Error()+": "))
		}
	}
	if len(faults) > 0 {
		return invalid("%s", strings.Join(faults, "; "))
	}
	return nil
}

func (s *state) loadFields(v View) error {
	rows, err := v.FieldRows()
	s.fields = make(map[protocol.Field]protocol.Custom, len(rows))
	for _, c := range rows {
		s.fields[c.Field] = c
	}
	return err
}
