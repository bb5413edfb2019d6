package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
)

// mailPath names a mail of the outbox.
type mailPath struct {
	ID uint64 `path:"id" minimum:"1"`
}

func (s *service) mailRoutes(h huma.API) {
	huma.Register(h, operation(h, http.MethodGet, "/mail", "list-mail", "List the mail that waits to be sent"),
		func(ctx context.Context, _ *struct{}) (*answer[MailList], error) {
			mails, err := s.outbox.Mails(ctx)
			return reply(s, ctx, MailList{Mails: append([]Mail{}, mails...)}, err)
		})
	for _, c := range []struct {
		method, path, id, summary string
		do                        func(context.Context, uint64) error
	}{
		{http.MethodPost, "/mail/{id}/resend", "resend-mail", "Send a mail again that was given up on, or may have been sent", s.outbox.Resend},
		{http.MethodDelete, "/mail/{id}", "drop-mail", "Take a mail out without sending it", s.outbox.Drop},
	} {
		op := operation(h, c.method, c.path, c.id, c.summary)
		op.DefaultStatus = http.StatusNoContent
		huma.Register(h, op, func(ctx context.Context, in *mailPath) (*struct{}, error) {
			if err := c.do(ctx, in.ID); err != nil {
				return nil, s.fault(ctx, err)
			}
			return nil, nil
		})
	}
}
