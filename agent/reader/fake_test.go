package reader

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"doorsync/firmware-bridge/driver"
	"doorsync/protocol"
)

// fake is a reader whose table the test sees and edits.
type fake struct {
	mu     sync.Mutex
	serial string
	cards  bool // a table of cards without user IDs, with doors
	plain  bool // cannot show single rows
	logs   bool // has a log
	cut    int  // names are cut to so many bytes, which the projection does not know
	doors  map[int][]string

	rows     map[string]driver.Row
	fail     map[string]error // by key, for writes
	down     error            // for everything
	short    bool             // the table comes incomplete
	beforeOK func() error     // called after a write took effect, before it is reported
	notices  []driver.Notice  // the log
	gap      string

	lists, gets, puts, deletes, opens, pings, clocks int
	wrote                                            []string
	notify                                           func(driver.Notice)
}

func newFake() *fake {
	return &fake{serial: "A1", rows: map[string]driver.Row{}, fail: map[string]error{}}
}

func (f *fake) Open(context.Context) (driver.Session, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.opens++
	if f.down != nil {
		return nil, f.down
	}
	s := fakeSession{f: f}
	switch {
	case f.plain:
		return s, nil
	case f.logs:
		return logSession{getSession{s}}, nil
	default:
		return getSession{s}, nil
	}
}

type fakeSession struct{ f *fake }

func (s fakeSession) Info() driver.Info {
	return driver.Info{Model: "fake", Serial: s.f.serial, Firmware: "1", Users: len(s.f.rows), Capacity: 100}
}

func (s fakeSession) List(context.Context) ([]driver.Row, error) {
	s.f.mu.Lock()
	defer s.f.mu.Unlock()
	s.f.lists++
	if s.f.down != nil {
		return nil, s.f.down
	}
	if s.f.short {
		return nil, fmt.Errorf("4 of 9 rows: %w", driver.ErrIncomplete)
	}
	return slices.Collect(maps.Values(s.f.rows)), nil
}

func (s fakeSession) Put(_ context.Context, rows []driver.Row) (driver.Results, error) {
	s.f.mu.Lock()
	defer s.f.mu.Unlock()
	if s.f.down != nil {
		return nil, s.f.down
	}
	res := make(driver.Results, len(rows))
	for i, r := range rows {
		s.f.puts++
		s.f.wrote = append(s.f.wrote, r.Key)
		if res[i] = s.f.fail[r.Key]; res[i] == nil {
			s.f.rows[r.Key] = s.f.store(r)
		}
	}
	if s.f.beforeOK != nil {
		return res, s.f.beforeOK()
	}
	return res, nil
}

// store is the row as the reader keeps it.
func (f *fake) store(r driver.Row) driver.Row {
	r.User = r.User.Clone()
	if n := r.User.Values[protocol.FieldName].First; f.cut > 0 && len(n) > f.cut {
		r.User.Values[protocol.FieldName] = protocol.Text(n[:f.cut])
	}
	return r
}

func (s fakeSession) Delete(_ context.Context, keys []string) (driver.Results, error) {
	s.f.mu.Lock()
	defer s.f.mu.Unlock()
	if s.f.down != nil {
		return nil, s.f.down
	}
	res := make(driver.Results, len(keys))
	for i, k := range keys {
		s.f.deletes++
		if res[i] = s.f.fail[k]; res[i] == nil {
			delete(s.f.rows, k)
		}
	}
	return res, nil
}

func (s fakeSession) Close() error { return nil }

func (s fakeSession) Ping(context.Context) error {
	s.f.mu.Lock()
	defer s.f.mu.Unlock()
	s.f.pings++
	return s.f.down
}

func (s fakeSession) SetTime(context.Context, time.Time) error {
	s.f.mu.Lock()
	defer s.f.mu.Unlock()
	s.f.clocks++
	return nil
}

func (s fakeSession) Watch(ctx context.Context, notify func(driver.Notice)) error {
	s.f.mu.Lock()
	s.f.notify = notify
	s.f.mu.Unlock()
	<-ctx.Done()
	return ctx.Err()
}

func (s fakeSession) Project(u protocol.User) ([]driver.Row, []driver.LeftOut) {
	if s.f.cards {
		return s.f.projectCards(u)
	}
	r := driver.Row{Key: u.ID, User: protocol.User{ID: u.ID, Values: map[protocol.Field]protocol.Value{}}}
	if n := u.FullName(); n != "" {
		r.User.Values[protocol.FieldName] = protocol.Text(n)
	}
	if p := u.Value(protocol.FieldPIN); p.First != "" {
		r.User.Values[protocol.FieldPIN] = protocol.Value{First: p.First}
	}
	if !u.Active() {
		r.User.Values[protocol.FieldState] = protocol.Text(protocol.StateInactive)
	}
	var left []driver.LeftOut
	for i, c := range u.OfKind(protocol.KindCard) {
		if i == 0 {
			r.User.Credentials = append(r.User.Credentials, c)
		} else {
			left = append(left, driver.LeftOut{Credential: c.Key(), Reason: "no room for a second card"})
		}
	}
	r.User.Credentials = append(r.User.Credentials, u.OfKind(protocol.KindFingerprint)...)
	return []driver.Row{r}, left
}

