package console

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"doorsync/agent/journal"
	"doorsync/protocol"
	"doorsync/protocol/wire"
)

// stream answers with JSON lines.
type stream struct {
	w       http.ResponseWriter
	enc     *json.Encoder
	started bool
}

func newStream(w http.ResponseWriter) *stream { return &stream{w: w, enc: json.NewEncoder(w)} }

func (s *stream) send(v any) error {
	if !s.started {
		s.started = true
		s.w.Header().Set("Content-Type", "application/x-ndjson")
	}
	return s.enc.Encode(v)
}

func (s *stream) flush() {
	if f, ok := s.w.(http.Flusher); ok {
		if !s.started {
			s.started = true
			s.w.Header().Set("Content-Type", "application/x-ndjson")
		}
		f.Flush()
	}
}

// end closes the stream. An error after the first line can only be shown by
// breaking off.
func (s *stream) end(err error) {
	switch {
	case err == nil:
	case s.started:
		panic(http.ErrAbortHandler)
	default:
		fail(s.w, http.StatusInternalServerError, err)
	}
}

// journal streams entries, and goes on with new ones if asked to follow.
func (s *Server) journal(w http.ResponseWriter, r *http.Request) {
	q, err := ParseQuery(r.URL.Query())
	if err != nil {
		fail(w, http.StatusBadRequest, err)
		return
	}
	out := newStream(w)
	if r.URL.Query().Get("follow") == "" {
		var last uint64
		out.end(s.list(r.Context(), out, q, &last))
		return
	}
	out.end(s.follow(r.Context(), out, q))
}

// list sends what there is and raises last to the highest number sent.
func (s *Server) list(ctx context.Context, out *stream, q journal.Query, last *uint64) error {
	for e, err := range s.Journal.Entries(q) {
		if err != nil {
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		*last = max(*last, e.Number)
		if err := out.send(Shape(e)); err != nil {
			return err
		}
	}
	return nil
}

// follow sends what is there, oldest first, and then whatever comes.
func (s *Server) follow(ctx context.Context, out *stream, q journal.Query) error {
	q.Newest, q.Limit = false, 0
	for {
		next := s.Journal.Next()
		upTo := s.Journal.State().Last
		if err := s.list(ctx, out, q, &upTo); err != nil {
			return err
		}
		out.flush()
		q.From = max(q.From, upTo+1)
		select {
		case <-ctx.Done():
			return nil
		case <-s.ending.Done():
			return nil
		case <-next:
		}
	}
}

// wire streams the traffic with the center, secrets masked.
func (s *Server) wire(w http.ResponseWriter, r *http.Request) {
	if s.Tap == nil {
		fail(w, http.StatusNotFound, errors.New("this site has no center: there is no traffic"))
		return
	}
	shown := make(chan wire.Shown, 256)
	stop := s.Tap(func(m wire.Shown) {
		select {
		case shown <- m:
		default: // whoever watches is too slow: the traffic does not wait
		}
	})
	defer stop()
	out := newStream(w)
	out.flush()
	for {
		select {
		case <-r.Context().Done():
			return
		case <-s.ending.Done():
			return
		case m := <-shown:
			if out.send(m) != nil {
				return
			}
			out.flush()
		}
	}
}

// ParseQuery reads a query out of a URL.
func ParseQuery(v url.Values) (journal.Query, error) {
	q := journal.Query{User: v.Get("user"), Reader: v.Get("reader"), Origin: v.Get("origin"), Newest: v.Get("newest") != ""}
	for _, e := range v["event"] {
		q.Events = append(q.Events, protocol.Event(e))
	}
	var errs [4]error
	q.Since, errs[0] = when(v.Get("since"))
	q.Until, errs[1] = when(v.Get("until"))
	q.From, errs[2] = number(v.Get("from"))
	limit, err := number(v.Get("limit"))
	if q.Limit, errs[3] = int(min(limit, 1<<30)), err; errors.Join(errs[:]...) != nil {
		return q, fmt.Errorf("journal query: %w", errors.Join(errs[:]...))
	}
	return q, nil
}

// Values is the query as a URL has it.
func Values(q journal.Query) url.Values {
	v := url.Values{}
	set := func(key, value string, is bool) {
		if is {
			v.Set(key, value)
		}
	}
	set("user", q.User, q.User != "")
	set("reader", q.Reader, q.Reader != "")
	set("origin", q.Origin, q.Origin != "")
	set("newest", "1", q.Newest)
	set("since", q.Since.Format(time.RFC3339Nano), !q.Since.IsZero())
	set("until", q.Until.Format(time.RFC3339Nano), !q.Until.IsZero())
	set("from", strconv.FormatUint(q.From, 10), q.From > 0)
	set("limit", strconv.Itoa(q.Limit), q.Limit > 0)
	for _, e := range q.Events {
		v.Add("event", string(e))
	}
	return v
}

func when(s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	return time.Parse(time.RFC3339Nano, s)
}

func number(s string) (uint64, error) {
	if s == "" {
		return 0, nil
	}
	return strconv.ParseUint(s, 10, 64)
}
