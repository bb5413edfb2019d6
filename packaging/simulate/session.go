package simulate

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"

	"doorsync/firmware-bridge/driver"
	"doorsync/protocol"
)

// session is an agent's connection to a reader, in the driver's contract. What
// only some readers can do is in the types around it.
type session struct {
	r      *reader
	a      *agent
	serial int
	kind   kind
}

type (
	getting  struct{ *session }
	logging  struct{ getting }
	watching struct{ *session } // logs, but cannot show single rows
)

var errNoAnswer = errors.New("no answer from the reader")

// driver is how an agent reaches the reader.
func (r *reader) open(a *agent) func(context.Context) (driver.Session, error) {
	return func(ctx context.Context) (driver.Session, error) {
		if err := r.pause(ctx, a); err != nil {
			return nil, err
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		s := &session{r: r, a: a, serial: r.serial, kind: r.kind}
		switch {
		case r.kind.get && r.kind.log:
			return logging{getting{s}}, nil
		case r.kind.get:
			return getting{s}, nil
		case r.kind.log:
			return watching{s}, nil
		default:
			return s, nil
		}
	}
}

// pause is the time that an answer takes, and the chance that none comes.
func (r *reader) pause(ctx context.Context, a *agent) error {
	r.mu.Lock()
	calm := r.calm
	r.mu.Unlock()
	if calm { // at the end people ask readers whose session is held while it writes
		return alive(ctx, a)
	}
	t := time.NewTimer(time.Duration(r.dice.n(40_000_000)))
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.down, !r.calm && r.dice.in(8):
		return errNoAnswer
	}
	return alive(ctx, a)
}

func alive(ctx context.Context, a *agent) error {
	if a.dead.Load() {
		return errKilled
	}
	return ctx.Err()
}

// begin is the beginning of every exchange with the reader; it leaves the reader
// locked unless it fails.
func (s *session) begin(ctx context.Context) error {
	if err := s.r.pause(ctx, s.a); err != nil {
		return err
	}
	s.r.mu.Lock()
	if s.serial != s.r.serial {
		s.r.mu.Unlock()
		return errors.New("connection reset by reader")
	}
	return nil
}

func (s *session) Info() driver.Info {
	s.r.mu.Lock()
	defer s.r.mu.Unlock()
	return driver.Info{Model: s.kind.name, Serial: fmt.Sprint(s.serial), Users: len(s.r.table), Capacity: s.kind.room}
}

func (s *session) Project(u protocol.User) ([]driver.Row, []driver.LeftOut) { return s.kind.project(u) }

func (s *session) Close() error { return nil }

func (s *session) List(ctx context.Context) ([]driver.Row, error) {
	if err := s.begin(ctx); err != nil {
		return nil, err
	}
	defer s.r.mu.Unlock()
	if s.r.half && !s.r.calm && s.r.dice.in(700) {
		return nil, driver.ErrIncomplete
	}
	var out []driver.Row
	for _, key := range sortedKeys(s.r.table) {
		out = append(out, clone(s.r.table[key]))
	}
	if s.r.w.plant == plantShortRead && len(out) > 1 && s.r.dice.in(200) {
		out = out[:len(out)/2]
	}
	s.r.see(s, out)
	return out, nil
}

func clone(r driver.Row) driver.Row {
	r.User = r.User.Clone()
	return r
}

// see notes that an agent has read rows.
func (r *reader) see(s *session, rows []driver.Row) {
	for _, m := range r.marks {
		if i := slices.IndexFunc(rows, func(row driver.Row) bool { return row.Key == m.key }); i >= 0 && m.in(rows[i]) {
			m.seen = s
		}
	}
}

func (s *session) Put(ctx context.Context, rows []driver.Row) (driver.Results, error) {
	if err := s.begin(ctx); err != nil {
		return nil, err
	}
	defer s.r.mu.Unlock()
	out := make(driver.Results, len(rows))
	for i, row := range rows {
		_, there := s.r.table[row.Key]
		switch {
		case !s.r.calm && s.r.dice.in(4):
			return nil, fmt.Errorf("after %d rows: %w", i, errNoAnswer)
		case !s.r.calm && s.r.dice.in(4):
			out[i] = driver.ErrRefused
		case !there && len(s.r.table) >= s.kind.room:
			out[i] = driver.ErrFull
		default:
			s.r.overwrite(s, row.Key, &row)
			s.r.table[row.Key] = clone(row)
			s.r.w.tell(s.a.who, "writes user %s to %s: %q, %s", row.Key, s.r.name, row.User.FullName(), cardsOf(row.User))
			s.r.notices = append(s.r.notices, row.Key)
		}
	}
	if !s.r.calm && s.r.dice.in(4) {
		return nil, errNoAnswer // written, but not said so
	}
	return out, nil
}

