package console

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

	"doorsync/agent/journal"
	"doorsync/protocol/wire"
)

// ErrNotRunning: nobody answers on the control socket.
var ErrNotRunning = errors.New("the agent does not run, or this account may not reach it: look at \"doorsync-agent status\", or try as root or administrator")

// Client asks the running agent.
type Client struct {
	path string
	http *http.Client
}

// NewClient returns a client of the agent with this control socket.
func NewClient(path string) *Client {
	var d net.Dialer
	t := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return d.DialContext(ctx, "unix", path)
	}}
	return &Client{path: path, http: &http.Client{Transport: t}}
}

// Status asks how the agent stands.
func (c *Client) Status(ctx context.Context) (Status, error) {
	var out Status
	return out, c.get(ctx, "/v1/status", nil, &out)
}

// Readers asks how the readers stand.
func (c *Client) Readers(ctx context.Context) ([]wire.ReaderState, error) {
	var out []wire.ReaderState
	return out, c.get(ctx, "/v1/readers", nil, &out)
}

// User asks for one user.
func (c *Client) User(ctx context.Context, id string) (User, error) {
	var out User
	return out, c.get(ctx, "/v1/user", url.Values{"id": {id}}, &out)
}

// Users calls fn with every user of the site.
func (c *Client) Users(ctx context.Context, fn func(User) error) error {
	return lines(ctx, c, http.MethodGet, "/v1/users", nil, nil, fn)
}

// Entries calls fn with the entries that a query selects, and with new ones as
// they come until ctx ends if it is to follow.
func (c *Client) Entries(ctx context.Context, q journal.Query, follow bool, fn func(Entry) error) error {
	v := Values(q)
	if follow {
		v.Set("follow", "1")
	}
	return lines(ctx, c, http.MethodGet, "/v1/journal", v, nil, fn)
}

// Verify has the journal verified.
func (c *Client) Verify(ctx context.Context, progress func(done, total uint64)) (journal.VerifyReport, error) {
	var last Progress
	err := lines(ctx, c, http.MethodPost, "/v1/journal/verify", nil, nil, func(p Progress) error {
		if last = p; p.Report == nil && progress != nil {
			progress(p.Done, p.Total)
		}
		return nil
	})
	switch {
	case err != nil:
		return journal.VerifyReport{}, err
	case last.Report == nil:
		return journal.VerifyReport{}, errors.New("verify journal: the agent broke off")
	case last.Failed != "":
		return *last.Report, errors.New(last.Failed)
	}
	return *last.Report, nil
}

// Sync has readers put in line now.
func (c *Client) Sync(ctx context.Context, r SyncRequest) ([]SyncResult, error) {
	var out []SyncResult
	return out, c.post(ctx, "/v1/sync", r, &out)
}

// GivenUp asks for the writes that were given up.
func (c *Client) GivenUp(ctx context.Context, reader string) ([]journal.GivenUp, error) {
	var out []journal.GivenUp
	return out, c.get(ctx, "/v1/given-up", url.Values{"reader": {reader}}, &out)
}

// Retry has writes tried again that were given up.
func (c *Client) Retry(ctx context.Context, r RetryRequest) (int, error) {
	var out RetryResult
	err := c.post(ctx, "/v1/given-up/retry", r, &out)
	return out.Retried, err
}

// Wire calls fn with the traffic with the center until ctx ends.
func (c *Client) Wire(ctx context.Context, fn func(json.RawMessage) error) error {
	return lines(ctx, c, http.MethodGet, "/v1/wire", nil, nil, fn)
}

func (c *Client) get(ctx context.Context, path string, q url.Values, into any) error {
	body, err := c.do(ctx, http.MethodGet, path, q, nil)
	if err != nil {
		return err
	}
	defer func() { _ = body.Close() }()
	return json.NewDecoder(body).Decode(into)
}

func (c *Client) post(ctx context.Context, path string, req, into any) error {
	b, err := json.Marshal(req)
	if err != nil {
		return err
	}
	body, err := c.do(ctx, http.MethodPost, path, nil, b)
	if err != nil {
		return err
	}
	defer func() { _ = body.Close() }()
	return json.NewDecoder(body).Decode(into)
}

// do sends a request and returns the body of a good answer.
func (c *Client) do(ctx context.Context, method, path string, q url.Values, b []byte) (io.ReadCloser, error) {
	u := url.URL{Scheme: "http", Host: "agent", Path: path, RawQuery: q.Encode()}
	req, err := http.NewRequestWithContext(ctx, method, u.String(), bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	res, err := c.http.Do(req)
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "dial" {
		return nil, fmt.Errorf("control socket %s: %w", c.path, ErrNotRunning)
	}
	if err != nil {
		return nil, err
	}
	if res.StatusCode == http.StatusOK {
		return res.Body, nil
	}
	defer func() { _ = res.Body.Close() }()
	var f failure
	if err := json.NewDecoder(io.LimitReader(res.Body, maxBody)).Decode(&f); err != nil || f.Error == "" {
		return nil, fmt.Errorf("the agent answered %s", res.Status)
	}
	return nil, errors.New(f.Error)
}

// lines calls fn with each line of a streamed answer.
func lines[T any](ctx context.Context, c *Client, method, path string, q url.Values, b []byte, fn func(T) error) error {
	body, err := c.do(ctx, method, path, q, b)
	if err != nil {
		return err
	}
	defer func() { _ = body.Close() }()
	for d := json.NewDecoder(body); ; {
		var v T
		if err := d.Decode(&v); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return fmt.Errorf("the agent broke off: %w", err)
		}
		if err := fn(v); err != nil {
			return err
		}
	}
}
