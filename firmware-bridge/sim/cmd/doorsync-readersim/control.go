package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"
)

// status is a running reader as the control socket tells of it.
type status struct {
	Name    string `json:"name"`
	Kind    string `json:"kind"`
	Address string `json:"address"`
	Serial  string `json:"serial"`
	Users   int    `json:"users"`
}

func (r *reader) status() status {
	return status{Name: r.name, Kind: r.kind, Address: r.device.Addr(), Serial: r.device.Serial(), Users: len(r.hands.people())}
}

// control answers the other commands on a local socket.
type control struct{ readers []*reader }

// listenControl takes the socket, unless another readersim answers on it. What
// a crash left behind is removed.
func listenControl(ctx context.Context, path string) (net.Listener, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "unix", path)
	if err == nil {
		return l, os.Chmod(path, 0o600)
	}
	if _, err := newClient(path).readers(ctx); err == nil {
		return nil, fmt.Errorf("control socket %s: another doorsync-readersim is running; stop it, or choose another with --control", path)
	}
	if info, e := os.Lstat(path); e != nil || info.Mode()&os.ModeSocket == 0 {
		return nil, fmt.Errorf("control socket: %w", err)
	}
	if err := os.Remove(path); err != nil {
		return nil, fmt.Errorf("control socket: %w", err)
	}
	if l, err = (&net.ListenConfig{}).Listen(ctx, "unix", path); err != nil {
		return nil, fmt.Errorf("control socket: %w", err)
	}
	return l, os.Chmod(path, 0o600)
}

// serve answers until ctx ends.
func (c control) serve(ctx context.Context, l net.Listener) error {
	srv := &http.Server{Handler: c.handler(), ReadHeaderTimeout: 5 * time.Second}
	stop := context.AfterFunc(ctx, func() { _ = srv.Close() })
	defer stop()
	if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("control socket: %w", err)
	}
	return nil
}

func (c control) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /readers", func(w http.ResponseWriter, _ *http.Request) {
		out := []status{}
		for _, r := range c.readers {
			out = append(out, r.status())
		}
		respond(w, out, nil)
	})
	mux.HandleFunc("GET /readers/{reader}", c.at(func(r *reader, _ *http.Request) (any, error) { return r.hands.people(), nil }))
	mux.HandleFunc("POST /readers/{reader}/users", c.at(func(r *reader, req *http.Request) (any, error) {
		var p person
		if err := decode(req, &p); err != nil {
			return nil, err
		}
		return nil, r.hands.enroll(p)
	}))
	mux.HandleFunc("PATCH /readers/{reader}/users/{id}", c.at(func(r *reader, req *http.Request) (any, error) {
		var ch change
		if err := decode(req, &ch); err != nil {
			return nil, err
		}
		return nil, r.hands.edit(req.PathValue("id"), ch)
	}))
	mux.HandleFunc("DELETE /readers/{reader}/users/{id}", c.at(func(r *reader, req *http.Request) (any, error) {
		return nil, r.hands.remove(req.PathValue("id"))
	}))
	mux.HandleFunc("POST /readers/{reader}/users/{id}/present", c.at(func(r *reader, req *http.Request) (any, error) {
		return nil, r.hands.present(req.PathValue("id"))
	}))
	mux.HandleFunc("PUT /readers/{reader}/fault/{fault}", c.at(func(r *reader, req *http.Request) (any, error) {
		f, ok := r.device.(faults)
		if !ok {
			return nil, fmt.Errorf("reader %s knows no faults", r.name)
		}
		return nil, f.setFault(req.PathValue("fault"))
	}))
	return mux
}

// at finds the reader that a request names.
func (c control) at(do func(*reader, *http.Request) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, req *http.Request) {
		name := req.PathValue("reader")
		for _, r := range c.readers {
			if r.name == name {
				out, err := do(r, req)
				respond(w, out, err)
				return
			}
		}
		respond(w, nil, notFound(fmt.Errorf("no reader named %q is running", name)))
	}
}

func decode(req *http.Request, into any) error {
	d := json.NewDecoder(http.MaxBytesReader(nil, req.Body, 1<<20))
	d.DisallowUnknownFields()
	return d.Decode(into)
}

// problem is what goes back when something cannot be done.
type problem struct {
	Error string `json:"error"`
}

func respond(w http.ResponseWriter, out any, err error) {
	w.Header().Set("Content-Type", "application/json")
	switch {
	case errors.Is(err, errNotFound):
		w.WriteHeader(http.StatusNotFound)
		out = problem{err.Error()}
	case err != nil:
		w.WriteHeader(http.StatusUnprocessableEntity)
		out = problem{err.Error()}
	case out == nil:
		w.WriteHeader(http.StatusNoContent)
		return
	}
	_ = json.NewEncoder(w).Encode(out) // whoever asked is gone if this fails
}
