package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"doorsync/cloud/roster"
	"doorsync/protocol"
)

// Revoked is a credential that opens nothing anywhere.
type Revoked struct {
	Key   string    `json:"key"`
	User  string    `json:"user,omitempty" doc:"Who holds it"`
	Since time.Time `json:"since"`
	By    string    `json:"by,omitempty" doc:"Who revoked it"`
}

// RevokedList is all revoked credentials.
type RevokedList struct {
	Revoked []Revoked `json:"revoked"`
}

func (s *service) credentialRoutes(h huma.API) {
	huma.Register(h, operation(h, http.MethodGet, "/credentials/revoked", "list-revoked", "List revoked credentials"),
		func(ctx context.Context, _ *struct{}) (*answer[RevokedList], error) {
			list, err := s.roster.Revoked(ctx)
			out := RevokedList{Revoked: make([]Revoked, 0, len(list))}
			for _, r := range list {
				out.Revoked = append(out.Revoked, Revoked{Key: string(r.Key), User: r.Holder, Since: r.Stamp.Time(), By: r.By})
			}
			return reply(s, ctx, out, err)
		})
	s.credentialAction(h, "revoke", "Make a credential open nothing at any site, until it is allowed", s.roster.Revoke)
	s.credentialAction(h, "allow", "Take a revocation back", s.roster.Allow)
}

func (s *service) credentialAction(h huma.API, verb, summary string, do func(context.Context, roster.Actor, protocol.CredentialKey) error) {
	op := operation(h, http.MethodPost, "/credentials/"+verb, verb+"-credential", summary)
	op.DefaultStatus = http.StatusNoContent
	huma.Register(h, op, func(ctx context.Context, in *struct{ Body CredentialKey }) (*struct{}, error) {
		if err := do(ctx, actor(ctx), protocol.CredentialKey(in.Body.Key)); err != nil {
			return nil, s.fault(ctx, err)
		}
		return nil, nil
	})
}
