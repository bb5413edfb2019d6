package roster

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"doorsync/protocol"
)

// SourceRows are the sources that administrators added, and the office and the
// readers where keys were selected for them, by name.
func (r *Roster) SourceRows() []SourceRow {
	r.state.mu.RLock()
	defer r.state.mu.RUnlock()
	return byName(r.state.sources)
}

func byName(rows map[protocol.Source]SourceRow) []SourceRow {
	out := make([]SourceRow, 0, len(rows))
	for _, name := range slices.Sorted(maps.Keys(rows)) {
		row := rows[name]
		row.Keys, row.Settings = slices.Clone(row.Keys), slices.Clone(row.Settings)
		out = append(out, row)
	}
	return out
}

// AddSource adds a source. In the order it comes just above the readers.
func (r *Roster) AddSource(ctx context.Context, a Actor, row SourceRow) error {
	err := r.update(ctx, func(w *work) error {
		if err := row.check(); err != nil {
			return err
		}
		if builtIn(row.Name) {
			return fmt.Errorf("source %s: %w: it is built in", row.Name, ErrExists)
		}
		if _, ok := w.source(row.Name); ok {
			return fmt.Errorf("source %q: %w", row.Name, ErrExists)
		}
		row.Added, row.Runs, row.NextID = w.now.UnixMilli(), 0, 0
		if row.Gone == "" {
			row.Gone = GoneRemoveOnly
		}
		w.enterOrder(row.Name)
		row.Changed = w.meta.Revision
		w.note(a, protocol.EventOfficeChanged, nil, fmt.Sprintf("added source %s", row.Name))
		if err := w.putSource(row); err != nil {
			return err
		}
		return w.replan()
	})
	if err != nil {
		return fmt.Errorf("add source: %w", err)
	}
	return nil
}

// enterOrder puts a source above the readers. Nobody is computed anew, since it
// has said nothing, unless it has before.
func (w *work) enterOrder(name protocol.Source) {
	rules := w.meta.Rules
	at := max(slices.Index(rules.Order, protocol.SourceReaders), 0)
	rules.Order = slices.Insert(slices.Clone(rules.Order), at, name)
	if i := slices.Index(w.meta.Left, name); i >= 0 {
		w.meta.Left = slices.Delete(slices.Clone(w.meta.Left), i, i+1)
		w.reorder(rules)
		return
	}
	w.meta.Rules = rules
	w.resettle()
}

// SetSource changes what an administrator decides about a source: all but its
// name and kind. Of the office and the readers these are the keys; none are all
// that other sources use.
func (r *Roster) SetSource(ctx context.Context, a Actor, row SourceRow) error {
	err := r.update(ctx, func(w *work) error {
		if err := row.check(); err != nil {
			return err
		}
		old, ok := w.source(row.Name)
		if !ok && !builtIn(row.Name) {
			return notFound("source", string(row.Name))
		}
		next := old
		next.Name, next.Keys = row.Name, row.Keys
		if !builtIn(row.Name) {
			next.Gone, next.IDsFrom, next.Notify, next.Settings = row.Gone, row.IDsFrom, row.Notify, row.Settings
		}
		if next.IDsFrom != old.IDsFrom {
			next.NextID = 0
		}
		w.meta.Revision++
		next.Changed = w.meta.Revision
		w.note(a, protocol.EventOfficeChanged, nil, fmt.Sprintf("changed source %s", row.Name))
		if err := w.putSource(next); err != nil {
			return err
		}
		return w.replan()
	})
	if err != nil {
		return fmt.Errorf("change source: %w", err)
	}
	return nil
}

// source is a source as the transaction has it.
func (w *work) source(name protocol.Source) (SourceRow, bool) {
	if row, ok := w.sources[name]; ok {
		if row == nil {
			return SourceRow{}, false
		}
		return *row, true
	}
	row, ok := w.r.state.sources[name]
	return row, ok
}

// added is a source that an administrator added.
func (w *work) added(name protocol.Source) (SourceRow, error) {
	row, ok := w.source(name)
	if !ok || builtIn(name) {
		return SourceRow{}, notFound("source", string(name))
	}
	return row, nil
}

// sourcesNow are all sources as the transaction has them.
func (w *work) sourcesNow() map[protocol.Source]SourceRow {
	out := maps.Clone(w.r.state.sources)
	absorbPointers(out, w.sources)
	return out
}

func (w *work) putSource(row SourceRow) error {
	if w.sources == nil {
		w.sources = map[protocol.Source]*SourceRow{}
	}
	w.sources[row.Name] = &row
	return w.tx.PutSource(row)
}

func (w *work) dropSource(name protocol.Source) error {
	if w.sources == nil {
		w.sources = map[protocol.Source]*SourceRow{}
	}
	w.sources[name] = nil
	return w.tx.DropSource(name)
}

// check reports what is wrong with a source, all of it at once.
func (row SourceRow) check() error {
	var faults []string
	fault := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	name := string(row.Name)
	if name == "" || len(name) > 32 || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789_-") != "" {
		fault("the name %q: must be 1 to 32 of a-z, 0-9, _ and -", clip(name))
	}
	for _, k := range row.Keys {
		if !k.known() {
			fault("unknown key %q; there are %s and %sNAME", clip(string(k)), listed(keys()), protocol.CustomPrefix)
		}
	}
	gone := []Gone{GoneKeep, GoneRemoveOnly, GoneRemove, GoneDeactivateOnly, GoneDeactivate}
	if row.Gone != "" && !slices.Contains(gone, row.Gone) {
		fault("what becomes of users whom it no longer names is %s, not %q", listed(gone), clip(string(row.Gone)))
	}
	if row.IDsFrom > 1<<53 {
		fault("user IDs from %d: is too large", row.IDsFrom)
	}
	if len(faults) > 0 {
		return invalid("source %s: %s", clip(name), strings.Join(faults, "; "))
	}
	return nil
}

func keys() []Key {
	return []Key{KeySyncID, KeyEmail, KeyFullName, KeyUserID, KeyEmployeeNumber, KeyCredential}
}

func (k Key) known() bool {
	if strings.HasPrefix(string(k), protocol.CustomPrefix) {
		return protocol.Field(k).Known()
	}
	return slices.Contains(keys(), k)
}

func listed[S ~string](all []S) string {
	out := make([]string, len(all))
	for i, s := range all {
		out[i] = string(s)
	}
	return strings.Join(out, ", ")
}
