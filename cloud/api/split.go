package api

import (
	"context"
	"errors"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"doorsync/cloud/roster"
	"doorsync/protocol"
)

func (s *service) splitRoutes(h huma.API) {
	huma.Register(h, operation(h, http.MethodPost, "/preview/merge", "preview-merge", "What making two users one would do"),
		func(ctx context.Context, in *struct{ Body Merge }) (*answer[Preview], error) {
			effects, err := s.roster.PreviewMerge(ctx, in.Body.Users[0], in.Body.Users[1])
			return reply(s, ctx, Preview{Effects: append([]roster.Effect{}, effects...)}, err)
		})
	huma.Register(h, operation(h, http.MethodPost, "/users/{id}/split", "split-user", "Take two apart that were made one"), s.split)
	huma.Register(h, operation(h, http.MethodPost, "/preview/users/{id}/split", "preview-split", "What taking two apart would do"), s.previewSplit)
	huma.Register(h, operation(h, http.MethodPost, "/preview/conflicts/{guid}/resolve", "preview-resolve", "What a decision about a conflict would do"), s.previewResolve)
}

type splitting struct {
	UserPath
	Body Split
}

func (s *service) split(ctx context.Context, in *splitting) (*answer[User], error) {
	o, err := in.Body.options()
	if err != nil {
		return nil, err
	}
	v, err := s.roster.Split(ctx, actor(ctx), in.ID, o)
	return reply(s, ctx, userOf(v), err)
}

func (s *service) previewSplit(ctx context.Context, in *splitting) (*answer[Preview], error) {
	o, err := in.Body.options()
	if err != nil {
		return nil, err
	}
	effects, err := s.roster.PreviewSplit(ctx, in.ID, o)
	return reply(s, ctx, Preview{Effects: append([]roster.Effect{}, effects...)}, err)
}

func (b Split) options() (roster.SplitOptions, error) {
	o := roster.SplitOptions{Merged: b.Merged, Source: protocol.Source(b.Source), UserID: b.UserID}
	if b.Merged != "" && b.Source != "" {
		return o, invalid("body", "decide one of the two", "write either merged or source")
	}
	if b.SyncID != "" && b.Source == "" {
		return o, invalid("body.sync_id", "of which source?", "name it as source")
	}
	if b.SyncID != "" {
		id := roster.IdentityOf(b.SyncID)
		o.Identity = &id
	}
	return o, nil
}

// resolving is a decision about a conflict.
type resolving struct {
	GUID string `path:"guid" maxLength:"64"`
	Body Resolution
}

func (s *service) previewResolve(ctx context.Context, in *resolving) (*answer[Preview], error) {
	if (in.Body.MergeInto == "") == (in.Body.Renumber == "") {
		return nil, invalid("body", "decide one of the two", "write either merge_into or renumber")
	}
	v, err := s.roster.User(ctx, in.GUID)
	if err != nil {
		return nil, s.fault(ctx, err)
	}
	if v.Conflict == "" {
		return nil, &Fault{
			Status: http.StatusNotFound, Code: CodeNotFound, Message: "this user is in no conflict", Hint: "users conflicts shows those who are",
		}
	}
	if in.Body.MergeInto != "" {
		effects, err := s.roster.PreviewMerge(ctx, v.GUID, in.Body.MergeInto)
		return reply(s, ctx, Preview{Effects: append([]roster.Effect{}, effects...)}, err)
	}
	e := roster.Effect{
		Kind: roster.EffectUpdated, UserID: v.ID, GUID: v.GUID, Name: v.User.FullName(),
		Values: []roster.ValueChange{{What: string(protocol.FieldUserID), Old: v.ID, New: in.Body.Renumber}},
	}
	holder, err := s.roster.User(ctx, in.Body.Renumber)
	switch {
	case err == nil:
		e.Kind, e.Holder, e.Text = roster.EffectRefused, holder.ID, "choose a user ID that nobody has"
	case !errors.Is(err, roster.ErrNotFound):
		return nil, s.fault(ctx, err)
	}
	return reply(s, ctx, Preview{Effects: []roster.Effect{e}}, nil)
}
