package roster

import (
	"cmp"
	"slices"

	"doorsync/protocol/wire"
)

// scope is what decides which users a site is given.
type scope struct {
	site   string
	mode   string
	groups []string
	// shadowed are user IDs that a conflict has at this site, by whom.
	shadowed map[string]string
}

// mode is the mode in effect: the center's word, else the site's, else the
// default.
func (r *Roster) mode(s *SiteRow) string { return cmp.Or(s.Mode, s.SaidMode, r.defaultMode) }

// groups are those that open a door at the site: the center's word, else the
// site's.
func (s *SiteRow) groupsInEffect() []string {
	if s.OwnGroups {
		return s.Groups
	}
	return s.SaidGroups
}

// scopeOf is called with the state locked, or by the writer.
func (r *Roster) scopeOf(s *SiteRow) scope {
	out := scope{site: s.Name, mode: r.mode(s), groups: s.groupsInEffect()}
	for k, row := range r.state.siteIDs {
		if k.site == s.Name && row.Until == 0 {
			if out.shadowed == nil {
				out.shadowed = map[string]string{}
			}
			out.shadowed[k.id] = row.GUID
		}
	}
	return out
}

// sees tells whether the site is given the user. In mode groups, somebody whom
// the site itself enrolled and whom nobody gave a group yet stays there.
func (s *scope) sees(u *UserRow) bool {
	switch {
	case !u.live():
		return false
	case u.Site != "":
		return u.Site == s.site
	}
	for _, id := range u.IDs {
		if by, ok := s.shadowed[id]; ok && by != u.GUID {
			return false
		}
	}
	if s.mode != wire.ModeGroups || (len(u.Groups) == 0 && u.EnrolledBy == s.site) {
		return true
	}
	return slices.ContainsFunc(u.Groups, func(g string) bool { return slices.Contains(s.groups, g) })
}

// everything tells that the site sees exactly the users without a conflict.
func (s *scope) everything() bool { return s.mode != wire.ModeGroups && len(s.shadowed) == 0 }

// scope changes a site's row, and notes from which revision on the site is to be
// given other users or settings.
func (w *work) scope(s *SiteRow, change func()) {
	mode, groups := w.r.mode(s), slices.Clone(s.groupsInEffect())
	change()
	now := w.r.mode(s)
	grouped := mode == wire.ModeGroups || now == wire.ModeGroups
	other := grouped && (mode != now || !sameSet(groups, s.groupsInEffect()))
	if mode == now && !other {
		return
	}
	w.meta.Revision++
	s.Settings = w.meta.Revision
	if other {
		s.Scope = w.meta.Revision
	}
}

func sameSet(a, b []string) bool {
	return slices.Equal(slices.Compact(slices.Sorted(slices.Values(a))), slices.Compact(slices.Sorted(slices.Values(b))))
}
