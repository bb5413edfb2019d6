package api

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// Timeouts of the server. A new order of sources recomputes every user, so
// writing has time.
const (
	headPatience = 5 * time.Second
	bodyPatience = 30 * time.Second
	workPatience = 10 * time.Minute
	idlePatience = 2 * time.Minute
	lastPatience = 5 * time.Second // for requests under way when the center stops
	mostOfHead   = 16 << 10
)

// Serve answers on l until ctx ends and what was under way is done.
func Serve(ctx context.Context, l net.Listener, h http.Handler, log *slog.Logger) error {
	server := &http.Server{
		Handler: h, ReadHeaderTimeout: headPatience, ReadTimeout: bodyPatience, WriteTimeout: workPatience,
		IdleTimeout: idlePatience, MaxHeaderBytes: mostOfHead, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(l) }()
	select {
	case err := <-ended:
		return fmt.Errorf("serve API: %w", err)
	case <-ctx.Done():
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastPatience)
	defer cancel()
	err := server.Shutdown(last)
	if err != nil { // somebody does not end: cut off
		err = errors.Join(fmt.Errorf("stop API: %w", err), server.Close())
	}
	if serr := <-ended; !errors.Is(serr, http.ErrServerClosed) {
		err = errors.Join(err, fmt.Errorf("serve API: %w", serr))
	}
	return err
}