// overwrite looks at what is lost when a row is replaced, by nil if it goes.
func (r *reader) overwrite(s *session, key string, by *driver.Row) {
	old := r.table[key]
	for _, m := range r.marks {
		if m.key != key || !m.in(old) || (by != nil && m.in(*by)) {
			continue
		}
		if m.seen == s && !m.told {
			r.w.fault("%s overwrites %s of user %s at reader %s, which it has read and its journal says nothing about", s.a.who, m, key, r.name)
		}
		m.told = true // once is enough
	}
}

func (s *session) Delete(ctx context.Context, keys []string) (driver.Results, error) {
	if err := s.begin(ctx); err != nil {
		return nil, err
	}
	defer s.r.mu.Unlock()
	for i, key := range keys {
		if !s.r.calm && s.r.dice.in(4) {
			return nil, fmt.Errorf("after %d rows: %w", i, errNoAnswer)
		}
		s.r.overwrite(s, key, nil)
		delete(s.r.table, key)
		s.r.unmark(key)
		s.r.cleared[key] = true
		s.r.w.tell(s.a.who, "deletes user %s from %s", key, s.r.name)
		s.r.notices = append(s.r.notices, key)
	}
	return make(driver.Results, len(keys)), nil
}

// Get shows single rows. Where somebody is at the reader at this very moment,
// they type just after it.
func (s getting) Get(ctx context.Context, keys []string) ([]driver.Row, error) {
	if err := s.begin(ctx); err != nil {
		return nil, err
	}
	var out []driver.Row
	for _, key := range keys {
		if row, ok := s.r.table[key]; ok {
			out = append(out, clone(row))
		}
	}
	s.r.see(s.session, out)
	types := s.r.touchy && len(out) > 0 && s.r.dice.in(300)
	s.r.typed++
	name := fmt.Sprintf("T%d%s", s.r.typed, s.r.name)
	s.r.mu.Unlock()
	if types {
		s.r.person(typing{key: out[0].Key, name: name})
	}
	return out, nil
}

func (s logging) Watch(ctx context.Context, notify func(driver.Notice)) error {
	return s.watch(ctx, notify)
}

func (s watching) Watch(ctx context.Context, notify func(driver.Notice)) error {
	return s.watch(ctx, notify)
}

func (s logging) ReadLog(ctx context.Context, cursor []byte) (driver.Log, error) {
	return s.readLog(ctx, cursor)
}

func (s watching) ReadLog(ctx context.Context, cursor []byte) (driver.Log, error) {
	return s.readLog(ctx, cursor)
}

func (s *session) watch(ctx context.Context, notify func(driver.Notice)) error {
	s.r.mu.Lock()
	s.r.watching[s] = notify
	s.r.mu.Unlock()
	<-ctx.Done()
	s.r.mu.Lock()
	delete(s.r.watching, s)
	s.r.mu.Unlock()
	return nil
}

func (s *session) readLog(ctx context.Context, cursor []byte) (driver.Log, error) {
	if err := s.begin(ctx); err != nil {
		return driver.Log{}, err
	}
	defer s.r.mu.Unlock()
	out := driver.Log{Cursor: s.r.cursor()}
	if len(cursor) != 8 {
		return out, nil
	}
	at := binary.BigEndian.Uint64(cursor)
	from := int(uint32(at)) - s.r.first
	switch {
	case int(at>>32) != s.r.serial || from > len(s.r.notices):
		return out, errors.New("the log has no such place")
	case from < 0:
		out.Gap, from = "entries were overwritten", 0
	}
	for _, key := range s.r.notices[from:] {
		out.Notices = append(out.Notices, driver.Notice{Kind: driver.NoticeChanged, Key: key})
	}
	return out, nil
}
