package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
)

func (s *service) programRoutes(h huma.API) {
	health := operation(h, http.MethodGet, "/health", "health", "Whether the center does its work; needs no token")
	health.Security = []map[string][]string{}
	huma.Register(h, health, s.health)
	huma.Register(h, operation(h, http.MethodGet, "/version", "version", "What runs"),
		func(context.Context, *struct{}) (*answer[Version], error) {
			return &answer[Version]{Body: Version{
				Version: s.version, Roster: s.roster.ID(), Revision: s.roster.Revision(), Broker: s.broker,
			}}, nil
		})
}

// health reads from the database: a center that cannot is not well.
func (s *service) health(ctx context.Context, _ *struct{}) (*answer[Health], error) {
	_, err := s.roster.Sites(ctx)
	return reply(s, ctx, Health{Status: "ok"}, err)
}
