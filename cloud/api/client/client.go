// Package client speaks to the center's API, for the command line and for
// programs.
package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"doorsync/cloud/api"
)

// ErrUnreachable is wrapped by errors of requests that got no answer.
var ErrUnreachable = errors.New("the center cannot be reached")

// Client asks one center.
type Client struct {
	base  string
	token string
	actor string
	http  *http.Client
}

// answerIn bounds everything but following and importing; a preview may look at
// every user.
const answerIn = 10 * time.Minute

// continueIn is how long the center is given to refuse a file before it is sent.
const continueIn = 10 * time.Second

// New returns a client of the center at base, for example
// http://127.0.0.1:8480. Actor names the person who asks, for the event log.
func New(base, token, actor string) *Client {
	return &Client{
		base: strings.TrimRight(base, "/") + "/api/v1", token: token, actor: actor,
		http: &http.Client{Transport: &http.Transport{Proxy: nil, ExpectContinueTimeout: continueIn}},
	}
}

func (c *Client) get(ctx context.Context, path string, q url.Values, out any) error {
	return c.ask(ctx, http.MethodGet, path, q, nil, out)
}

func (c *Client) post(ctx context.Context, path string, in, out any) error {
	return c.ask(ctx, http.MethodPost, path, nil, in, out)
}

// ask sends one request and decodes its answer; a refusal is an *api.Fault.
func (c *Client) ask(ctx context.Context, method, path string, q url.Values, in, out any) error {
	ctx, cancel := context.WithTimeout(ctx, answerIn)
	defer cancel()
	resp, err := c.send(ctx, method, path, q, in)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if out == nil {
		return nil
	}
	if err := json.NewDecoder(resp.Body).Decode(out); err != nil {
		return fmt.Errorf("read answer of the center: %w", err)
	}
	return nil
}

func (c *Client) send(ctx context.Context, method, path string, q url.Values, in any) (*http.Response, error) {
	req, err := c.request(ctx, method, path, q, in)
	if err != nil {
		return nil, err
	}
	return c.do(req)
}

func (c *Client) do(req *http.Request) (*http.Response, error) {
	resp, err := c.http.Do(req)
	if err != nil {
		if err := req.Context().Err(); err != nil {
			return nil, err
		}
		var ue *url.Error
		if errors.As(err, &ue) {
			err = ue.Err // without the URL: it is said once
		}
		return nil, fmt.Errorf("%w at %s: %w; is doorsync-central running?", ErrUnreachable, strings.TrimSuffix(c.base, "/api/v1"), err)
	}
	if resp.StatusCode < http.StatusBadRequest {
		return resp, nil
	}
	defer func() { _ = resp.Body.Close() }()
	return nil, refusal(resp)
}

func (c *Client) request(ctx context.Context, method, path string, q url.Values, in any) (*http.Request, error) {
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return nil, fmt.Errorf("write request: %w", err)
		}
		body = bytes.NewReader(b)
	}
	u := c.base + path
	if len(q) > 0 {
		u += "?" + q.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, method, u, body)
	if err != nil {
		return nil, fmt.Errorf("write request: %w", err)
	}
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	req.Header.Set("Authorization", "Bearer "+c.token)
	req.Header.Set(api.ActorHeader, c.actor)
	return req, nil
}

const mostOfFault = 64 << 10

func refusal(resp *http.Response) error {
	f := &api.Fault{Status: resp.StatusCode}
	b, err := io.ReadAll(io.LimitReader(resp.Body, mostOfFault))
	if err != nil {
		return fmt.Errorf("read answer of the center: %w", err)
	}
	if json.Unmarshal(b, f) != nil || f.Message == "" {
		f.Message = "the center answered " + resp.Status
	}
	return f
}
