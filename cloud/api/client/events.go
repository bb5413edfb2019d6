package client

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"doorsync/cloud/api"
)

// EventQuery says which events are wanted.
type EventQuery struct {
	Since  time.Time
	Until  time.Time
	Site   string
	User   string
	Reader string
	Event  string
	After  string
	Limit  int
	Newest bool // newest first
}

func (q EventQuery) values() url.Values {
	v := url.Values{}
	if !q.Since.IsZero() {
		v.Set("since", q.Since.UTC().Format(time.RFC3339Nano))
	}
	if !q.Until.IsZero() {
		v.Set("until", q.Until.UTC().Format(time.RFC3339Nano))
	}
	set(v, "site", q.Site)
	set(v, "user", q.User)
	set(v, "reader", q.Reader)
	set(v, "event", q.Event)
	set(v, "after", q.After)
	if q.Limit > 0 {
		v.Set("limit", strconv.Itoa(q.Limit))
	}
	if q.Newest {
		v.Set("newest", "true")
	}
	return v
}

// Events returns one page of events.
func (c *Client) Events(ctx context.Context, q EventQuery) (api.EventPage, error) {
	var out api.EventPage
	err := c.get(ctx, "/events", q.values(), &out)
	return out, err
}

// Follow hands each event to each as it comes, until ctx ends, the stream does
// or each fails.
func (c *Client) Follow(ctx context.Context, q EventQuery, each func(api.Event) error) error {
	return c.stream(ctx, "/events/follow", q.values(), func(data []byte) error {
		var e api.Event
		if err := json.Unmarshal(data, &e); err != nil {
			return fmt.Errorf("read event: %w", err)
		}
		return each(e)
	})
}

// Wire hands each message between the center and the sites to each, as JSON
// with secrets masked.
func (c *Client) Wire(ctx context.Context, site string, each func(line []byte) error) error {
	q := url.Values{}
	set(q, "site", site)
	return c.stream(ctx, "/wire", q, each)
}

// maxLine bounds one line of a stream.
const maxLine = 1 << 20

// stream reads server-sent events; those of this API are one data line each.
func (c *Client) stream(ctx context.Context, path string, q url.Values, each func([]byte) error) error {
	resp, err := c.send(ctx, http.MethodGet, path, q, nil)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(nil, maxLine)
	for lines.Scan() {
		if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
			if err := each([]byte(data)); err != nil {
				return err
			}
		}
	}
	switch err := lines.Err(); {
	case ctx.Err() != nil:
		return ctx.Err()
	case err == nil, errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("%w: it ended the stream", ErrUnreachable)
	default:
		return fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
}
