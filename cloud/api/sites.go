package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"doorsync/cloud/roster"
)

// SitePath names one site.
type SitePath struct {
	Site string `path:"site" maxLength:"64"`
}

// noMode is how a request says that the center's default is to hold.
const noMode = "default"

func (s *service) siteRoutes(h huma.API) {
	huma.Register(h, operation(h, http.MethodGet, "/sites", "list-sites", "List sites"), s.listSites)
	huma.Register(h, operation(h, http.MethodGet, "/sites/{site}", "get-site", "Show one site"),
		func(ctx context.Context, in *SitePath) (*answer[Site], error) {
			v, err := s.roster.Site(ctx, in.Site)
			return reply(s, ctx, siteOf(v), err)
		})
	add := operation(h, http.MethodPost, "/sites", "add-site", "Make a site known; the answer shows its key, once")
	add.DefaultStatus = http.StatusCreated
	huma.Register(h, add, s.addSite)
	huma.Register(h, operation(h, http.MethodPatch, "/sites/{site}", "set-site", "Change what a site gets"), s.setSite)
	huma.Register(h, operation(h, http.MethodPost, "/sites/{site}/key", "renew-site-key", "Give a site a new key; the old one no longer works"), s.renewKey)
}

func (s *service) listSites(ctx context.Context, _ *struct{}) (*answer[SiteList], error) {
	list, err := s.roster.Sites(ctx)
	out := SiteList{Sites: make([]Site, 0, len(list))}
	for _, v := range list {
		out.Sites = append(out.Sites, siteOf(v))
	}
	return reply(s, ctx, out, err)
}

func (s *service) addSite(ctx context.Context, in *struct{ Body NewSite }) (*answer[SiteKey], error) {
	var set roster.SiteSettings
	if in.Body.Mode != "" {
		set.Mode = &in.Body.Mode
	}
	if in.Body.Groups != nil {
		set.Groups = &in.Body.Groups
	}
	key, err := s.roster.AddSite(ctx, actor(ctx), in.Body.Name, set)
	if err != nil {
		return nil, s.fault(ctx, err)
	}
	return s.siteKey(ctx, in.Body.Name, key)
}

func (s *service) renewKey(ctx context.Context, in *SitePath) (*answer[SiteKey], error) {
	key, err := s.roster.RenewKey(ctx, actor(ctx), in.Site)
	if err != nil {
		return nil, s.fault(ctx, err)
	}
	return s.siteKey(ctx, in.Site, key)
}

func (s *service) siteKey(ctx context.Context, site, key string) (*answer[SiteKey], error) {
	v, err := s.roster.Site(ctx, site)
	return reply(s, ctx, SiteKey{Site: siteOf(v), Key: key}, err)
}

func (s *service) setSite(ctx context.Context, in *struct {
	SitePath
	Body SiteChange
},
) (*answer[Site], error) {
	set := roster.SiteSettings{Mode: in.Body.Mode, Groups: in.Body.Groups}
	if set.Mode != nil && *set.Mode == noMode {
		left := ""
		set.Mode = &left
	}
	v, err := s.roster.SetSite(ctx, actor(ctx), in.Site, set)
	return reply(s, ctx, siteOf(v), err)
}

func siteOf(v roster.SiteView) Site {
	out := Site{
		Name: v.Name, Mode: v.Mode, OwnMode: v.SetMode != "", Groups: v.Groups, Online: v.Online, LastSeen: v.LastSeen,
		Version: v.Version, Taken: v.Taken, Conflicts: v.Conflicts, ClockAhead: v.ClockAhead.Seconds(),
		Readers: make([]Reader, 0, len(v.Readers)),
	}
	for _, r := range v.Readers {
		out.Readers = append(out.Readers, readerOf(v.Name, r))
	}
	return out
}
