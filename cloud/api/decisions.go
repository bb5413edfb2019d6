package api

import (
	"context"
	"errors"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"doorsync/cloud/roster"
	"doorsync/protocol"
)

func (s *service) decisionRoutes(h huma.API) {
	huma.Register(h, operation(h, http.MethodGet, "/undecided", "list-undecided", "List whom sources name and who may be one of several users"), s.undecided)
	decide := operation(h, http.MethodPost, "/sources/{name}/decide", "decide", "Say who somebody is whom a source names; the next import takes them in")
	decide.DefaultStatus = http.StatusNoContent
	huma.Register(h, decide, s.decide)
}

// undecided looks into the last run of each source that was carried out: what
// was undecided then is so still, unless somebody has decided since.
func (s *service) undecided(ctx context.Context, _ *struct{}) (*answer[UndecidedList], error) {
	out := UndecidedList{Undecided: []Undecided{}}
	for _, row := range s.roster.SourceRows() {
		if row.Kind == "" {
			continue
		}
		run, err := s.importer.Run(ctx, string(row.Name), 0)
		if errors.Is(err, roster.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, s.fault(ctx, err)
		}
		for _, e := range run.Effects {
			if e.Kind == roster.EffectUndecided {
				out.Undecided = append(out.Undecided, Undecided{
					Source: run.Source, Run: run.Run, Line: e.Line, SyncID: e.SyncID, Name: e.Name, Candidates: e.Candidates, Text: e.Text,
				})
			}
		}
	}
	return reply(s, ctx, out, nil)
}

func (s *service) decide(ctx context.Context, in *struct {
	SourcePath
	Body Decision
},
) (*struct{}, error) {
	d := in.Body
	if (d.User == "") == !d.New {
		return nil, invalid("body", "decide one of the two", "write either user or new")
	}
	if err := s.roster.Decide(ctx, actor(ctx), protocol.Source(in.Name), roster.IdentityOf(d.SyncID), d.User); err != nil {
		return nil, s.fault(ctx, err)
	}
	return nil, nil
}
