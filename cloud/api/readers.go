package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"doorsync/cloud/roster"
	"doorsync/protocol/wire"
)

// orderPatience bounds the wait for an agent's answer.
const orderPatience = 15 * time.Second

func (s *service) readerRoutes(h huma.API) {
	huma.Register(h, operation(h, http.MethodGet, "/readers", "list-readers", "List the readers of all sites, or of one"), s.listReaders)
	huma.Register(h, operation(h, http.MethodPost, "/sync", "sync", "Have a site compare and correct its readers now"), s.sync)
}

func (s *service) listReaders(ctx context.Context, in *struct {
	Site string `query:"site"`
},
) (*answer[ReaderList], error) {
	sites, err := s.sitesOf(ctx, in.Site)
	out := ReaderList{Readers: []Reader{}}
	for _, v := range sites {
		for _, r := range v.Readers {
			out.Readers = append(out.Readers, readerOf(v.Name, r))
		}
	}
	return reply(s, ctx, out, err)
}

func (s *service) sitesOf(ctx context.Context, site string) ([]roster.SiteView, error) {
	if site == "" {
		return s.roster.Sites(ctx)
	}
	v, err := s.roster.Site(ctx, site)
	return []roster.SiteView{v}, err
}

// sync asks only for what there is: an agent would not answer for a reader that
// it does not have.
func (s *service) sync(ctx context.Context, in *struct{ Body SyncOrder }) (*answer[Done], error) {
	v, err := s.roster.Site(ctx, in.Body.Site)
	if err != nil {
		return nil, s.fault(ctx, err)
	}
	if in.Body.Reader != "" && !hasReader(v, in.Body.Reader) {
		return nil, &Fault{
			Status: http.StatusNotFound, Code: CodeNotFound,
			Message: "site " + v.Name + " has told of no reader named " + in.Body.Reader, Hint: "readers lists those there are",
		}
	}
	ctx, cancel := context.WithTimeout(ctx, orderPatience)
	defer cancel()
	err = s.exchange.SyncSite(ctx, in.Body.Site, in.Body.Reader, actor(ctx).String())
	return reply(s, ctx, Done{Done: "the agent has heard it"}, err)
}

func hasReader(v roster.SiteView, name string) bool {
	for _, r := range v.Readers {
		if r.Name == name {
			return true
		}
	}
	return false
}

func readerOf(site string, r wire.ReaderState) Reader {
	return Reader{
		Site: site, Name: r.Name, Driver: r.Driver, Address: r.Address, ReaderID: r.ReaderID, Model: r.Model,
		Firmware: r.Firmware, State: r.State, Error: r.Error, Since: milli(r.Since), Users: r.Users,
		Add: r.Add, Update: r.Update, Delete: r.Delete, Held: r.Held, GivenUp: r.GivenUp, Unknown: r.Unknown,
		Synced: milli(r.Synced),
	}
}

func milli(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}
