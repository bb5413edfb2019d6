package api_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"doorsync/cloud/api"
	"doorsync/cloud/api/client"
	"doorsync/cloud/roster"
)

// importer is the part that imports, of which a test says what it does.
type importer struct {
	mu   sync.Mutex
	do   func(ctx context.Context, source string, o api.ImportOrder) (api.Run, error)
	at   *api.ImportProgress
	runs []api.Run
}

func (i *importer) Import(ctx context.Context, source string, o api.ImportOrder) (api.Run, error) {
	i.mu.Lock()
	do := i.do
	i.mu.Unlock()
	if do == nil {
		return api.Run{}, fmt.Errorf("source %s: %w", source, roster.ErrNotFound)
	}
	return do(ctx, source, o)
}

func (i *importer) Progress(string) (api.ImportProgress, bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.at == nil {
		return api.ImportProgress{}, false
	}
	return *i.at, true
}

func (i *importer) Settings(kept []byte, change api.CSVChange) ([]byte, error) {
	s := api.CSVSettings{Interval: "1h", Overdue: 2}
	if len(kept) > 0 {
		if err := json.Unmarshal(kept, &s); err != nil {
			return nil, err
		}
	}
	if s = change.Apply(s); s.Interval == "soon" {
		return nil, errors.New("interval soon: write 1h")
	}
	return json.Marshal(s)
}

func (i *importer) Runs(_ context.Context, _ string, before uint64, limit int) ([]api.Run, error) {
	var out []api.Run
	for _, r := range slices.Backward(i.runs) {
		if (before == 0 || r.Run < before) && len(out) < limit {
			out = append(out, r)
		}
	}
	return out, nil
}

func (i *importer) Run(_ context.Context, source string, number uint64) (api.Run, error) {
	for _, r := range slices.Backward(i.runs) {
		if r.Run == number || number == 0 {
			return r, nil
		}
	}
	return api.Run{}, fmt.Errorf("run %d of %s: %w", number, source, roster.ErrNotFound)
}

func (i *importer) Status(context.Context) ([]api.SourceStatus, error) {
	return []api.SourceStatus{{Source: "hr", Interval: "1h", Overdue: true}}, nil
}

func (i *importer) does(do func(ctx context.Context, source string, o api.ImportOrder) (api.Run, error)) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.do = do
}

// outbox holds two mails.
type outbox struct{ resent, dropped []uint64 }

func (o *outbox) Mails(context.Context) ([]api.Mail, error) {
	return []api.Mail{{ID: 1, Kind: "invite", To: "anna@example.org", State: "parked", Reason: "no such mailbox"}, {ID: 2, State: "waiting"}}, nil
}

func (o *outbox) Resend(_ context.Context, id uint64) error {
	if id > 2 {
		return roster.ErrNotFound
	}
	o.resent = append(o.resent, id)
	return nil
}

func (o *outbox) Drop(_ context.Context, id uint64) error {
	if id > 2 {
		return roster.ErrNotFound
	}
	o.dropped = append(o.dropped, id)
	return nil
}

// endless is a file of any size that nobody has to hold.
type endless struct{ left, sent int64 }

func (e *endless) Read(p []byte) (int, error) {
	if e.left == 0 {
		return 0, io.EOF
	}
	n := min(int64(len(p)), e.left)
	for i := range p[:n] {
		p[i] = 'x'
	}
	e.left -= n
	e.sent += n
	return int(n), nil
}

func TestAFileIsSentWhateverItsSize(t *testing.T) {
	o := newOffice(t)
	const size = 64 << 20
	changed := time.Date(2026, 11, 22, 8, 0, 0, 5, time.UTC)
	o.importer.does(func(_ context.Context, source string, order api.ImportOrder) (api.Run, error) {
		n, err := io.Copy(io.Discard, order.Content)
		if err != nil {
			return api.Run{}, err
		}
		if !order.Dry || !order.SkipBadRows || order.Confirm != 7 || !order.Force || order.FileName != "Übersicht.csv" ||
			order.By != "tester" || order.Modified == nil || !order.Modified.Equal(changed) {
			return api.Run{}, fmt.Errorf("%w: got %+v", roster.ErrInvalid, order)
		}
		return api.Run{Source: source, State: "done", Size: n}, nil
	})
	run, err := o.Import(t.Context(), "hr", client.ImportQuery{
		Dry: true, SkipBadRows: true, Confirm: 7, Force: true, Content: &endless{left: size}, FileName: "Übersicht.csv", Modified: changed,
	})
	if err != nil || run.Size != size || run.Source != "hr" {
		t.Errorf("got %+v, %v", run, err)
	}
}

