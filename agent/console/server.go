// Package console is how people at the site reach the running agent: a control
// socket on this machine, HTTP over it. Who may use it is decided by the rights
// of the socket's file.
package console

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"doorsync/agent/journal"
	"doorsync/protocol"
	"doorsync/protocol/wire"
)

// Journal is the part of the site's journal that people look at.
type Journal interface {
	Entries(q journal.Query) iter.Seq2[protocol.Entry, error]
	Next() <-chan struct{}
	Verify(ctx context.Context, progress func(done, total uint64)) (journal.VerifyReport, error)
	GivenUp(reader string) ([]journal.GivenUp, error)
	State() journal.State
}

// Roster is what the site holds of its users.
type Roster interface {
	User(id string) (journal.View, bool, error)
	Users(ctx context.Context, fn func(journal.View) error) error
}

// Readers are the readers of the site.
type Readers interface {
	States() []wire.ReaderState
	Sync(ctx context.Context, r SyncRequest) ([]SyncResult, error)
	Retry(ctx context.Context, r RetryRequest) (int, error)
}

// Options of the console.
type Options struct {
	Path    string // of the socket
	Site    string
	Version string
	Mode    func() string
	Journal Journal
	Roster  Roster
	Readers Readers
	Center  func() any                           // how the uplink stands; nil: no center
	Tap     func(func(wire.Shown)) (stop func()) // the traffic with the center; nil: none
	Logger  *slog.Logger
}

// Server answers on the control socket.
type Server struct {
	Options
	started time.Time
	ending  context.Context // ends with Run, and with it whoever follows
}

// New returns a server; Run listens.
func New(o Options) *Server {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return &Server{Options: o, started: time.Now()}
}

// Run answers until ctx ends.
func (s *Server) Run(ctx context.Context) error {
	l, err := listen(ctx, s.Path)
	if err != nil {
		return fmt.Errorf("open control socket: %w", err)
	}
	following, stop := context.WithCancel(ctx)
	defer stop()
	s.ending = following
	h := &http.Server{Handler: s.routes(), ReadHeaderTimeout: 10 * time.Second, IdleTimeout: time.Minute}
	served := make(chan error, 1)
	go func() { served <- h.Serve(l) }()
	select {
	case err = <-served:
	case <-ctx.Done():
		stop()
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
		defer cancel()
		if err := h.Shutdown(grace); err != nil {
			_ = h.Close()
		}
		err = <-served
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("control socket: %w", err)
}

// listen opens the socket. One left behind by an agent that was killed is
// removed; the journal's lock has made sure that no other agent runs.
func listen(ctx context.Context, path string) (net.Listener, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "unix", path)
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(path, 0o600); err != nil {
		_ = l.Close()
		return nil, err
	}
	return l, nil
}

func (s *Server) routes() http.Handler {
	m := http.NewServeMux()
	m.HandleFunc("GET /v1/status", s.status)
	m.HandleFunc("GET /v1/readers", s.readers)
	m.HandleFunc("GET /v1/users", s.users)
	m.HandleFunc("GET /v1/user", s.user)
	m.HandleFunc("GET /v1/journal", s.journal)
	m.HandleFunc("POST /v1/journal/verify", s.verify)
	m.HandleFunc("POST /v1/sync", s.sync)
	m.HandleFunc("GET /v1/given-up", s.givenUp)
	m.HandleFunc("POST /v1/given-up/retry", s.retry)
	m.HandleFunc("GET /v1/wire", s.wire)
	return m
}

// maxBody is what a request may say, in bytes.
const maxBody = 64 << 10

// body reads a request strictly.
func body(w http.ResponseWriter, r *http.Request, into any) bool {
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		fail(w, http.StatusBadRequest, fmt.Errorf("the request cannot be read: %w", err))
		return false
	}
	return true
}

func answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(v); err != nil {
		panic(http.ErrAbortHandler) // the other end is gone
	}
}

func fail(w http.ResponseWriter, code int, err error) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(failure{err.Error()})
}
