package console

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"doorsync/agent/journal"
	"doorsync/protocol"
	"doorsync/protocol/wire"
)

// fakeReaders are the readers of a site that has one.
type fakeReaders struct {
	asked []SyncRequest
	taps  wire.Taps // the traffic of the site
}

func (f *fakeReaders) States() []wire.ReaderState {
	return []wire.ReaderState{{Name: "front", State: wire.ReaderInSync}}
}

func (f *fakeReaders) Sync(_ context.Context, r SyncRequest) ([]SyncResult, error) {
	f.asked = append(f.asked, r)
	if r.Reader == "none" {
		return nil, fmt.Errorf("reader %q: %w", r.Reader, ErrUnknown)
	}
	return []SyncResult{{ReaderState: f.States()[0]}}, nil
}

func (f *fakeReaders) Retry(context.Context, RetryRequest) (int, error) { return 3, nil }

// running starts a console over a real journal.
func running(t *testing.T) (*Client, *journal.Journal, *fakeReaders) {
	t.Helper()
	dir := t.TempDir()
	j, err := journal.Open(filepath.Join(dir, "journal.db"), journal.Options{Site: "LYON"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	path := filepath.Join(dir, "c.sock")
	readers := &fakeReaders{}
	s := New(Options{
		Path: path, Site: "LYON", Version: "1", Mode: func() string { return "all" },
		Journal: j, Roster: j, Readers: readers, Tap: readers.taps.Add,
		Center: func() any { return map[string]string{"state": "online"} },
	})
	ran, wrote := make(chan error, 1), make(chan error, 1)
	go func() { wrote <- j.Run(ctx) }()
	go func() { ran <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := errors.Join(<-ran, <-wrote, j.Close()); err != nil {
			t.Error(err)
		}
	})
	c := NewClient(path)
	for {
		if _, err := c.Readers(ctx); err == nil {
			return c, j, readers
		} else if !errors.Is(err, ErrNotRunning) {
			t.Fatal(err)
		}
		runtime.Gosched()
	}
}

func enroll(t *testing.T, j *journal.Journal, id string) {
	t.Helper()
	e := protocol.Edit{UserID: id, Values: map[protocol.Field]protocol.Value{
		protocol.FieldName: protocol.Text("Anna"), protocol.FieldPIN: {First: "7788"},
	}, Given: []protocol.Credential{{Kind: protocol.KindCard, Format: protocol.FormatNumber, Number: "12345" + id}}}
	_, err := j.Append(t.Context(), journal.Batch{
		Reader: "front", ReaderID: "A1", Drafts: []journal.Draft{{Event: protocol.EventEnrolled, UserID: id, Edit: &e}},
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestAsk(t *testing.T) {
	c, j, readers := running(t)
	ctx := t.Context()
	enroll(t, j, "4")
	st, err := c.Status(ctx)
	if err != nil || st.Site != "LYON" || st.Journal.Last != 1 || !strings.Contains(string(st.Center), "online") || len(st.Readers) != 1 {
		t.Errorf("status %+v, error %v", st, err)
	}
	u, err := c.User(ctx, "4")
	if err != nil || u.Name != "Anna" || !u.Pending || u.Values[protocol.FieldPIN] != "****" || !slices.Equal(u.Credentials, []string{"card …3454"}) {
		t.Errorf("user %+v, error %v", u, err)
	}
	if _, err := c.User(ctx, "a/b?"); err == nil || !strings.Contains(err.Error(), `user "a/b?": there is none`) {
		t.Errorf("unknown user: %v", err)
	}
	n := 0
	if err := c.Users(ctx, func(User) error { n++; return nil }); err != nil || n != 1 {
		t.Errorf("%d users, error %v", n, err)
	}
	if _, err := c.Sync(ctx, SyncRequest{Reader: "front", ConfirmDeletes: true}); err != nil || !readers.asked[0].ConfirmDeletes {
		t.Errorf("asked %+v, error %v", readers.asked, err)
	}
	if _, err := c.Sync(ctx, SyncRequest{Reader: "none"}); err == nil || !strings.Contains(err.Error(), `reader "none": there is none`) {
		t.Errorf("unknown reader: %v", err)
	}
	if n, err := c.Retry(ctx, RetryRequest{}); err != nil || n != 3 {
		t.Errorf("%d retried, error %v", n, err)
	}
	if list, err := c.GivenUp(ctx, ""); err != nil || list == nil || len(list) != 0 {
		t.Errorf("given up %v, error %v", list, err)
	}
	if r, err := c.Verify(ctx, nil); err != nil || r.Entries != 1 || len(r.Faults) != 0 {
		t.Errorf("verified %+v, error %v", r, err)
	}
}

func TestFollow(t *testing.T) {
	c, j, _ := running(t)
	for i := range 5 {
		enroll(t, j, fmt.Sprint(i))
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	var got []string
	err := c.Entries(ctx, journal.Query{Reader: "front"}, true, func(e Entry) error {
		got = append(got, e.UserID)
		if len(got) == 5 {
			enroll(t, j, "5")
		}
		if len(got) == 6 {
			cancel()
		}
		return nil
	})
	if !errors.Is(err, context.Canceled) || !slices.Equal(got, []string{"0", "1", "2", "3", "4", "5"}) {
		t.Errorf("followed %v, error %v", got, err)
	}
}

func TestQuerySurvivesItsURL(t *testing.T) {
	q := journal.Query{
		Since: time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC), Until: time.Date(2027, 1, 2, 3, 4, 5, 0, time.UTC), User: "4 &=", Reader: "front",
		Events: []protocol.Event{protocol.EventEnrolled, protocol.EventTooLate}, Origin: journal.OriginReader, From: 7, Newest: true, Limit: 9,
	}
	got, err := ParseQuery(Values(q))
	if err != nil || fmt.Sprint(got) != fmt.Sprint(q) {
		t.Errorf("%+v became %+v, error %v", q, got, err)
	}
}

func TestSocketIsPrivate(t *testing.T) {
	if runtime.GOOS == "windows" {
		return // there the rights of the directory count
	}
	c, _, _ := running(t)
	st, err := os.Stat(c.path)
	if err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, error %v", st.Mode(), err)
	}
}

func TestNobodyAnswers(t *testing.T) {
	path := filepath.Join(t.TempDir(), "c.sock")
	if _, err := NewClient(path).Status(t.Context()); !errors.Is(err, ErrNotRunning) {
		t.Errorf("no socket: %v", err)
	}
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := NewClient(path).Status(t.Context()); !errors.Is(err, ErrNotRunning) {
		t.Errorf("a socket that nobody listens on: %v", err)
	}
}

func TestUnknownKeysAreRefused(t *testing.T) {
	c, _, readers := running(t)
	var out []SyncResult
	err := c.post(t.Context(), "/v1/sync", json.RawMessage(`{"raeder": "front"}`), &out)
	if err == nil || !strings.Contains(err.Error(), "raeder") || len(readers.asked) != 0 {
		t.Errorf("error %v, asked %v", err, readers.asked)
	}
}

func TestWire(t *testing.T) {
	c, _, site := running(t)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	told := make(chan struct{})
	go func() { // until somebody watches, nobody is shown anything
		defer close(told)
		for ctx.Err() == nil {
			site.taps.Show(func() wire.Shown { return wire.Shown{Site: "LYON", Kind: wire.KindHello} })
			runtime.Gosched()
		}
	}()
	var got string
	err := c.Wire(ctx, func(m json.RawMessage) error {
		got = string(m)
		cancel()
		return nil
	})
	if <-told; !errors.Is(err, context.Canceled) || !strings.Contains(got, `"kind":"hello"`) {
		t.Errorf("got %s, error %v", got, err)
	}
}
