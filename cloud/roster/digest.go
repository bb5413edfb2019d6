package roster

import (
	"context"
	"fmt"
	"slices"

	"doorsync/protocol/wire"
)

// SiteDigest is what a caught-up site's digests should be at Revision.
func (r *Roster) SiteDigest(ctx context.Context, site string) (digest [wire.Buckets]wire.Sum, err error) {
	m, err := r.at(site, 1, 0)
	if err != nil {
		return digest, fmt.Errorf("digest: %w", err)
	}
	if m.scope.everything() {
		return r.commonDigest(ctx)
	}
	err = r.eachHead(ctx, func(u *UserRow) {
		if m.scope.sees(u) {
			digest[wire.Bucket(u.GUID)].Toggle(u.Sum)
		}
	})
	return digest, err
}

// commonDigest is over all users but conflicts. It is computed once, and then
// kept with every commit.
func (r *Roster) commonDigest(ctx context.Context) ([wire.Buckets]wire.Sum, error) {
	r.state.mu.RLock()
	held := r.state.digest
	if held != nil {
		defer r.state.mu.RUnlock()
		return *held, nil
	}
	r.state.mu.RUnlock()
	r.writing.Lock() // no commit in between
	defer r.writing.Unlock()
	var d [wire.Buckets]wire.Sum
	if err := r.eachHead(ctx, func(u *UserRow) { toggle(&d, u) }); err != nil {
		return d, err
	}
	r.state.mu.Lock()
	defer r.state.mu.Unlock()
	r.state.digest = &d
	return d, nil
}

func (r *Roster) eachHead(ctx context.Context, fn func(*UserRow)) error {
	err := r.store.View(ctx, func(v View) error {
		if err := v.Heads("", "", func(u *UserRow) bool { fn(u); return ctx.Err() == nil }); err != nil {
			return err
		}
		return ctx.Err()
	})
	if err != nil {
		return fmt.Errorf("digest: %w", err)
	}
	return nil
}

// maxMend bounds what one answer puts right, in bytes.
const maxMend = 90 << 10

// Mend compares the users of some buckets, as the site holds them at
// d.Revision, and returns what puts them right: Changes with Mend set, without
// Users when all agree. More says that another round is needed.
func (r *Roster) Mend(ctx context.Context, site string, d wire.Digest) (wire.Changes, error) {
	m, err := r.at(site, 1, 0)
	if err != nil {
		return wire.Changes{}, fmt.Errorf("mend: %w", err)
	}
	out := wire.Changes{
		Roster: m.meta.Roster, From: d.Revision, To: d.Revision, Epoch: m.site.Epoch, Stamp: m.meta.Clock, Mend: true,
	}
	if d.Revision > m.meta.Revision || d.Revision < m.site.Scope {
		return out, nil // a snapshot is due, which mends all
	}
	if out.Users, out.More, err = r.differing(ctx, &m.scope, d); err != nil {
		return wire.Changes{}, fmt.Errorf("mend site %s: %w", site, err)
	}
	return out, nil
}

// differing are the users that the site lacks, holds otherwise or should not
// hold. What has changed since its revision it gets anyway.
func (r *Roster) differing(ctx context.Context, s *scope, d wire.Digest) (users []wire.Change, more bool, err error) {
	left := make(map[string]bool, len(d.Users))
	for guid := range d.Users {
		left[guid] = true
	}
	size := 0
	err = r.store.View(ctx, func(v View) error {
		return v.UsersFrom("", func(u *UserRow) bool {
			if !slices.Contains(d.Of, wire.Bucket(u.GUID)) {
				return true
			}
			delete(left, u.GUID)
			held, has := d.Users[u.GUID]
			sees := s.sees(u)
			same := has && string(held) == string(u.Sum[:]) && (sees || u.Removed != 0) // tombstones may be held
			if u.Revision > d.Revision || same || (!has && !sees) {
				return true
			}
			c := s.change(u)
			if size += changeSize(&c); size > maxMend && len(users) > 0 {
				more = true
				return false
			}
			users = append(users, c)
			return ctx.Err() == nil
		})
	})
	if err != nil || more {
		return users, more, err
	}
	for guid := range left {
		users = append(users, wire.Change{GUID: guid, Gone: true})
	}
	slices.SortFunc(users, func(a, b wire.Change) int { return compareSiteID(siteID{id: a.GUID}, siteID{id: b.GUID}) })
	return users, false, ctx.Err()
}
