package console

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"doorsync/agent/journal"
)

// ErrUnknown is wrapped for a reader or user that does not exist.
var ErrUnknown = errors.New("there is none")

func (s *Server) status(w http.ResponseWriter, _ *http.Request) {
	st := s.Journal.State()
	out := Status{
		Site: s.Site, Version: s.Version, Started: s.started, Mode: s.Mode(), Readers: s.Readers.States(),
		Journal: JournalStatus{
			Epoch: st.Epoch, Oldest: st.Oldest, Last: st.Last, Confirmed: st.Confirmed,
			Revision: st.Revision, Roster: st.Roster,
		},
	}
	if s.Center != nil {
		b, err := json.Marshal(s.Center())
		if err != nil {
			fail(w, http.StatusInternalServerError, err)
			return
		}
		out.Center = b
	}
	answer(w, out)
}

func (s *Server) readers(w http.ResponseWriter, _ *http.Request) { answer(w, s.Readers.States()) }

// users streams every user, one JSON object a line.
func (s *Server) users(w http.ResponseWriter, r *http.Request) {
	out := newStream(w)
	err := s.Roster.Users(r.Context(), func(v journal.View) error { return out.send(ShapeUser(v)) })
	out.end(err)
}

func (s *Server) user(w http.ResponseWriter, r *http.Request) {
	id := r.URL.Query().Get("id")
	v, ok, err := s.Roster.User(id)
	switch {
	case err != nil:
		fail(w, http.StatusInternalServerError, err)
	case !ok || v.Removed:
		fail(w, http.StatusNotFound, fmt.Errorf("user %q: %w at this site", id, ErrUnknown))
	default:
		answer(w, ShapeUser(v))
	}
}

func (s *Server) sync(w http.ResponseWriter, r *http.Request) {
	var req SyncRequest
	if !body(w, r, &req) {
		return
	}
	results, err := s.Readers.Sync(r.Context(), req)
	if err != nil {
		fail(w, codeOf(err), err)
		return
	}
	answer(w, results)
}

func (s *Server) givenUp(w http.ResponseWriter, r *http.Request) {
	list, err := s.Journal.GivenUp(r.URL.Query().Get("reader"))
	if err != nil {
		fail(w, http.StatusInternalServerError, err)
		return
	}
	if list == nil {
		list = []journal.GivenUp{}
	}
	answer(w, list)
}

func (s *Server) retry(w http.ResponseWriter, r *http.Request) {
	var req RetryRequest
	if !body(w, r, &req) {
		return
	}
	n, err := s.Readers.Retry(r.Context(), req)
	if err != nil {
		fail(w, codeOf(err), err)
		return
	}
	answer(w, RetryResult{n})
}

func (s *Server) verify(w http.ResponseWriter, r *http.Request) {
	out := newStream(w)
	report, err := s.Journal.Verify(r.Context(), func(done, total uint64) {
		_ = out.send(Progress{Done: done, Total: total})
	})
	last := Progress{Report: &report}
	if err != nil {
		last.Failed = err.Error()
	}
	out.end(out.send(last))
}

func codeOf(err error) int {
	if errors.Is(err, ErrUnknown) {
		return http.StatusNotFound
	}
	return http.StatusInternalServerError
}
