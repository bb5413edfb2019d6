package roster

import (
	"sync"

	"doorsync/protocol"
	"doorsync/protocol/wire"
)

// siteID names a user ID at one site.
type siteID struct{ site, id string }

// state is what the roster keeps in memory of everything but users. The writer
// reads it without the lock, since nobody else changes it, and changes it under
// the lock, after the commit.
type state struct {
	mu      sync.RWMutex
	meta    Meta
	sites   map[string]*SiteRow            // rows are never changed, only replaced
	epochs  map[string]map[string]EpochRow // by site and epoch
	siteIDs map[siteID]IDRow               // conflicts, and what is left of resolved ones
	revoked map[protocol.CredentialKey]RevokedRow
	fields  map[protocol.Field]protocol.Custom
	sources map[protocol.Source]SourceRow // as administrators set them up
	groups  map[string]string             // known spellings, by what they fold to
	keys    *keyPlan                      // of the sources; nil if no keys are in use
	digest  *[wire.Buckets]wire.Sum       // over users that every site sees; nil until asked for
	wakes   map[chan struct{}]struct{}    // subscribers to commits
	recent  recent
}

func loadState(v View) (*state, error) {
	s := &state{
		sites: map[string]*SiteRow{}, epochs: map[string]map[string]EpochRow{}, siteIDs: map[siteID]IDRow{},
		revoked: map[protocol.CredentialKey]RevokedRow{}, wakes: map[chan struct{}]struct{}{},
		sources: map[protocol.Source]SourceRow{}, groups: map[string]string{},
	}
	if err := s.loadFields(v); err != nil {
		return nil, err
	}
	sites, err := v.Sites()
	if err != nil {
		return nil, err
	}
	for _, row := range sites {
		row.Online = false // nobody is connected to a center that only starts
		s.sites[row.Name] = &row
	}
	epochs, err := v.Epochs()
	if err != nil {
		return nil, err
	}
	for _, row := range epochs {
		if s.epochs[row.Site] == nil {
			s.epochs[row.Site] = map[string]EpochRow{}
		}
		s.epochs[row.Site][row.Epoch] = row
	}
	ids, err := v.SiteIDs()
	if err != nil {
		return nil, err
	}
	for _, row := range ids {
		s.siteIDs[siteID{row.Site, row.ID}] = row
	}
	revoked, err := v.Revoked()
	if err != nil {
		return nil, err
	}
	for _, row := range revoked {
		s.revoked[row.Key] = row
	}
	return s, s.loadSources(v)
}

func (s *state) loadSources(v View) error {
	rows, err := v.SourceRows()
	if err != nil {
		return err
	}
	for _, row := range rows {
		s.sources[row.Name] = row
	}
	s.keys = planOf(s.sources)
	groups, err := v.Groups()
	for _, g := range groups {
		s.groups[Fold(g)] = g
	}
	return err
}

func (s *state) site(name string) (*SiteRow, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	row, ok := s.sites[name]
	return row, ok
}

func (s *state) metaNow() Meta {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.meta
}

// conflicts returns how many conflicts of a site nobody has resolved.
func (s *state) conflicts(site string) int {
	n := 0
	for k, row := range s.siteIDs {
		if k.site == site && row.Until == 0 {
			n++
		}
	}
	return n
}
