package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"doorsync/cloud/roster"
	"doorsync/protocol"
)

// UserPath names one user.
type UserPath struct {
	ID string `path:"id" maxLength:"256" doc:"User ID, an earlier user ID, or GUID"`
}

// userList selects users.
type userList struct {
	Text    string `query:"text" doc:"In the user ID, a name or another value"`
	Site    string `query:"site" doc:"Only users whom this site is given"`
	Group   string `query:"group" doc:"Only users in this access group"`
	State   string `query:"state" enum:"active,inactive,conflict"`
	Removed bool   `query:"removed" doc:"Deleted users instead of the others"`
	After   string `query:"after" doc:"The page that follows this one's next"`
	Limit   int    `query:"limit" minimum:"1" maximum:"1000" default:"100"`
}

// userPatch changes one user.
type userPatch struct {
	UserPath
	Body Patch
}

func (s *service) userRoutes(h huma.API) {
	huma.Register(h, operation(h, http.MethodGet, "/users", "list-users", "List users"), s.listUsers)
	huma.Register(h, operation(h, http.MethodGet, "/users/{id}", "get-user", "Show one user"),
		func(ctx context.Context, in *UserPath) (*answer[User], error) {
			v, err := s.roster.User(ctx, in.ID)
			return reply(s, ctx, userOf(v), err)
		})
	huma.Register(h, operation(h, http.MethodPut, "/users/{id}", "put-user", "Make a user, or change one"),
		func(ctx context.Context, in *userPatch) (*answer[User], error) {
			return s.put(ctx, in, roster.Patch{})
		})
	huma.Register(h, operation(h, http.MethodPatch, "/users/{id}", "patch-user", "Change a user that there is"),
		func(ctx context.Context, in *userPatch) (*answer[User], error) {
			return s.put(ctx, in, roster.Patch{OnlyExisting: true})
		})
	remove := operation(h, http.MethodDelete, "/users/{id}", "delete-user", "Delete a user everywhere; restore brings it back")
	remove.DefaultStatus = http.StatusNoContent
	huma.Register(h, remove, func(ctx context.Context, in *UserPath) (*struct{}, error) {
		if err := s.roster.Delete(ctx, actor(ctx), in.ID); err != nil {
			return nil, s.fault(ctx, err)
		}
		return nil, nil
	})
}

func (s *service) listUsers(ctx context.Context, in *userList) (*answer[UserPage], error) {
	page, err := s.roster.Users(ctx, roster.Query{
		Text: in.Text, After: in.After, Limit: in.Limit, Site: in.Site, Group: in.Group, State: in.State, Removed: in.Removed,
	})
	out := UserPage{Users: make([]User, 0, len(page.Users)), Next: page.Next}
	for _, v := range page.Users {
		out.Users = append(out.Users, userOf(v))
	}
	return reply(s, ctx, out, err)
}

func (s *service) put(ctx context.Context, in *userPatch, p roster.Patch) (*answer[User], error) {
	if err := in.Body.into(&p); err != nil {
		return nil, err
	}
	if in.Body.Validity != nil {
		v, err := s.span(ctx, in.ID, *in.Body.Validity)
		if err != nil {
			return nil, s.fault(ctx, err)
		}
		if v.IsNull() {
			p.Blank = append(p.Blank, protocol.FieldValidity)
		} else {
			p.Set[protocol.FieldValidity] = v
		}
	}
	v, err := s.roster.Put(ctx, actor(ctx), in.ID, p)
	return reply(s, ctx, userOf(v), err)
}
