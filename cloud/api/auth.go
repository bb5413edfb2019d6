package api

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"strings"
	"unicode"

	"doorsync/cloud/roster"
)

// ActorHeader names the person on whose behalf a request is made. Whoever holds
// the token may name anybody; it is for the event log.
const ActorHeader = "Doorsync-Actor"

// open are the paths that need no token: they tell nothing about anybody.
func open(path string) bool {
	return path == "/api/v1/health" || path == "/openapi.json" || path == "/openapi.yaml"
}

// guard lets nobody in without the token, and notes who asks.
func guard(t Token, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		secret, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if !open(r.URL.Path) && (!ok || !t.Matches(strings.TrimSpace(secret))) {
			w.Header().Set("WWW-Authenticate", "Bearer")
			writeFault(w, &Fault{
				Status: http.StatusUnauthorized, Code: CodeUnauthorized, Message: "the token is missing or wrong",
				Hint: "send the content of the center's token file as Authorization: Bearer …",
			})
			return
		}
		next.ServeHTTP(w, r.WithContext(withActor(r.Context(), actorOf(r))))
	})
}

func writeFault(w http.ResponseWriter, f *Fault) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(f.Status)
	_ = json.NewEncoder(w).Encode(f) // the caller has gone: nobody to tell
}

type actorKey struct{}

func withActor(ctx context.Context, a roster.Actor) context.Context {
	return context.WithValue(ctx, actorKey{}, a)
}

// actor is who asked for what is being done.
func actor(ctx context.Context) roster.Actor {
	a, _ := ctx.Value(actorKey{}).(roster.Actor)
	return a
}

func actorOf(r *http.Request) roster.Actor {
	from, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		from = r.RemoteAddr
	}
	name := clean(r.Header.Get(ActorHeader))
	if name == "" {
		name = "api"
	}
	return roster.Actor{Name: name, From: from}
}

// clean keeps what may stand in a log line.
func clean(name string) string {
	const most = 64
	var b strings.Builder
	for _, c := range name {
		if unicode.IsPrint(c) && b.Len() < most {
			b.WriteRune(c)
		}
	}
	return strings.TrimSpace(b.String())
}
