package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"doorsync/cloud/roster"
	"doorsync/protocol/wire"
)

// Streams are server-sent events, so that anything that speaks HTTP can follow.
const (
	keepAlive     = 15 * time.Second // a comment, so that a dead line is noticed
	writePatience = 10 * time.Second // for a client that does not read
	followPage    = 500
)

func (s *service) streamRoutes(h huma.API) {
	huma.Register(h, stream(h, "/events/follow", "follow-events", "Follow what happens, from after or from now on"), s.follow)
	huma.Register(h, stream(h, "/wire", "watch-wire", "Follow the messages between the center and the sites, secrets masked"), s.wire)
}

func stream(h huma.API, path, id, summary string) huma.Operation {
	op := operation(h, http.MethodGet, path, id, summary)
	op.Responses["200"] = &huma.Response{
		Description: "Server-sent events: each a line “data: ” with JSON",
		Content:     map[string]*huma.MediaType{"text/event-stream": {Schema: &huma.Schema{Type: huma.TypeString}}},
	}
	return op
}

func (s *service) follow(ctx context.Context, in *struct{ EventFilter }) (*huma.StreamResponse, error) {
	q := in.query()
	q.Limit = followPage
	if in.After == "" {
		last, err := s.roster.Events(ctx, roster.EventQuery{Limit: 1})
		if err != nil {
			return nil, s.fault(ctx, err)
		}
		if len(last) > 0 {
			q.After = last[0].Seq
		}
	}
	return &huma.StreamResponse{Body: func(hc huma.Context) { s.followTo(newLines(hc), q) }}, nil
}

// followTo writes events until the client goes. It subscribes before it looks,
// so that nothing falls in between.
func (s *service) followTo(out lines, q roster.EventQuery) {
	committed, end := s.roster.Committed()
	defer end()
	tick := time.NewTicker(keepAlive)
	defer tick.Stop()
	for out.open(s.closing) {
		page, err := s.roster.Events(out.ctx, q)
		if err != nil {
			return // the client has gone, or asks again
		}
		for _, e := range page {
			q.After = e.Seq
			if out.data(eventOf(e)) != nil {
				return
			}
		}
		if len(page) == q.Limit {
			continue
		}
		select {
		case <-committed:
		case <-tick.C:
			if out.comment() != nil {
				return
			}
		case <-s.closing:
		case <-out.ctx.Done():
		}
	}
}

func (s *service) wire(_ context.Context, in *struct {
	Site string `query:"site" doc:"Only this site"`
},
) (*huma.StreamResponse, error) {
	return &huma.StreamResponse{Body: func(hc huma.Context) { s.wireTo(newLines(hc), in.Site) }}, nil
}

// wireTo writes messages until the client goes. One that does not keep up
// misses some: the exchange waits for nobody.
func (s *service) wireTo(out lines, site string) {
	messages := make(chan wire.Shown, followPage)
	defer s.exchange.Tap(func(m wire.Shown) {
		if site != "" && m.Site != site {
			return
		}
		select {
		case messages <- m:
		default:
		}
	})()
	tick := time.NewTicker(keepAlive)
	defer tick.Stop()
	var err error
	for err == nil && out.open(s.closing) {
		select {
		case m := <-messages:
			err = out.data(m)
		case <-tick.C:
			err = out.comment()
		case <-s.closing:
		case <-out.ctx.Done():
		}
	}
}

// lines writes server-sent events.
type lines struct {
	ctx     context.Context
	w       http.ResponseWriter
	control *http.ResponseController
}

func newLines(hc huma.Context) lines {
	r, w := humago.Unwrap(hc)
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	out := lines{ctx: r.Context(), w: w, control: http.NewResponseController(w)}
	_ = out.comment() // the client learns at once that it is heard; if it has gone, the next write says so
	return out
}

func (l lines) open(closing <-chan struct{}) bool {
	select {
	case <-closing:
		return false
	default:
		return l.ctx.Err() == nil
	}
}

func (l lines) data(v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("write stream: %w", err)
	}
	return l.write("data: " + string(b) + "\n\n")
}

func (l lines) comment() error { return l.write(": \n\n") }

func (l lines) write(text string) error {
	if err := l.control.SetWriteDeadline(time.Now().Add(writePatience)); err != nil {
		return fmt.Errorf("write stream: %w", err)
	}
	if _, err := l.w.Write([]byte(text)); err != nil {
		return fmt.Errorf("write stream: %w", err)
	}
	return l.control.Flush()
}
