// Package api is how people and programs work with the center over HTTP: JSON,
// described by OpenAPI, opened by one bearer token.
package api

import (
	"context"
	"log/slog"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"doorsync/cloud/roster"
	"doorsync/protocol/wire"
)

// Exchange is what the API asks of the sites themselves.
type Exchange interface {
	// SyncSite has a site's agent compare and correct its readers, or one. It
	// returns when the agent has heard it.
	SyncSite(ctx context.Context, site, reader, by string) error
	// Tap shows every message from and to the sites, secrets left out, until stop
	// is called. show must not block.
	Tap(show func(wire.Shown)) (stop func())
}

// Options are what the API needs; all are required.
type Options struct {
	Roster   *roster.Roster
	Exchange Exchange
	Importer Importer
	Outbox   Outbox
	Token    Token
	Version  string
	Broker   string // where sites connect
	// Closing ends what would go on for ever, so that the server can stop.
	Closing <-chan struct{}
	Logger  *slog.Logger
}

// service answers the requests.
type service struct {
	roster   *roster.Roster
	exchange Exchange
	importer Importer
	outbox   Outbox
	version  string
	broker   string
	closing  <-chan struct{}
	log      *slog.Logger
}

// mostOfBody bounds the body of a request: two faces and ten fingers fit. The
// framework enforces it; a second bound around the body would hide from the
// server that the rest of a body was left unread, and it would take that rest
// for the next request.
const mostOfBody = 1 << 20

const about = `The center of doorsync: who may enter, at every site.

Every request but the one for health carries the token from the center's token
file, as "Authorization: Bearer …". A request that is not carried out is answered
with code (stable), message and often a hint. PINs and templates can be written
but are never given back.`

// New returns the handler of the whole API.
func New(o Options) http.Handler {
	mux := http.NewServeMux()
	h := humago.New(mux, settings(o.Version))
	s := &service{
		roster: o.Roster, exchange: o.Exchange, importer: o.Importer, outbox: o.Outbox,
		version: o.Version, broker: o.Broker, closing: o.Closing, log: o.Logger,
	}
	for _, register := range []func(huma.API){
		s.userRoutes, s.userActions, s.conflictRoutes, s.credentialRoutes, s.siteRoutes, s.readerRoutes,
		s.sourceRoutes, s.sourceAdmin, s.importRoutes, s.runRoutes, s.decisionRoutes, s.splitRoutes, s.fieldRoutes, s.mailRoutes,
		s.eventRoutes, s.streamRoutes, s.programRoutes,
	} {
		register(h)
	}
	for _, unused := range []string{"ErrorModel", "ErrorDetail"} {
		delete(h.OpenAPI().Components.Schemas.Map(), unused) // plain turns them into Faults
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		writeFault(w, &Fault{
			Status: http.StatusNotFound, Code: CodeNotFound,
			Message: "there is nothing at this address", Hint: "see /openapi.json for what there is",
		})
	})
	return guard(o.Token, mux)
}

// settings keep the framework from serving anything that loads from elsewhere,
// and from echoing what was sent.
func settings(version string) huma.Config {
	c := huma.DefaultConfig("doorsync-central", version)
	c.Info.Description = about
	c.DocsPath, c.SchemasPath, c.CreateHooks = "", "", nil
	c.RejectUnknownQueryParameters = true
	c.Transformers = []huma.Transformer{plain}
	c.Components.SecuritySchemes = map[string]*huma.SecurityScheme{"token": {Type: "http", Scheme: "bearer"}}
	c.Security = []map[string][]string{{"token": {}}}
	return c
}

// operation describes a request. Its errors are Faults.
func operation(h huma.API, method, path, id, summary string) huma.Operation {
	fault := h.OpenAPI().Components.Schemas.Schema(faultType(), true, "Fault")
	return huma.Operation{
		Method: method, Path: "/api/v1" + path, OperationID: id, Summary: summary, MaxBodyBytes: mostOfBody,
		Responses: map[string]*huma.Response{"default": {
			Description: "Not carried out",
			Content:     map[string]*huma.MediaType{"application/json": {Schema: fault}},
		}},
	}
}

// answer wraps what a request gets.
type answer[T any] struct{ Body T }

// reply turns a result into an answer, and an error into a Fault.
func reply[T any](s *service, ctx context.Context, v T, err error) (*answer[T], error) {
	if err != nil {
		return nil, s.fault(ctx, err)
	}
	return &answer[T]{Body: v}, nil
}
