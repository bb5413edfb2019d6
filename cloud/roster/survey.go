package roster

import (
	"context"
	"fmt"
	"slices"

	"doorsync/protocol"
)

// Survey is a snapshot of whom a source names and of who has which global keys,
// by which an import is planned.
type Survey struct {
	r        *Roster
	v        View
	source   protocol.Source
	revision uint64
	plan     *keyPlan
}

// Survey runs fn over a snapshot. It completes the index of global keys before,
// if that is still being made. Nothing of the Survey may be used after fn.
func (r *Roster) Survey(ctx context.Context, s protocol.Source, fn func(*Survey) error) error {
	if err := r.Reindex(ctx); err != nil {
		return err
	}
	err := r.store.View(ctx, func(v View) error {
		m, _, err := v.Meta()
		if err != nil {
			return err
		}
		rows, err := v.SourceRows()
		if err != nil {
			return err
		}
		known := map[protocol.Source]SourceRow{}
		for _, row := range rows {
			known[row.Name] = row
		}
		if _, ok := known[s]; !ok || builtIn(s) {
			return notFound("source", string(s))
		}
		return fn(&Survey{r: r, v: v, source: s, revision: m.Revision, plan: planOf(known)})
	})
	if err != nil {
		return fmt.Errorf("survey source %s: %w", s, err)
	}
	return nil
}

// Revision is that of the snapshot.
func (s *Survey) Revision() uint64 { return s.revision }

// Named are all whom the source names or has named after an identity, in order
// of identity. fn returns false to stop.
func (s *Survey) Named(after Identity, fn func(SourceUser) bool) error {
	return s.v.Named(s.source, after, fn)
}

// NamedOne is one of them.
func (s *Survey) NamedOne(id Identity) (SourceUser, bool, error) {
	return s.v.NamedOne(s.source, id)
}

// NamedBy are the source's rows that name a user, absent ones included, by
// identity.
func (s *Survey) NamedBy(guid string) ([]SourceUser, error) {
	all, err := s.v.NamedBy(guid)
	var out []SourceUser
	for _, n := range all {
		if n.Source == s.source {
			out = append(out, n.SourceUser)
		}
	}
	return out, err
}

// Keys are the rows of the index from a hash on, in order. fn returns false to
// stop.
func (s *Survey) Keys(from KeyHash, fn func(KeyRow) bool) error { return s.v.Keys(from, fn) }

// KeyHolders are the GUIDs of those who may have a value of a key.
func (s *Survey) KeyHolders(k KeyHash) ([]string, error) { return s.v.KeyHolders(k) }

// Candidate is the user, or whom it was merged into, if it has the value of the
// key by a source's word; false if it has not, was deleted or is in conflict.
func (s *Survey) Candidate(guid string, k Key, value string) (Candidate, bool, error) {
	row, ok, err := s.v.User(guid)
	for range 64 {
		if err != nil || !ok || row.MergedInto == "" {
			break
		}
		row, ok, err = s.v.User(row.MergedInto)
	}
	if err != nil || !ok || s.plan == nil || !row.sought() {
		return Candidate{}, false, err
	}
	u, err := decodeUser(s.r.codec, row)
	if err != nil {
		return Candidate{}, false, err
	}
	found, own, err := s.has(u, k, value)
	if err != nil || !found {
		return Candidate{}, false, err
	}
	return Candidate{GUID: row.GUID, UserID: u.record.UserID(), Name: nameOf(u.record), By: k, Own: own}, true, nil
}

// has tells whether a user has a value, and whether only the source's own word
// says so.
func (s *Survey) has(u *user, k Key, value string) (found, own bool, err error) {
	want := keyValue{k, Fold(value)}
	if want.value == "" {
		return false, false, nil
	}
	if k == KeySyncID {
		found, err = s.hasSyncID(u.row.GUID, IdentityOf(value))
		return found, false, err
	}
	ids, err := idsOf(s.v, u.row.GUID)
	if err != nil {
		return false, false, err
	}
	if !slices.Contains(s.plan.values(u.contributions, ids), want) {
		return false, false, nil
	}
	return true, !slices.Contains(s.plan.values(without(u.contributions, s.source), nil), want), nil
}

// hasSyncID holds a sync ID against those of other sources: within one it tells
// people apart.
func (s *Survey) hasSyncID(guid string, id Identity) (bool, error) {
	rows, err := s.v.NamedBy(guid)
	for _, n := range rows {
		if n.Source != s.source && n.Identity == id && slices.Contains(s.plan.of[n.Source], KeySyncID) {
			return true, nil
		}
	}
	return false, err
}
