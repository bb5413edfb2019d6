package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"doorsync/protocol"
)

func (s *service) sourceRoutes(h huma.API) {
	huma.Register(h, operation(h, http.MethodGet, "/sources", "get-sources", "Show the sources, and how what several say is settled"),
		func(ctx context.Context, _ *struct{}) (*answer[SourceList], error) {
			list, err := s.allSources(ctx)
			return reply(s, ctx, SourceList{Sources: sourcesOf(s.roster.Rules()), List: list, Recomputation: s.recomputation()}, err)
		})
	huma.Register(h, operation(h, http.MethodPut, "/sources", "set-sources", "Change it; every user is computed anew in the background"), s.setSources)
	huma.Register(h, operation(h, http.MethodPost, "/preview/sources", "preview-sources", "What a change of it would do to whom"), s.previewSources)
}

func (s *service) setSources(ctx context.Context, in *struct{ Body Sources }) (*answer[Sources], error) {
	rules, err := in.Body.rules()
	if err != nil {
		return nil, err
	}
	err = s.roster.SetOrder(ctx, actor(ctx), rules)
	return reply(s, ctx, sourcesOf(s.roster.Rules()), err)
}

func (s *service) previewSources(ctx context.Context, in *struct{ Body Sources }) (*answer[Preview], error) {
	rules, err := in.Body.rules()
	if err != nil {
		return nil, err
	}
	out := newPreview()
	out.Counts, err = s.roster.PreviewOrder(ctx, rules, out.gather)
	return reply(s, ctx, *out, err)
}

func (s *service) recomputation() *Recomputation {
	p, running := s.roster.Progress()
	if !running {
		return nil
	}
	return &Recomputation{Done: p.Done, Total: p.Total, Since: p.Started}
}

func sourcesOf(r protocol.Rules) Sources {
	out := Sources{Order: names(r.Order), Settle: string(r.Settle), Withdraw: r.Withdraw}
	if len(r.Overrides) > 0 {
		out.Overrides = make(map[string][]string, len(r.Overrides))
	}
	for f, order := range r.Overrides {
		out.Overrides[string(f)] = names(order)
	}
	if len(r.SettleBy) > 0 {
		out.SettleBy = make(map[string]string, len(r.SettleBy))
	}
	for f, settle := range r.SettleBy {
		out.SettleBy[string(f)] = string(settle)
	}
	return out
}

func names(order []protocol.Source) []string {
	out := make([]string, 0, len(order))
	for _, s := range order {
		out = append(out, string(s))
	}
	return out
}

// rules checks what is asked for; which sources there are the roster knows.
func (s Sources) rules() (protocol.Rules, error) {
	out := protocol.Rules{
		Order: sources(s.Order), Settle: protocol.Settle(s.Settle), Withdraw: s.Withdraw,
		Overrides: map[protocol.Field][]protocol.Source{}, SettleBy: map[protocol.Field]protocol.Settle{},
	}
	if out.Settle == "" {
		out.Settle = protocol.SettleFirst
	}
	for f, order := range s.Overrides {
		if !protocol.Field(f).Known() {
			return out, invalid("body.overrides."+f, "there is no such field", "")
		}
		out.Overrides[protocol.Field(f)] = sources(order)
	}
	for f, settle := range s.SettleBy {
		if !protocol.Field(f).Known() {
			return out, invalid("body.settle_by."+f, "there is no such field", "")
		}
		if settle != string(protocol.SettleFirst) && settle != string(protocol.SettleLatest) {
			return out, invalid("body.settle_by."+f, "write first or latest", "")
		}
		out.SettleBy[protocol.Field(f)] = protocol.Settle(settle)
	}
	return out, nil
}

func sources(order []string) []protocol.Source {
	out := make([]protocol.Source, 0, len(order))
	for _, s := range order {
		out = append(out, protocol.Source(s))
	}
	return out
}