func (f *fake) projectCards(u protocol.User) ([]driver.Row, []driver.LeftOut) {
	doors := map[int]uint8{}
	for d, gs := range f.doors {
		if slices.ContainsFunc(gs, func(g string) bool { return slices.Contains(u.Groups, g) }) {
			doors[d] = 1
		}
	}
	if len(doors) == 0 {
		return nil, nil
	}
	var rows []driver.Row
	for _, c := range u.OfKind(protocol.KindCard) {
		rows = append(rows, cardRow(c.Number, doors))
	}
	return rows, nil
}

func cardRow(number string, doors map[int]uint8) driver.Row {
	n, _ := strconv.ParseUint(number, 10, 64)
	return driver.Row{Key: "card:" + number, Doors: doors, User: protocol.User{Credentials: []protocol.Credential{protocol.Card(n)}}}
}

type getSession struct{ fakeSession }

func (s getSession) Get(_ context.Context, keys []string) ([]driver.Row, error) {
	s.f.mu.Lock()
	defer s.f.mu.Unlock()
	s.f.gets++
	if s.f.down != nil {
		return nil, s.f.down
	}
	var out []driver.Row
	for _, k := range keys {
		if r, ok := s.f.rows[k]; ok {
			out = append(out, r)
		}
	}
	return out, nil
}

type logSession struct{ getSession }

func (s logSession) ReadLog(_ context.Context, cursor []byte) (driver.Log, error) {
	s.f.mu.Lock()
	defer s.f.mu.Unlock()
	if s.f.down != nil {
		return driver.Log{}, s.f.down
	}
	out := driver.Log{Cursor: []byte(strconv.Itoa(len(s.f.notices))), Gap: s.f.gap}
	s.f.gap = ""
	if cursor == nil {
		return out, nil
	}
	at, err := strconv.Atoi(string(cursor))
	if err != nil || at > len(s.f.notices) {
		return out, errors.New("no cursor of this log")
	}
	out.Notices = slices.Clone(s.f.notices[at:])
	return out, nil
}

// person makes the row of somebody at a reader with user IDs.
func person(id, name string, cs ...protocol.Credential) driver.Row {
	u := protocol.User{ID: id, Values: map[protocol.Field]protocol.Value{}, Credentials: cs}
	if name != "" {
		u.Values[protocol.FieldName] = protocol.Text(name)
	}
	return driver.Row{Key: id, User: u}
}

// enter puts a row into the reader, as somebody standing at it does, and lets
// the reader tell of it.
func (f *fake) enter(r driver.Row) {
	f.mu.Lock()
	f.rows[r.Key] = r
	f.mu.Unlock()
	f.tell(driver.Notice{Kind: driver.NoticeChanged, Key: r.Key})
}

// drop deletes a row at the reader.
func (f *fake) drop(key string) {
	f.mu.Lock()
	delete(f.rows, key)
	f.mu.Unlock()
	f.tell(driver.Notice{Kind: driver.NoticeChanged, Key: key})
}

func (f *fake) tell(n driver.Notice) {
	f.mu.Lock()
	notify := f.notify
	f.mu.Unlock()
	if notify != nil {
		notify(n)
	}
}

func (f *fake) set(fn func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	fn()
}

// holds is the reader's table in short: "4 Anna …6543".
func (f *fake) holds() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []string
	for _, key := range slices.Sorted(maps.Keys(f.rows)) {
		r := f.rows[key]
		parts := []string{key}
		if n := r.User.Values[protocol.FieldName].First; n != "" {
			parts = append(parts, n)
		}
		if p := r.User.Values[protocol.FieldPIN].First; p != "" {
			parts = append(parts, "pin "+p)
		}
		for _, c := range r.User.Credentials {
			if c.Kind == protocol.KindCard {
				parts = append(parts, "#"+c.Number)
			} else {
				parts = append(parts, c.String())
			}
		}
		out = append(out, strings.Join(parts, " "))
	}
	return strings.Join(out, ", ")
}

func (f *fake) want(t *testing.T, want string) {
	t.Helper()
	if got := f.holds(); got != want {
		t.Errorf("the reader holds %q, want %q", got, want)
	}
}
