package reader

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"doorsync/agent/journal"
	"doorsync/protocol"
	"doorsync/protocol/wire"
)

// site is a real journal, readers kept in line with it, and a center that
// changes the roster. It lives in a bubble of synctest.
type site struct {
	*testing.T
	*journal.Journal
	path     string
	codec    *wire.Codec
	revision uint64
	guids    map[string]string
	settings wire.Settings
	end      func()
	took     bool // the center has taken the journal in, as of its next changes
	mu       sync.Mutex
	broken   func(journal.Batch) error // nil: Append works
}

// inSite runs a test with a site of its own.
func inSite(t *testing.T, fn func(s *site)) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "journal.db")
	synctest.Test(t, func(t *testing.T) {
		codec, err := wire.NewCodec()
		if err != nil {
			t.Fatal(err)
		}
		s := &site{
			T: t, path: path, codec: codec, guids: map[string]string{},
			settings: wire.Settings{Mode: wire.ModeAllReaders, Rules: protocol.DefaultRules()},
		}
		s.openJournal()
		fn(s)
		s.end()
	})
}

func (s *site) openJournal() {
	s.Helper()
	j, err := journal.Open(s.path, journal.Options{Site: "LYON"})
	s.must(err)
	s.Journal = j
	ctx, cancel := context.WithCancel(context.Background())
	ran := make(chan error, 1)
	go func() { ran <- j.Run(ctx) }()
	s.end = func() {
		cancel()
		s.must(<-ran)
		s.must(j.Close())
	}
}

// Append fails when the test says so.
func (s *site) Append(ctx context.Context, b journal.Batch) ([]protocol.Entry, error) {
	s.mu.Lock()
	broken := s.broken
	s.mu.Unlock()
	if broken != nil {
		if err := broken(b); err != nil {
			return nil, err
		}
	}
	return s.Journal.Append(ctx, b)
}

// breaks has Append fail, or with nil work again.
func (s *site) breaks(fn func(journal.Batch) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.broken = fn
}

func (s *site) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

// start keeps a reader in line; stop ends that.
func (s *site) start(f *fake, change ...func(*Options)) (r *Reader, stop func()) {
	s.Helper()
	o := Options{
		Name: "front", Driver: "fake", Address: "here", Open: f.Open, Journal: s, Codec: s.codec,
		Doors: f.doors, Resync: 15 * time.Minute, Poll: 10 * time.Second,
	}
	for _, c := range change {
		c(&o)
	}
	r = New(o)
	ctx, cancel := context.WithCancel(context.Background())
	ran := make(chan error, 1)
	go func() { ran <- r.Run(ctx) }()
	synctest.Wait()
	return r, func() {
		cancel()
		s.must(<-ran)
	}
}

// with starts a reader for the length of the test.
func (s *site) with(f *fake, change ...func(*Options)) *Reader {
	s.Helper()
	r, stop := s.start(f, change...)
	end := s.end
	s.end = func() { stop(); end() }
	return r
}

// patch is what the office says of a user.
type patch struct {
	id, name string
	pin      string
	plate    string
	inactive bool
	validity protocol.Validity
	cards    []uint64
	groups   []string
	was      string // renumbered: the alias
	removed  bool
	gone     bool
}

// office applies changes of the roster.
func (s *site) office(ps ...patch) {
	s.Helper()
	c := wire.Changes{Roster: "R", From: s.revision, To: s.revision + 1, Settings: &s.settings}
	s.revision++
	<-time.After(time.Millisecond) // an edit is made knowingly after what is there
	if s.took {
		st := s.State()
		c.Epoch, c.Journal = st.Epoch, st.Last
	}
	c.Stamp = protocol.Stamp{Wall: time.Now().UnixMilli()}
	for _, p := range ps {
		c.Users = append(c.Users, s.change(p))
	}
	slices.SortFunc(c.Users, func(a, b wire.Change) int { return strings.Compare(a.GUID, b.GUID) })
	s.must(s.Apply(context.Background(), c))
	synctest.Wait()
}

