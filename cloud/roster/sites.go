package roster

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"maps"
	"slices"
	"time"

	"doorsync/protocol"
	"doorsync/protocol/wire"
)

// AddSite adds a site and returns its key, which is not stored and cannot be
// shown again.
func (r *Roster) AddSite(ctx context.Context, a Actor, name string, s SiteSettings) (key string, err error) {
	err = r.update(ctx, func(w *work) error {
		if err := wire.ValidSite(name); err != nil {
			return invalid("%w", err)
		}
		if _, ok := w.r.state.sites[name]; ok {
			return fmt.Errorf("site %q: %w", name, ErrExists)
		}
		row := &SiteRow{Name: name}
		w.sites[name] = row
		if err := s.apply(row); err != nil {
			return err
		}
		key = newKey(row)
		w.note(a, protocol.EventOfficeChanged, nil, "added site "+name)
		return nil
	})
	if err != nil {
		return "", fmt.Errorf("add site: %w", err)
	}
	return key, nil
}

// RenewKey gives a site a new key; the old one no longer works.
func (r *Roster) RenewKey(ctx context.Context, a Actor, name string) (key string, err error) {
	err = r.update(ctx, func(w *work) error {
		row, err := w.site(name)
		if err != nil {
			return err
		}
		key = newKey(row)
		w.note(a, protocol.EventOfficeChanged, nil, "new key for site "+name)
		return nil
	})
	if err != nil {
		return "", fmt.Errorf("renew key: %w", err)
	}
	return key, nil
}

// newKey is random and long, so that its plain hash gives nothing away.
func newKey(row *SiteRow) string {
	var b [24]byte
	_, _ = rand.Read(b[:]) // never fails
	key := base64.RawURLEncoding.EncodeToString(b[:])
	hash := sha256.Sum256([]byte(key))
	row.KeyHash = hash[:]
	return key
}

// CheckKey reports whether this is the site's key.
func (r *Roster) CheckKey(site, key string) bool {
	row, ok := r.state.site(site)
	hash := sha256.Sum256([]byte(key))
	return ok && subtle.ConstantTimeCompare(row.KeyHash, hash[:]) == 1
}

// HasSite reports whether the site was added.
func (r *Roster) HasSite(site string) bool {
	_, ok := r.state.site(site)
	return ok
}

func (s SiteSettings) apply(row *SiteRow) error {
	if s.Mode != nil {
		if *s.Mode != "" {
			if err := checkMode(*s.Mode); err != nil {
				return err
			}
		}
		row.Mode = *s.Mode
	}
	if s.Groups != nil {
		for _, g := range *s.Groups {
			if checkID(g) != nil {
				return invalid("group %q: must have 1 to 64 characters", clip(g))
			}
		}
		row.Groups, row.OwnGroups = slices.Clone(*s.Groups), *s.Groups != nil
	}
	return nil
}

// SetSite changes what was set about a site.
func (r *Roster) SetSite(ctx context.Context, a Actor, name string, s SiteSettings) (SiteView, error) {
	err := r.update(ctx, func(w *work) error {
		row, err := w.site(name)
		if err != nil {
			return err
		}
		w.scope(row, func() { err = s.apply(row) })
		if err != nil {
			return err
		}
		w.note(a, protocol.EventModeChanged, nil, fmt.Sprintf("site %s: %s", name, r.mode(row)))
		return nil
	})
	if err != nil {
		return SiteView{}, fmt.Errorf("set site: %w", err)
	}
	return r.Site(ctx, name)
}

// SetReaders stores the states of a site's readers.
func (r *Roster) SetReaders(ctx context.Context, site string, states []wire.ReaderState) error {
	return r.onSite(ctx, site, "store readers", func(w *work, row *SiteRow) error {
		var err error
		row.Readers, err = r.codec.Marshal(states)
		row.ReadersAt = w.now.UnixMilli()
		return err
	})
}

// Seen stores that a site came online or went.
func (r *Roster) Seen(ctx context.Context, site string, online bool) error {
	return r.onSite(ctx, site, "store presence", func(w *work, row *SiteRow) error {
		row.Online, row.LastSeen = online, w.now.UnixMilli()
		return nil
	})
}

func (r *Roster) onSite(ctx context.Context, site, what string, fn func(*work, *SiteRow) error) error {
	err := r.update(ctx, func(w *work) error {
		row, err := w.site(site)
		if err != nil {
			return err
		}
		return fn(w, row)
	})
	if err != nil {
		return fmt.Errorf("%s of site %s: %w", what, site, err)
	}
	return nil
}

// Sites lists all sites by name.
func (r *Roster) Sites(context.Context) ([]SiteView, error) {
	r.state.mu.RLock()
	defer r.state.mu.RUnlock()
	var out []SiteView
	for _, name := range slices.Sorted(maps.Keys(r.state.sites)) {
		v, err := r.siteView(r.state.sites[name])
		if err != nil {
			return nil, fmt.Errorf("list sites: %w", err)
		}
		out = append(out, v)
	}
	return out, nil
}

// Site shows one site.
func (r *Roster) Site(_ context.Context, name string) (SiteView, error) {
	r.state.mu.RLock()
	defer r.state.mu.RUnlock()
	row, ok := r.state.sites[name]
	if !ok {
		return SiteView{}, fmt.Errorf("site %q: %w: add it at the center first", clip(name), ErrUnknownSite)
	}
	return r.siteView(row)
}

// siteView is called with the state locked.
func (r *Roster) siteView(row *SiteRow) (SiteView, error) {
	v := SiteView{
		Name: row.Name, Mode: r.mode(row), SetMode: row.Mode, Groups: slices.Clone(row.groupsInEffect()),
		Online: row.Online, LastSeen: unixMilli(row.LastSeen), Version: row.Version, Epoch: row.Epoch,
		Taken: r.state.epochs[row.Name][row.Epoch].Taken, Conflicts: r.state.conflicts(row.Name),
		ReadersAt: unixMilli(row.ReadersAt), ClockAhead: time.Duration(row.ClockAhead) * time.Millisecond,
	}
	if row.OwnGroups {
		v.SetGroups = append([]string{}, row.Groups...)
	}
	if len(row.Readers) == 0 {
		return v, nil
	}
	if err := r.codec.Unmarshal(row.Readers, &v.Readers); err != nil {
		return v, fmt.Errorf("readers of site %s: %w: %w", row.Name, ErrDamaged, err)
	}
	return v, nil
}

func unixMilli(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}
