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

// ImportQuery says what is to be imported, and how.
type ImportQuery struct {
	Dry         bool
	SkipBadRows bool
	Confirm     uint64         // a waiting run to carry out
	Force       bool           // also if the file is the one of the last run
	Try         *api.CSVChange // settings to try, on a dry run
	// Content is the file to send, of any size; nil has the center read the source's
	// own.
	Content  io.Reader
	FileName string
	Modified time.Time
	// News is told how far it has come; nil for nobody.
	News func(api.ImportProgress)
}

func (q ImportQuery) values() (url.Values, error) {
	v := url.Values{}
	for key, on := range map[string]bool{"dry_run": q.Dry, "skip_bad_rows": q.SkipBadRows, "force": q.Force, "sent": q.Content != nil} {
		if on {
			v.Set(key, "true")
		}
	}
	if q.Confirm > 0 {
		v.Set("confirm", strconv.FormatUint(q.Confirm, 10))
	}
	if q.Try != nil {
		b, err := json.Marshal(q.Try)
		if err != nil {
			return nil, fmt.Errorf("write request: %w", err)
		}
		v.Set("try", string(b))
	}
	set(v, "file_name", q.FileName)
	if !q.Modified.IsZero() {
		v.Set("modified", q.Modified.UTC().Format(time.RFC3339Nano))
	}
	return v, nil
}

// stalled is after how long without anything sent or heard an import is given up.
// The center says something every second, once it has the file.
const stalled = 5 * time.Minute

var errStalled = errors.New("nothing was heard of it for 5 minutes")

// Import imports a source, and returns what was done. There is no bound of how
// long it may take as long as something goes on.
func (c *Client) Import(ctx context.Context, name string, q ImportQuery) (api.Run, error) {
	v, err := q.values()
	if err != nil {
		return api.Run{}, err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	watch := time.AfterFunc(stalled, func() { cancel(errStalled) })
	defer watch.Stop()
	req, err := c.request(ctx, http.MethodPost, source(name)+"/import", v, nil)
	if err != nil {
		return api.Run{}, err
	}
	req.Header.Set("Accept", "text/event-stream")
	if q.Content != nil {
		// The center answers what it refuses before anything is sent.
		req.Header.Set("Expect", "100-continue")
		req.Header.Set("Content-Type", "application/octet-stream")
		req.Body, req.ContentLength = io.NopCloser(&heard{ctx, q.Content, watch, cancel}), -1
	}
	resp, err := c.do(req)
	if err != nil {
		return api.Run{}, causeOf(ctx, err)
	}
	defer func() { _ = resp.Body.Close() }()
	run, err := readNews(&heard{ctx, resp.Body, watch, nil}, resp.Header.Get("Content-Type"), q.News)
	return run, causeOf(ctx, err)
}

// causeOf says why the request was ended from here, if that is what is wrong.
func causeOf(ctx context.Context, err error) error {
	cause := context.Cause(ctx)
	switch {
	case err == nil || cause == nil || errors.Is(cause, ctx.Err()):
		return err
	case errors.Is(cause, errStalled):
		return fmt.Errorf("%w: %w", ErrUnreachable, cause)
	default:
		return cause
	}
}

// heard notes that something goes on. Once the caller is interrupted there is no
// end of a file any more: what is interrupted with us may have ended it too soon.
type heard struct {
	ctx context.Context //nolint:containedctx // of one request
	io.Reader

	watch *time.Timer
	fail  context.CancelCauseFunc // told why a file cannot be read; nil for what the center says
}

func (h *heard) Read(p []byte) (int, error) {
	n, err := h.Reader.Read(p)
	h.watch.Reset(stalled)
	if gone := h.ctx.Err(); gone != nil && err != nil {
		return n, gone
	}
	if err != nil && !errors.Is(err, io.EOF) && h.fail != nil {
		h.fail(fmt.Errorf("send the file: %w", err))
	}
	return n, err
}

// mostOfRun bounds the report of a run, which keeps the first 1,000 of each kind.
const mostOfRun = 64 << 20

// readNews reads what the center tells of an import until it tells the end.
func readNews(from io.Reader, kind string, news func(api.ImportProgress)) (api.Run, error) {
	if !strings.HasPrefix(kind, "text/event-stream") {
		var run api.Run
		if err := json.NewDecoder(from).Decode(&run); err != nil {
			return run, fmt.Errorf("read answer of the center: %w", err)
		}
		return run, nil
	}
	lines := bufio.NewScanner(from)
	lines.Buffer(nil, mostOfRun)
	for lines.Scan() {
		data, ok := strings.CutPrefix(lines.Text(), "data: ")
		if !ok {
			continue
		}
		var n api.ImportNews
		if err := json.Unmarshal([]byte(data), &n); err != nil {
			return api.Run{}, fmt.Errorf("read answer of the center: %w", err)
		}
		switch {
		case n.Fault != nil:
			return api.Run{}, n.Fault
		case n.Run != nil:
			return *n.Run, nil
		case n.Progress != nil && news != nil:
			news(*n.Progress)
		}
	}
	if err := lines.Err(); err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return api.Run{}, fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	return api.Run{}, fmt.Errorf("%w: it stopped before the import had ended; \"sources runs\" shows whether it was carried out", ErrUnreachable)
}