func (s *site) change(p patch) wire.Change {
	s.Helper()
	id := p.id
	if p.was != "" {
		id = p.was
	}
	if s.guids[id] == "" {
		s.guids[id] = fmt.Sprintf("0190a000-0000-7000-8000-%012x", len(s.guids)+1)
	}
	guid := s.guids[id]
	s.guids[p.id] = guid
	if p.gone {
		return wire.Change{GUID: guid, Gone: true}
	}
	rec := protocol.Record{}
	out := wire.Change{GUID: guid}
	if !p.removed {
		rec = protocol.Fold([]protocol.Contribution{s.contribution(p)}, s.settings.Rules)
		out.IDs = []string{p.id}
		if p.was != "" {
			out.IDs = append(out.IDs, p.was)
		}
		for _, h := range rec.Credentials {
			out.Keys = append(out.Keys, wire.KeyHash(h.Credential.Key()))
		}
	}
	rec.GUID, rec.Removed = guid, p.removed
	b, err := s.codec.Marshal(rec)
	s.must(err)
	out.Record = b
	return out
}

func (s *site) contribution(p patch) protocol.Contribution {
	at := protocol.Stamp{Wall: time.Now().UnixMilli()}
	c := protocol.NewContribution(protocol.SourceOffice)
	c.Set(protocol.FieldUserID, protocol.Text(p.id), at)
	c.Set(protocol.FieldName, protocol.Text(p.name), at)
	c.Set(protocol.FieldPIN, protocol.Text(p.pin), at)
	c.Set("custom:plate", protocol.Text(p.plate), at)
	c.Set(protocol.FieldValidity, p.validity.Value(), at)
	if p.inactive {
		c.Set(protocol.FieldState, protocol.Text(protocol.StateInactive), at)
	}
	for _, n := range p.cards {
		c.SetCredential(protocol.Card(n), protocol.Given, at)
	}
	for _, g := range p.groups {
		c.SetGroup(g, protocol.Given, at)
	}
	return c
}

// log is the journal since the entry of a number, in short.
func (s *site) log(after uint64) []string {
	s.Helper()
	var out []string
	for e, err := range s.Entries(journal.Query{From: after + 1}) {
		s.must(err)
		line := string(e.Event)
		if e.UserID != "" {
			line += " " + e.UserID
		}
		out = append(out, line)
	}
	return out
}

// since returns the number of the last entry, for log.
func (s *site) now() uint64 { return s.Journal.State().Last }

func (s *site) wantLog(after uint64, want ...string) {
	s.Helper()
	if got := s.log(after); !slices.Equal(got, want) {
		s.Errorf("journaled %q, want %q", got, want)
	}
}

func (s *site) wantUser(id, want string) {
	s.Helper()
	v, ok, err := s.User(id)
	s.must(err)
	got := "none"
	if ok && !v.Removed {
		parts := []string{v.User.ID}
		if n := v.User.FullName(); n != "" {
			parts = append(parts, n)
		}
		for _, c := range v.User.Credentials {
			parts = append(parts, "#"+c.Number)
		}
		parts = append(parts, v.User.Groups...)
		got = strings.Join(parts, " ")
	}
	if got != want {
		s.Errorf("user %s is %q, want %q", id, got, want)
	}
}

func wantState(t testing.TB, r *Reader, want wire.ReaderState) {
	t.Helper()
	got := r.State()
	got = wire.ReaderState{
		State: got.State, Users: got.Users, Add: got.Add, Update: got.Update, Delete: got.Delete,
		Held: got.Held, GivenUp: got.GivenUp, Unknown: got.Unknown,
	}
	if got != want {
		t.Errorf("state %+v, want %+v", got, want)
	}
}

// later lets time pass.
func later(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

var errBroken = errors.New("no space left on device")
