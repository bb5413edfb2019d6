package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"doorsync/cloud/roster"
)

func (s *service) userActions(h huma.API) {
	huma.Register(h, operation(h, http.MethodPost, "/users/{id}/restore", "restore-user", "Bring a deleted user back"),
		func(ctx context.Context, in *UserPath) (*answer[User], error) {
			v, err := s.roster.Restore(ctx, actor(ctx), in.ID)
			return reply(s, ctx, userOf(v), err)
		})
	huma.Register(h, operation(h, http.MethodGet, "/users/{id}/explain", "explain-user", "Who holds what of a user, since when, and what others said"),
		s.explain)
	huma.Register(h, operation(h, http.MethodPost, "/merge", "merge-users", "Make two users one"),
		func(ctx context.Context, in *struct{ Body Merge }) (*answer[User], error) {
			v, err := s.roster.Merge(ctx, actor(ctx), in.Body.Users[0], in.Body.Users[1])
			return reply(s, ctx, userOf(v), err)
		})
}

func (s *service) explain(ctx context.Context, in *UserPath) (*answer[Explanation], error) {
	v, err := s.roster.User(ctx, in.ID)
	if err != nil {
		return nil, s.fault(ctx, err)
	}
	items, err := s.roster.Explain(ctx, v.GUID)
	out := Explanation{User: userOf(v), Items: make([]Explained, 0, len(items))}
	for _, i := range items {
		out.Items = append(out.Items, explainedOf(i))
	}
	return reply(s, ctx, out, err)
}

func explainedOf(i roster.Explained) Explained {
	x := Explained{What: i.Name, Value: i.Shown, Kind: i.What, Blank: i.Blank, InEffect: i.Active}
	if i.Source != "" {
		x.Source, x.Site, x.Since = string(i.Source), i.Since.Origin, i.Since.Time()
	}
	for _, o := range i.Others {
		x.Others = append(x.Others, Said{
			Source: string(o.Source), Site: o.Stamp.Origin, Value: o.Shown, State: o.State, At: o.Stamp.Time(),
		})
	}
	return x
}

func (s *service) conflictRoutes(h huma.API) {
	huma.Register(h, operation(h, http.MethodGet, "/conflicts", "list-conflicts", "List users that wait for a person's decision"), s.conflicts)
	huma.Register(h, operation(h, http.MethodPost, "/conflicts/{guid}/resolve", "resolve-conflict", "Decide about a conflict"),
		func(ctx context.Context, in *struct {
			GUID string `path:"guid" maxLength:"64"`
			Body Resolution
		},
		) (*answer[User], error) {
			if (in.Body.MergeInto == "") == (in.Body.Renumber == "") {
				return nil, invalid("body", "decide one of the two", "write either merge_into or renumber")
			}
			v, err := s.roster.Resolve(ctx, actor(ctx), in.GUID, roster.Resolution{MergeInto: in.Body.MergeInto, Renumber: in.Body.Renumber})
			return reply(s, ctx, userOf(v), err)
		})
}

func (s *service) conflicts(ctx context.Context, _ *struct{}) (*answer[ConflictList], error) {
	list, err := s.roster.Conflicts(ctx)
	out := ConflictList{Conflicts: make([]Conflict, 0, len(list))}
	for _, c := range list {
		shown := Conflict{UserID: c.UserID, Site: c.Site, User: userOf(c.User)}
		if c.Holder != nil {
			holder := userOf(*c.Holder)
			shown.Holder = &holder
		}
		out.Conflicts = append(out.Conflicts, shown)
	}
	return reply(s, ctx, out, err)
}
