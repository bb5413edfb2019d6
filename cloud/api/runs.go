package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
)

// runList selects runs of a source.
type runList struct {
	SourcePath
	Before uint64 `query:"before" doc:"The page that follows this one's next"`
	Limit  int    `query:"limit" minimum:"1" maximum:"1000" default:"100"`
}

func (s *service) runRoutes(h huma.API) {
	huma.Register(h, operation(h, http.MethodGet, "/sources/{name}/runs", "list-runs", "List the runs of a source, newest first"), s.listRuns)
	huma.Register(h, operation(h, http.MethodGet, "/sources/{name}/runs/{run}", "get-run", "Show one run, with what it did and what was wrong"),
		func(ctx context.Context, in *struct {
			SourcePath
			Run uint64 `path:"run" minimum:"1"`
		},
		) (*answer[Run], error) {
			run, err := s.importer.Run(ctx, in.Name, in.Run)
			return reply(s, ctx, run, err)
		})
}

func (s *service) listRuns(ctx context.Context, in *runList) (*answer[RunList], error) {
	runs, err := s.importer.Runs(ctx, in.Name, in.Before, in.Limit)
	out := RunList{Runs: append([]Run{}, runs...)}
	if len(runs) == in.Limit {
		out.Next = runs[len(runs)-1].Run
	}
	return reply(s, ctx, out, err)
}
