package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
)

// importOrder is an import as a request asks for it.
type importOrder struct {
	Name        string    `path:"name" maxLength:"64"`
	DryRun      bool      `query:"dry_run" doc:"Compute everything, change nothing"`
	SkipBadRows bool      `query:"skip_bad_rows" doc:"Take in the other rows where some are wrong"`
	Confirm     uint64    `query:"confirm" doc:"The waiting run to carry out, if the file is still the same"`
	Force       bool      `query:"force" doc:"Import the file though it is the one of the last run"`
	Try         string    `query:"try" maxLength:"65536" doc:"JSON of settings (CSVChange) to try instead of the source's own; only on a dry run"`
	Sent        bool      `query:"sent" doc:"The body is the file; otherwise the center reads the source's own"`
	FileName    string    `query:"file_name" maxLength:"1024" doc:"Of the file that is sent, for the report"`
	Modified    time.Time `query:"modified" doc:"When the file that is sent was changed last"`
}

func (s *service) importRoutes(h huma.API) {
	op := operation(h, http.MethodPost, "/sources/{name}/import", "import-source", "Import a source: the file it names, or the one that is sent")
	op.Description = "The body is the file as it stands, of any size. Answers when the import has ended; asked for " +
		"text/event-stream, it tells meanwhile how far it has come, each line “data: ” with an ImportNews."
	op.RequestBody = &huma.RequestBody{Content: map[string]*huma.MediaType{
		"application/octet-stream": {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}},
	}}
	schemas := h.OpenAPI().Components.Schemas
	op.Responses["200"] = &huma.Response{Description: "What the import did", Content: map[string]*huma.MediaType{
		"application/json":  {Schema: schemas.Schema(typeOf[Run](), true, "Run")},
		"text/event-stream": {Schema: schemas.Schema(typeOf[ImportNews](), true, "ImportNews")},
	}}
	huma.Register(h, op, func(ctx context.Context, in *importOrder) (*huma.StreamResponse, error) {
		order, err := in.order(ctx)
		if err != nil {
			return nil, err
		}
		return &huma.StreamResponse{Body: func(hc huma.Context) { s.importTo(hc, in, order) }}, nil
	})
}

func (in *importOrder) order(ctx context.Context) (ImportOrder, error) {
	o := ImportOrder{
		Dry: in.DryRun, SkipBadRows: in.SkipBadRows, Confirm: in.Confirm, Force: in.Force, FileName: clean(in.FileName), By: actor(ctx).Name,
	}
	if !in.Modified.IsZero() {
		o.Modified = &in.Modified
	}
	if in.Try == "" {
		return o, nil
	}
	if !in.DryRun {
		return o, invalid("query.try", "settings are tried on a dry run only", "")
	}
	d := json.NewDecoder(strings.NewReader(in.Try))
	d.DisallowUnknownFields()
	if err := d.Decode(&o.Try); err != nil {
		return o, invalid("query.try", "no JSON of settings", "see CSVChange in /openapi.json")
	}
	return o, nil
}

// outcome is what an import came to.
type outcome struct {
	run Run
	err error
}

// importTo runs the import while its contents come in, and answers. It does not
// write before it has read all: HTTP/1 has no talking across each other.
func (s *service) importTo(hc huma.Context, in *importOrder, order ImportOrder) {
	r, w := humago.Unwrap(hc)
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	sent := &sentFile{from: r.Body, control: http.NewResponseController(w), all: make(chan struct{})}
	if order.Content = sent; !in.Sent {
		order.Content = nil
		close(sent.all)
	}
	ended := make(chan outcome, 1)
	go func() {
		run, err := s.importer.Import(ctx, in.Name, order)
		ended <- outcome{run, err}
	}()
	var out outcome
	var stream *lines
	if strings.Contains(r.Header.Get("Accept"), "text/event-stream") {
		out, stream = s.awaitImport(hc, cancel, in.Name, sent.all, ended)
	} else {
		out = s.await(cancel, ended)
	}
	if in.Sent {
		sent.drain()
	}
	s.answerImport(ctx, w, stream, out)
}

// await waits for the end, and has the import end when the center does.
func (s *service) await(cancel context.CancelFunc, ended <-chan outcome) outcome {
	select {
	case out := <-ended:
		return out
	case <-s.closing:
		cancel()
		return <-ended
	}
}

// newsEvery is how often the stream of an import tells how far it has come.
const newsEvery = time.Second

// awaitImport waits for the end, and from when all is read tells how far it has
// come. It returns no stream if nothing was told yet.
func (s *service) awaitImport(
	hc huma.Context, cancel context.CancelFunc, name string, all <-chan struct{}, ended <-chan outcome,
) (outcome, *lines) {
	select {
	case out := <-ended:
		return out, nil
	case <-s.closing:
		cancel()
		return <-ended, nil
	case <-all:
	}
	tick := time.NewTicker(newsEvery)
	defer tick.Stop()
	var stream *lines
	for {
		select {
		case out := <-ended:
			return out, stream
		case <-s.closing:
			cancel()
			return <-ended, stream
		case <-tick.C:
			if stream == nil {
				opened := newLines(hc)
				stream = &opened
			}
			if s.tell(stream, name) != nil {
				cancel() // nobody listens any more
				return <-ended, stream
			}
		}
	}
}

func (s *service) tell(stream *lines, name string) error {
	if at, running := s.importer.Progress(name); running {
		return stream.data(ImportNews{Progress: &at})
	}
	return stream.comment()
}

func (s *service) answerImport(ctx context.Context, w http.ResponseWriter, stream *lines, out outcome) {
	news := ImportNews{Run: &out.run}
	if out.err != nil {
		var f *Fault
		if !errors.As(s.fault(ctx, out.err), &f) {
			return
		}
		news = ImportNews{Fault: f}
	}
	if stream != nil {
		_ = stream.data(news) // if the caller has gone, there is nobody to tell
		return
	}
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(writePatience)) // not every writer has deadlines
	if news.Fault != nil {
		writeFault(w, news.Fault)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(out.run) // as above
}

// filePatience is how long nothing may come of a file: another program may still
// be making it.
const filePatience = 5 * time.Minute

// sentFile is a file as it comes in. It has no bound of size, but one of how long
// nothing may come.
type sentFile struct {
	from    io.Reader
	control *http.ResponseController
	all     chan struct{} // closed when nothing more is to be read
	begun   bool          // what nobody has begun to read the sender has not begun to send
	ended   bool
}

func (f *sentFile) Read(p []byte) (int, error) {
	if f.ended {
		return 0, io.EOF
	}
	f.begun = true
	_ = f.control.SetReadDeadline(time.Now().Add(filePatience)) // not every reader has deadlines
	n, err := f.from.Read(p)
	if err == nil {
		return n, nil
	}
	f.ended = true
	close(f.all)
	// The server goes on listening whether the sender goes away; what was meant for
	// the file must not end the import.
	_ = f.control.SetReadDeadline(time.Time{}) // as above
	if !errors.Is(err, io.EOF) {
		err = fmt.Errorf("%w: %w", errCutOff, err)
	}
	return n, err
}

// errCutOff: the sender went before the end.
var errCutOff = errors.New("the file did not arrive whole")

// drainFor bounds how long the rest of a file is read that nobody wants, so that
// its sender comes to hear why.
const drainFor = time.Minute

func (f *sentFile) drain() {
	until := time.Now().Add(drainFor)
	chunk := make([]byte, 64<<10)
	for f.begun && !f.ended && time.Now().Before(until) {
		if _, err := f.Read(chunk); err != nil {
			return
		}
	}
}
