package roster

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"
)

// SpillAt lets imports write their users whenever there are n.
func (r *Roster) SpillAt(n int) { r.spillAt = n }

// Check folds everybody anew, and holds the indexes against the users. What is
// stored must be what was contributed, whatever happened.
func (r *Roster) Check(ctx context.Context) error {
	return r.store.View(ctx, func(v View) error {
		m, _, err := v.Meta()
		if err != nil {
			return err
		}
		var guids []string
		revisions := map[uint64]string{}
		var bad error
		err = v.UsersFrom("", func(u *UserRow) bool {
			guids = append(guids, u.GUID)
			if twice := revisions[u.Revision]; twice != "" || u.Revision > m.Revision {
				bad = fmt.Errorf("revision %d of %d is of users %s and %s", u.Revision, m.Revision, twice, u.GUID)
			}
			revisions[u.Revision] = u.GUID
			return bad == nil
		})
		if err = cmp.Or(bad, err); err != nil {
			return err
		}
		for _, guid := range guids {
			row, _, err := v.User(guid)
			if err == nil {
				err = r.checkUser(v, row)
			}
			if err != nil {
				return fmt.Errorf("user %s: %w", guid, err)
			}
		}
		return nil
	})
}

func (r *Roster) checkUser(v View, row UserRow) error {
	u, err := decodeUser(r.codec, row)
	if err != nil || !row.live() {
		return err
	}
	if u.ids, err = idsOf(v, row.GUID); err != nil {
		return err
	}
	keys := u.keys
	u.fold(r.Rules())
	if b, err := r.codec.Marshal(u.record); err != nil || !bytes.Equal(b, row.Record) {
		return fmt.Errorf("folded anew the record differs (%w)", err)
	}
	if !slices.Equal(keys, u.keys) {
		return fmt.Errorf("folded anew the credentials differ")
	}
	if row.Site == "" && !u.finds(u.record.UserID()) {
		return fmt.Errorf("its user ID %q does not find it", u.record.UserID())
	}
	for _, k := range u.keys {
		if _, held := u.held(k); !held {
			continue
		}
		if guid, ok, err := v.Holder(k); err != nil || !ok || guid != row.GUID {
			return fmt.Errorf("holds %s, which the index says user %q does (%w)", k, guid, err)
		}
	}
	return r.checkKeys(v, u)
}

func (r *Roster) checkKeys(v View, u *user) error {
	if r.state.keys == nil || !u.row.sought() || r.Reindexing() {
		return nil
	}
	for _, value := range r.state.keys.values(u.contributions, u.ids) {
		guids, err := v.KeyHolders(value.hash())
		if err != nil || !slices.Contains(guids, u.row.GUID) {
			return fmt.Errorf("%s %q does not find it (%w)", value.key, value.value, err)
		}
	}
	return nil
}

// ReindexOnce looks at some users only.
func (r *Roster) ReindexOnce(ctx context.Context) error { return r.update(ctx, (*work).reindex) }

// ForgetGroups makes the roster one whose groups were never gathered.
func (r *Roster) ForgetGroups(ctx context.Context) error {
	return r.update(ctx, func(w *work) error { w.meta.Groups = false; return nil })
}

// Known is the spelling by which memory knows a group.
func (r *Roster) Known(group string) string { return r.state.groups[Fold(group)] }
