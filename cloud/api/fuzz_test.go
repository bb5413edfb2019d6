package api_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"doorsync/cloud/api"
	"doorsync/cloud/roster"
	"doorsync/cloud/roster/sqlstore"
)

// FuzzRequest sends anything to every operation that the API describes. It must
// not fail inside, and whatever it refuses it must refuse in its own words.
func FuzzRequest(f *testing.F) {
	handler := fuzzedOffice(f)
	operations := described(f, handler)
	bodies := []string{
		`{"set":{"first_name":"Anna"},"pin":"2468","give":[{"kind":"card","number":"123"}],"join":["staff"]}`,
		`{"validity":{"activates_at":"2026-11-22","expires_at":null}}`, `{"one":"1","other":"2"}`, `{"name":"LYON","mode":"groups"}`,
		`{"order":["readers","office"],"settle":"latest"}`, `{"merge_into":"1"}`, `{"key":"card|number|123"}`, `{`, `[]`, `null`, "\xff\xfe",
	}
	for i := range operations {
		f.Add(uint(i), "1", "limit=10", []byte(bodies[i%len(bodies)]))
	}
	for i, b := range bodies {
		f.Add(uint(i*3), "..%2f", "after=x&limit=-1", []byte(b))
	}
	parameter := regexp.MustCompile(`\{[^}]*\}`)
	f.Fuzz(func(t *testing.T, which uint, segment, query string, body []byte) {
		op := operations[which%uint(len(operations))]
		path := parameter.ReplaceAllLiteralString(op.path, url.PathEscape(segment))
		r := httptest.NewRequestWithContext(t.Context(), op.method, "/", bytes.NewReader(body))
		r.URL = &url.URL{Path: path, RawQuery: query}
		r.Header.Set("Authorization", "Bearer "+secret)
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if w.Code >= http.StatusInternalServerError {
			t.Errorf("%s %s answered %d: %s", op.method, path, w.Code, w.Body)
		}
		var fault api.Fault
		if w.Code >= http.StatusBadRequest && (json.Unmarshal(w.Body.Bytes(), &fault) != nil || fault.Code == "" || fault.Message == "") {
			t.Errorf("%s %s answered %d without a code and a message: %s", op.method, path, w.Code, w.Body)
		}
	})
}

func fuzzedOffice(f *testing.F) http.Handler {
	f.Helper()
	store, err := sqlstore.Open(f.Context(), filepath.Join(f.TempDir(), "roster.db"), sqlstore.Options{})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() {
		if err := store.Close(); err != nil {
			f.Error(err)
		}
	})
	r, err := roster.Open(f.Context(), store, roster.Options{})
	if err != nil {
		f.Fatal(err)
	}
	closing := make(chan struct{})
	close(closing) // what would go on for ever ends at once
	return api.New(api.Options{
		Roster: r, Exchange: &exchange{}, Importer: &importer{}, Outbox: &outbox{}, Token: api.NewToken(secret), Version: "v1", Closing: closing, Logger: slog.New(slog.DiscardHandler),
	})
}

// operation is one that the API describes.
type operation struct{ method, path string }

func described(f *testing.F, handler http.Handler) (out []operation) {
	f.Helper()
	r := httptest.NewRequestWithContext(f.Context(), http.MethodGet, "/openapi.json", nil)
	r.Header.Set("Authorization", "Bearer "+secret)
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	var doc struct {
		Paths map[string]map[string]any `json:"paths"`
	}
	if err := json.Unmarshal(w.Body.Bytes(), &doc); err != nil || len(doc.Paths) < 10 {
		f.Fatalf("%d paths described: %v", len(doc.Paths), err)
	}
	for _, path := range slices.Sorted(maps.Keys(doc.Paths)) {
		for _, method := range slices.Sorted(maps.Keys(doc.Paths[path])) {
			out = append(out, operation{strings.ToUpper(method), path})
		}
	}
	return out
}
