package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// client asks a running readersim.
type client struct {
	http   *http.Client
	socket string
}

func newClient(socket string) client {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{Timeout: 2 * time.Second}).DialContext(ctx, "unix", socket)
	}
	// Acts at a reader wait while a client has its keys locked.
	return client{http: &http.Client{Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true}, Timeout: 90 * time.Second}, socket: socket}
}

func (c client) readers(ctx context.Context) ([]status, error) {
	var out []status
	err := c.do(ctx, http.MethodGet, "/readers", nil, &out)
	return out, err
}

func (c client) people(ctx context.Context, reader string) ([]person, error) {
	var out []person
	err := c.do(ctx, http.MethodGet, path(reader), nil, &out)
	return out, err
}

func path(reader string, more ...string) string {
	var p strings.Builder
	p.WriteString("/readers/" + url.PathEscape(reader))
	for _, m := range more {
		p.WriteString("/" + url.PathEscape(m))
	}
	return p.String()
}

func (c client) do(ctx context.Context, method, path string, in, out any) error {
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return fmt.Errorf("ask readersim: %w", err)
		}
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://readersim"+path, body)
	if err != nil {
		return fmt.Errorf("ask readersim: %w", err)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return codedError{fmt.Errorf("no readers are running (%s): start them with doorsync-readersim run: %w", c.socket, err), exitNotRunning}
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode >= http.StatusBadRequest {
		return problemOf(resp)
	}
	if out == nil {
		return nil
	}
	if err := json.NewDecoder(resp.Body).Decode(out); err != nil {
		return fmt.Errorf("ask readersim: %w", err)
	}
	return nil
}

func problemOf(resp *http.Response) error {
	var p problem
	if err := json.NewDecoder(resp.Body).Decode(&p); err != nil || p.Error == "" {
		p.Error = resp.Status
	}
	if resp.StatusCode == http.StatusNotFound {
		return codedError{errors.New(p.Error), exitNotFound}
	}
	return errors.New(p.Error)
}
