package roster

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// group is a group by its known spelling: people write one name in several ways.
// One that nobody knew is known from now on as it is written.
func (w *work) group(name string) (string, error) {
	name = strings.TrimSpace(name)
	folded := Fold(name)
	if known, ok := w.groups[folded]; ok {
		return known, nil
	}
	if known, ok := w.r.state.groups[folded]; ok {
		return known, nil
	}
	if w.groups == nil {
		w.groups = map[string]string{}
	}
	w.groups[folded] = name
	if err := w.written(); err != nil {
		return "", err
	}
	return name, w.tx.PutGroup(name)
}

// know notes groups that somebody named.
func (w *work) know(groups []string) error {
	for _, g := range groups {
		if _, err := w.group(g); err != nil {
			return err
		}
	}
	return nil
}

// gatherGroups finds the groups of a roster written before they were kept.
func (r *Roster) gatherGroups(ctx context.Context) error {
	found := map[string]bool{}
	err := r.store.View(ctx, func(v View) error {
		sites, err := v.Sites()
		if err != nil {
			return err
		}
		for _, s := range sites {
			for _, g := range slices.Concat(s.Groups, s.SaidGroups) {
				found[g] = true
			}
		}
		return v.Heads("", "", func(u *UserRow) bool {
			for _, g := range u.Groups {
				found[g] = true
			}
			return true
		})
	})
	if err != nil {
		return fmt.Errorf("gather groups: %w", err)
	}
	return r.update(ctx, func(w *work) error {
		w.meta.Groups = true
		return w.know(slices.Sorted(maps.Keys(found)))
	})
}