// TestWhatIsRefusedIsNotSent: the center says no before a large file goes over the
// line, and also in the middle of one its sender hears why.
func TestWhatIsRefusedIsNotSent(t *testing.T) {
	o := newOffice(t)
	for name, c := range map[string]struct {
		read int64
		err  error
		code string
	}{
		"busy":               {0, fmt.Errorf("import hr: %w", api.ErrBusy), api.CodeBusy},
		"nothing to confirm": {0, api.ErrConfirm, api.CodeRefused},
		"no such source":     {0, roster.ErrNotFound, api.CodeNotFound},
		"disk full halfway":  {1 << 20, roster.ErrFull, api.CodeUnavailable},
		"trouble of its own": {1 << 20, errors.New("inside"), api.CodeInternal},
	} {
		t.Run(name, func(t *testing.T) {
			o.importer.does(func(_ context.Context, _ string, order api.ImportOrder) (api.Run, error) {
				_, _ = io.CopyN(io.Discard, order.Content, c.read)
				return api.Run{}, c.err
			})
			file := &endless{left: 32 << 20}
			_, err := o.Import(t.Context(), "hr", client.ImportQuery{Content: file})
			if f, ok := errors.AsType[*api.Fault](err); !ok || f.Code != c.code {
				t.Errorf("got %v, want %s", err, c.code)
			}
			if c.read == 0 && file.sent > 0 {
				t.Errorf("%d bytes were sent all the same", file.sent)
			}
		})
	}
}

func TestTheOwnFileNeedsNoContent(t *testing.T) {
	o := newOffice(t)
	o.importer.does(func(_ context.Context, _ string, order api.ImportOrder) (api.Run, error) {
		if order.Content != nil {
			return api.Run{}, roster.ErrInvalid
		}
		return api.Run{Run: 3, State: "waiting"}, nil
	})
	if run, err := o.Import(t.Context(), "hr", client.ImportQuery{}); err != nil || run.Run != 3 {
		t.Errorf("got %+v, %v", run, err)
	}
	status, body := o.raw(t, "POST", "/api/v1/sources/hr/import", secret, "")
	if status != http.StatusOK || !strings.HasPrefix(body, "{") || !strings.Contains(body, `"waiting"`) {
		t.Errorf("without asking for a stream: %d %s", status, body)
	}
}

// TestAnEmptyFileIsAFile: nothing sent is not the same as nothing to send.
func TestAnEmptyFileIsAFile(t *testing.T) {
	o := newOffice(t)
	o.importer.does(func(_ context.Context, _ string, order api.ImportOrder) (api.Run, error) {
		if order.Content == nil {
			return api.Run{}, roster.ErrInvalid
		}
		n, err := io.Copy(io.Discard, order.Content)
		return api.Run{Size: n, State: "failed"}, err
	})
	if run, err := o.Import(t.Context(), "hr", client.ImportQuery{Content: strings.NewReader("")}); err != nil || run.State != "failed" {
		t.Errorf("got %+v, %v", run, err)
	}
}

func TestALongImportTellsHowFarItHasCome(t *testing.T) {
	o := newOffice(t)
	told := make(chan struct{})
	o.importer.mu.Lock()
	o.importer.at = &api.ImportProgress{Stage: "import", Rows: 5, Total: 10}
	o.importer.mu.Unlock()
	for name, result := range map[string]struct {
		err  error
		code string
	}{"done": {}, "fails in the end": {roster.ErrFull, api.CodeUnavailable}} {
		t.Run(name, func(t *testing.T) {
			o.importer.does(func(ctx context.Context, _ string, order api.ImportOrder) (api.Run, error) {
				_, _ = io.Copy(io.Discard, order.Content)
				select {
				case <-told:
				case <-ctx.Done():
				}
				return api.Run{Run: 9, State: "done"}, result.err
			})
			run, err := o.Import(t.Context(), "hr", client.ImportQuery{
				Content: strings.NewReader("a,b"), News: func(p api.ImportProgress) {
					if p.Stage == "import" && p.Rows == 5 {
						told <- struct{}{}
					}
				},
			})
			if f, ok := errors.AsType[*api.Fault](err); result.err == nil && (err != nil || run.Run != 9) || result.err != nil && (!ok || f.Code != result.code) {
				t.Errorf("got %+v, %v", run, err)
			}
		})
	}
}

