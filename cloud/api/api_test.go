package api_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"doorsync/cloud/api"
	"doorsync/cloud/api/client"
	"doorsync/cloud/roster"
	"doorsync/cloud/roster/sqlstore"
	"doorsync/protocol/wire"
)

const secret = "0123456789012345678901234567890123456789"

// exchange is a center's talk with sites of which none is connected but LYON.
type exchange struct{ taps wire.Taps }

func (x *exchange) SyncSite(_ context.Context, site, reader, _ string) error {
	switch {
	case site != "LYON":
		return api.ErrOffline
	case reader == "back":
		return api.ErrRefused
	default:
		return nil
	}
}

func (x *exchange) Tap(show func(wire.Shown)) func() { return x.taps.Add(show) }

// office is a center with its API, over a real store.
type office struct {
	*client.Client
	url      string
	exchange *exchange
	roster   *roster.Roster
	importer *importer
	outbox   *outbox
}

func newOffice(t *testing.T) office {
	t.Helper()
	store, err := sqlstore.Open(t.Context(), filepath.Join(t.TempDir(), "roster.db"), sqlstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	r, err := roster.Open(t.Context(), store, roster.Options{})
	if err != nil {
		t.Fatal(err)
	}
	closing, x, imports, mail := make(chan struct{}), &exchange{}, &importer{}, &outbox{}
	server := httptest.NewServer(api.New(api.Options{
		Roster: r, Exchange: x, Importer: imports, Outbox: mail, Token: api.NewToken(secret), Version: "v1", Closing: closing, Logger: slog.New(slog.DiscardHandler),
	}))
	t.Cleanup(func() {
		close(closing)
		server.Close()
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	return office{client.New(server.URL, secret, "tester"), server.URL, x, r, imports, mail}
}

// raw sends a request as it stands and returns status and body.
func (o office) raw(t *testing.T, method, path, token, body string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, o.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

func TestOnlyTheTokenOpens(t *testing.T) {
	o := newOffice(t)
	for _, path := range []string{"/api/v1/users", "/api/v1/version", "/api/v1/events/follow", "/api/v1/wire", "/", "/docs"} {
		for _, token := range []string{"", "wrong", secret[1:], secret + "x"} {
			if status, _ := o.raw(t, "GET", path, token, ""); status != http.StatusUnauthorized {
				t.Errorf("%s with %q: %d", path, token, status)
			}
		}
	}
	for _, path := range []string{"/api/v1/health", "/openapi.json"} {
		if status, body := o.raw(t, "GET", path, "", ""); status != http.StatusOK {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
}

func TestRefusals(t *testing.T) {
	o := newOffice(t)
	if _, err := o.Put(t.Context(), "4", api.Patch{Give: []api.NewCredential{{Kind: "card", Number: "6543"}}}); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		method, path, body, code string
		status                   int
	}{
		"nothing there":     {"GET", "/api/v1/nothing", "", api.CodeNotFound, 404},
		"no such user":      {"GET", "/api/v1/users/99", "", api.CodeNotFound, 404},
		"patch of nobody":   {"PATCH", "/api/v1/users/99", `{"set":{"title":"x"}}`, api.CodeNotFound, 404},
		"held credential":   {"PUT", "/api/v1/users/5", `{"give":[{"kind":"card","number":"6543"}]}`, api.CodeCredentialHeld, 409},
		"unknown key":       {"PUT", "/api/v1/users/5", `{"sett":{"title":"x"}}`, api.CodeInvalid, 422},
		"unknown field":     {"PUT", "/api/v1/users/5", `{"set":{"shoe":"x"}}`, api.CodeInvalid, 422},
		"no JSON":           {"PUT", "/api/v1/users/5", `{"set":`, api.CodeInvalid, 400},
		"unknown parameter": {"GET", "/api/v1/users?serch=x", "", api.CodeInvalid, 422},
		"PIN among values":  {"PUT", "/api/v1/users/5", `{"set":{"pin":"2468"}}`, api.CodeInvalid, 422},
		"PIN of letters":    {"PUT", "/api/v1/users/5", `{"pin":"2468x"}`, api.CodeInvalid, 422},
		"bad state":         {"PUT", "/api/v1/users/5", `{"set":{"state":"asleep"}}`, api.CodeInvalid, 422},
		"bad date":          {"PUT", "/api/v1/users/5", `{"validity":{"expires_at":"soon"}}`, api.CodeInvalid, 422},
		"ends first":        {"PUT", "/api/v1/users/5", `{"validity":{"activates_at":"2027-01-01","expires_at":"2026-01-01"}}`, api.CodeInvalid, 422},
		"bad card":          {"PUT", "/api/v1/users/5", `{"give":[{"kind":"card","number":"007"}]}`, api.CodeInvalid, 422},
		"both resolutions":  {"POST", "/api/v1/conflicts/x/resolve", `{"merge_into":"4","renumber":"5"}`, api.CodeInvalid, 422},
		"unknown site":      {"POST", "/api/v1/sync", `{"site":"OSLO"}`, api.CodeNotFound, 404},
		"bad site":          {"POST", "/api/v1/sites", `{"name":"a/b"}`, api.CodeInvalid, 422},
		"too large":         {"PUT", "/api/v1/users/5", `{"set":{"title":"` + strings.Repeat("x", 2<<20) + `"}}`, api.CodeInvalid, 413},
	} {
		t.Run(name, func(t *testing.T) {
			status, body := o.raw(t, c.method, c.path, secret, c.body)
			var f api.Fault
			if err := json.Unmarshal([]byte(body), &f); err != nil {
				t.Fatalf("%d %s: %v", status, body, err)
			}
			if status != c.status || f.Code != c.code || f.Message == "" {
				t.Errorf("%d %+v, want %d %s", status, f, c.status, c.code)
			}
			if strings.Contains(body, "2468") {
				t.Errorf("the PIN comes back: %s", body)
			}
		})
	}
	if _, err := o.User(t.Context(), "5"); err == nil {
		t.Error("a refused request left a user behind")
	}
}

func TestSecretsAreNeverGivenBack(t *testing.T) {
	o := newOffice(t)
	template := []byte("a finger, as the reader sees it")
	if _, err := o.Put(t.Context(), "4", api.Patch{PIN: "97531", Give: []api.NewCredential{
		{Kind: "fingerprint", Format: "zk10", Finger: 6, Template: template},
	}}); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/users", "/users/4", "/users/4/explain", "/events", "/sources", "/credentials/revoked"} {
		status, body := o.raw(t, "GET", "/api/v1"+path, secret, "")
		if status != http.StatusOK || strings.Contains(body, "97531") || strings.Contains(body, "YSBmaW5nZXI") {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
	u, err := o.User(t.Context(), "4")
	if err != nil || !u.HasPIN || len(u.Credentials) != 1 {
		t.Fatalf("got %+v, %v", u, err)
	}
	if c := u.Credentials[0]; c.Finger == nil || *c.Finger != 6 || c.Size != len(template) || c.Format != "zk10" {
		t.Errorf("got %+v", c)
	}
}

func TestAnEndOfTheValidityKeepsTheOther(t *testing.T) {
	o := newOffice(t)
	put := func(s api.Span) api.User {
		u, err := o.Put(t.Context(), "4", api.Patch{Validity: &s})
		if err != nil {
			t.Fatal(err)
		}
		return u
	}
	from, to, open := "2026-01-01", "2027-01-01", ""
	put(api.Span{ActivatesAt: &from})
	u := put(api.Span{ExpiresAt: &to})
	if u.Validity == nil || u.Validity.ActivatesAt != "2026-01-01T00:00:00Z" || u.Validity.ExpiresAt != "2027-01-01T00:00:00Z" {
		t.Errorf("got %+v", u.Validity)
	}
	if u = put(api.Span{ActivatesAt: &open}); u.Validity == nil || u.Validity.ActivatesAt != "" || u.Validity.ExpiresAt == "" {
		t.Errorf("opened at one end: got %+v", u.Validity)
	}
	if u = put(api.Span{ExpiresAt: &open}); u.Validity != nil {
		t.Errorf("opened at both ends: got %+v", u.Validity)
	}
}

func TestPages(t *testing.T) {
	o := newOffice(t)
	for _, id := range []string{"1", "2", "3", "a/b", "4 %"} {
		if _, err := o.Put(t.Context(), id, api.Patch{Set: map[string]string{"title": "t"}}); err != nil {
			t.Fatal(err)
		}
	}
	seen := map[string]bool{}
	q := client.UserQuery{Limit: 2}
	for {
		page, err := o.Users(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		for _, u := range page.Users {
			seen[u.ID] = true
		}
		if page.Next == "" {
			break
		}
		q.After = page.Next
	}
	if len(seen) != 5 {
		t.Errorf("saw %v", seen)
	}
	for id := range seen {
		if u, err := o.User(t.Context(), id); err != nil || u.ID != id {
			t.Errorf("user %q: got %q, %v", id, u.ID, err)
		}
	}
}

func TestSync(t *testing.T) {
	o := newOffice(t)
	for _, site := range []string{"LYON", "OSLO"} {
		if _, err := o.AddSite(t.Context(), api.NewSite{Name: site}); err != nil {
			t.Fatal(err)
		}
		states := []wire.ReaderState{{Name: "front", State: wire.ReaderInSync}, {Name: "back", State: wire.ReaderDiffers}}
		if err := o.roster.SetReaders(t.Context(), site, states); err != nil {
			t.Fatal(err)
		}
	}
	if err := o.Sync(t.Context(), "LYON", "front"); err != nil {
		t.Error(err)
	}
	for where, code := range map[[2]string]string{
		{"OSLO", ""}: api.CodeOffline, {"LYON", "back"}: api.CodeRefused, {"LYON", "side"}: api.CodeNotFound,
	} {
		err := o.Sync(t.Context(), where[0], where[1])
		if f, ok := errors.AsType[*api.Fault](err); !ok || f.Code != code {
			t.Errorf("%v: got %v, want %s", where, err, code)
		}
	}
}

func TestFollow(t *testing.T) {
	o := newOffice(t)
	if _, err := o.Put(t.Context(), "1", api.Patch{}); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithTimeout(t.Context(), 10*time.Second)
	defer stop()
	got, ended := make(chan api.Event, 8), make(chan error, 1)
	go func() {
		ended <- o.Follow(ctx, client.EventQuery{After: "0"}, func(e api.Event) error {
			got <- e
			return nil
		})
	}()
	if e := <-got; e.User != "1" {
		t.Errorf("first: got %+v", e)
	}
	if _, err := o.Put(t.Context(), "2", api.Patch{}); err != nil {
		t.Fatal(err)
	}
	if e := <-got; e.User != "2" || !strings.HasPrefix(e.Actor, "tester") {
		t.Errorf("then: got %+v", e)
	}
	stop()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("ended with %v", err)
	}
}

func TestWire(t *testing.T) {
	o := newOffice(t)
	ctx, stop := context.WithTimeout(t.Context(), 10*time.Second)
	defer stop()
	got, ended := make(chan string, 8), make(chan error, 1)
	go func() {
		ended <- o.Wire(ctx, "LYON", func(line []byte) error {
			got <- string(line)
			return nil
		})
	}()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for done := false; !done; {
		select {
		case line := <-got:
			done = true
			if !strings.Contains(line, `"site":"LYON"`) {
				t.Errorf("got %s", line)
			}
		case <-tick.C: // the tap begins when the request has arrived
			for _, site := range []string{"OSLO", "LYON"} {
				o.exchange.taps.Show(func() wire.Shown { return wire.Shown{Site: site, Kind: wire.KindPull} })
			}
		case <-ctx.Done():
			t.Fatal("nothing came")
		}
	}
	stop()
	<-ended
}

func TestDescription(t *testing.T) {
	o := newOffice(t)
	_, body := o.raw(t, "GET", "/openapi.json", "", "")
	var d struct {
		Paths map[string]map[string]struct {
			Summary   string
			Responses map[string]any
		}
	}
	if err := json.Unmarshal([]byte(body), &d); err != nil {
		t.Fatal(err)
	}
	if len(d.Paths) < 20 {
		t.Errorf("%d paths are described", len(d.Paths))
	}
	for path, methods := range d.Paths {
		for method, op := range methods {
			if op.Summary == "" || op.Responses["default"] == nil {
				t.Errorf("%s %s lacks a summary or its faults", method, path)
			}
		}
	}
	if strings.Contains(body, "ErrorModel") {
		t.Error("the framework's own errors are described")
	}
}

// TestTheRestOfARefusedBodyIsNoRequest holds that a body that is too large
// cannot smuggle a request in behind it.
func TestTheRestOfARefusedBodyIsNoRequest(t *testing.T) {
	o := newOffice(t)
	for range 5 {
		if status, _ := o.raw(t, "PUT", "/api/v1/users/5", secret, `{"set":{"title":"`+strings.Repeat("x", 2<<20)+`"}}`); status != http.StatusRequestEntityTooLarge {
			t.Errorf("too large: %d", status)
		}
		if status, body := o.raw(t, "GET", "/api/v1/users/99", secret, ""); status != http.StatusNotFound {
			t.Errorf("the request after it: %d %s", status, body)
		}
	}
}