// TestWhoeverGoesEndsTheImport: a caller who is interrupted leaves no import behind.
func TestWhoeverGoesEndsTheImport(t *testing.T) {
	o := newOffice(t)
	for name, content := range map[string]io.Reader{
		"while it is sent": &endless{left: 1 << 40}, "while the center works": strings.NewReader("a,b"), "at its own file": nil,
	} {
		t.Run(name, func(t *testing.T) {
			begun, ended := make(chan struct{}), make(chan error, 1)
			o.importer.does(func(ctx context.Context, _ string, order api.ImportOrder) (api.Run, error) {
				close(begun)
				var err error
				if order.Content != nil {
					_, err = io.Copy(io.Discard, order.Content)
				}
				if err == nil {
					<-ctx.Done()
					err = ctx.Err()
				}
				ended <- err
				return api.Run{}, err
			})
			ctx, stop := context.WithCancel(t.Context())
			heard := make(chan error, 1)
			go func() {
				_, err := o.Import(ctx, "hr", client.ImportQuery{Content: content})
				heard <- err
			}()
			<-begun
			stop()
			if err := <-heard; !errors.Is(err, context.Canceled) {
				t.Errorf("the caller hears %v", err)
			}
			if err := <-ended; err == nil {
				t.Error("the import went on")
			}
		})
	}
}

func TestSettingsAreTriedOnADryRunOnly(t *testing.T) {
	o := newOffice(t)
	o.importer.does(func(_ context.Context, _ string, order api.ImportOrder) (api.Run, error) {
		if order.Try == nil || order.Try.Delimiter == nil || *order.Try.Delimiter != "tab" {
			return api.Run{}, roster.ErrInvalid
		}
		return api.Run{State: "dry"}, nil
	})
	tab := "tab"
	try := &api.CSVChange{Delimiter: &tab}
	if run, err := o.Import(t.Context(), "hr", client.ImportQuery{Dry: true, Try: try}); err != nil || run.State != "dry" {
		t.Errorf("got %+v, %v", run, err)
	}
	if _, err := o.Import(t.Context(), "hr", client.ImportQuery{Try: try}); err == nil {
		t.Error("settings were tried in earnest")
	}
	for _, bad := range []string{"{", `{"delimeter":"tab"}`} {
		if status, body := o.raw(t, "POST", "/api/v1/sources/hr/import?dry_run=true&try="+bad, secret, ""); status != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d %s", bad, status, body)
		}
	}
}

// cutShort is a file whose maker is interrupted together with who sends it.
type cutShort struct{ stop func() }

func (c cutShort) Read(p []byte) (int, error) {
	c.stop()
	return copy(p, "a,b"), io.EOF
}

// TestWhatIsCutShortIsNoFile: the end of a file that was cut short must not look
// like its end, or half an export would be taken for all of it.
func TestWhatIsCutShortIsNoFile(t *testing.T) {
	o := newOffice(t)
	read := make(chan error, 1)
	o.importer.does(func(_ context.Context, _ string, order api.ImportOrder) (api.Run, error) {
		_, err := io.Copy(io.Discard, order.Content)
		read <- err
		return api.Run{State: "done"}, err
	})
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	if _, err := o.Import(ctx, "hr", client.ImportQuery{Content: cutShort{stop}}); !errors.Is(err, context.Canceled) {
		t.Errorf("the caller hears %v", err)
	}
	if err := <-read; err == nil {
		t.Error("the center took it for the whole file")
	}
}

// broken is a file that cannot be read to its end.
type broken struct{ err error }

func (b broken) Read([]byte) (int, error) { return 0, b.err }

func TestWhyAFileCannotBeReadIsSaid(t *testing.T) {
	o := newOffice(t)
	read := make(chan error, 1)
	o.importer.does(func(_ context.Context, _ string, order api.ImportOrder) (api.Run, error) {
		_, err := io.Copy(io.Discard, order.Content)
		read <- err
		return api.Run{State: "done"}, err
	})
	torn := errors.New("the disk is torn")
	_, err := o.Import(t.Context(), "hr", client.ImportQuery{Content: io.MultiReader(strings.NewReader("a,b"), broken{torn})})
	if !errors.Is(err, torn) || errors.Is(err, client.ErrUnreachable) {
		t.Errorf("got %v", err)
	}
	if err := <-read; err == nil {
		t.Error("the center took it for the whole file")
	}
}
