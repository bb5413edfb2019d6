package roster

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"doorsync/protocol"
)

// Recomputing is how far all users are computed anew.
type Recomputing struct {
	Began   uint64 `cbor:"began"`           // revision at which the rules came into force
	Started int64  `cbor:"started"`         // milliseconds
	Done    int    `cbor:"done,omitempty"`  // users
	Total   int    `cbor:"total,omitempty"` // when it began, 0 until they were counted
}

// Progress is how far something is that is computed in the background.
type Progress struct {
	What        string // for people
	Done, Total int    // users; Total is 0 while they are not counted
	Started     time.Time
}

// ContestReader finds the users whom a change of the rules can matter to.
type ContestReader interface {
	// Contested are all users after a GUID, in order of GUID, as UsersFrom has
	// them. Contributions are with them, and Record only where these are not empty:
	// of everybody else the record tells all that was said.
	Contested(guid string, fn func(*UserRow) bool) error
	CountUsers() (int, error)
}

// Progress tells how far the computation in the background is, false when there
// is none.
func (r *Roster) Progress() (Progress, bool) {
	m := r.state.metaNow()
	switch {
	case m.Recompute == nil && m.Reindex == nil:
		return Progress{}, false
	case m.Recompute == nil:
		return Progress{What: "global keys"}, true
	}
	p := Progress{What: "order of sources"}
	if at := m.Recomputing; at != nil {
		p.Done, p.Total, p.Started = at.Done, max(at.Total, at.Done), unixMilli(at.Started)
	}
	return p, true
}

// What a transaction in the background may take, so that an edit never waits for
// long: working, then as much again for the writing. Somebody who waits is let in
// sooner.
const (
	atMost      = 5 * time.Millisecond
	whenAwaited = 2 * time.Millisecond
	atMostUsers = 128
)

// What is looked through before something is written.
const (
	stretchUsers   = 100_000
	stretchDiffers = 16 * atMostUsers
	stretchTime    = 200 * time.Millisecond
)

// pauseAfterFault lets a disk that is full not be asked for room all the time.
const pauseAfterFault = 10 * time.Second

// Run carries out in the background what a change of the rules leaves to
// compute, until ctx ends. What was interrupted is gone on with.
func (r *Roster) Run(ctx context.Context) error {
	for {
		behind, again := (<-chan struct{})(r.behind), (<-chan time.Time)(nil)
		if err := r.CatchUp(ctx); err != nil && ctx.Err() == nil {
			r.log.Error("computing all users anew is interrupted; it is tried again", "error", err, "in", pauseAfterFault)
			behind, again = nil, time.After(pauseAfterFault) // every commit says that something is left
		}
		select {
		case <-ctx.Done():
			return nil
		case <-again:
		case <-behind:
		}
	}
}

// CatchUp carries out all that is left to compute, and returns when nothing is.
func (r *Roster) CatchUp(ctx context.Context) error {
	for {
		m := r.state.metaNow()
		if m.Recompute == nil {
			return r.Reindex(ctx)
		}
		s, err := r.lookThrough(ctx, m)
		for err == nil && !s.done {
			next := *s
			if err = r.update(ctx, func(w *work) error { return w.recompute(&next) }); err == nil {
				*s = next
			}
		}
		if err != nil && !errors.Is(err, errOvertaken) {
			return fmt.Errorf("compute users anew: %w", err)
		}
	}
}

// errOvertaken says that other rules came into force meanwhile.
var errOvertaken = errors.New("the rules were changed again")

// stretch is some consecutive users, looked through in a snapshot for those who
// come out otherwise under the rules in force. Nobody else needs a transaction:
// what is said about them meanwhile is folded under the same rules.
type stretch struct {
	rules   protocol.Rules
	began   uint64 // of the rules
	after   string // GUID of the last one done
	upTo    string // GUID of the last one looked at
	last    bool   // there is nobody beyond
	total   int    // of all users, 0 if they were counted before
	users   int    // looked at
	before  int    // of them done
	differs []differing
	done    bool
}

// differing is a user who comes out otherwise; place counts from the beginning of
// the stretch.
type differing struct {
	guid  string
	place int
}

func (r *Roster) lookThrough(ctx context.Context, m Meta) (*stretch, error) {
	s := &stretch{rules: m.Rules, after: *m.Recompute, last: true}
	count := true
	if at := m.Recomputing; at != nil {
		s.began, count = at.Began, at.Total == 0
	}
	began := time.Now()
	err := r.store.View(ctx, func(v View) (err error) {
		if count {
			if s.total, err = v.CountUsers(); err != nil {
				return err
			}
		}
		var bad error
		err = v.Contested(s.after, func(row *UserRow) bool {
			bad = s.look(r, row)
			s.last = bad == nil && ctx.Err() == nil && s.users < stretchUsers && len(s.differs) < stretchDiffers &&
				(s.users%64 > 0 || time.Since(began) < stretchTime)
			return s.last
		})
		return cmp.Or(bad, err, ctx.Err())
	})
	return s, err
}

// look takes one more user in.
func (s *stretch) look(r *Roster, row *UserRow) error {
	s.users++
	s.upTo = row.GUID
	if !row.contested() {
		return nil
	}
	u, err := outlineOf(r.codec, &storedUser{row: *row})
	if err != nil {
		return err
	}
	before := u.record.Values
	if u.refoldValues(s.rules); !maps.Equal(before, u.record.Values) {
		s.differs = append(s.differs, differing{row.GUID, s.users})
	}
	return nil
}

// contested tells that rules decide: more was said than the record tells.
func (r *UserRow) contested() bool { return r.live() && len(r.Contributions) > 0 }

// refoldValues computes the values anew. Rules decide about nothing else.
func (u *user) refoldValues(rules protocol.Rules) {
	all := protocol.NewContribution("")
	for _, c := range u.contributions {
		for f := range c.Values {
			all.Values[f] = protocol.Said{}
		}
	}
	u.record = protocol.Refold(u.record, u.contributions, all, rules)
}

// recompute computes users of the stretch anew, as many as one transaction may
// take.
func (w *work) recompute(s *stretch) error {
	at := Recomputing{}
	if w.meta.Recomputing != nil {
		at = *w.meta.Recomputing
	}
	if w.meta.Recompute == nil || *w.meta.Recompute != s.after || at.Began != s.began {
		return errOvertaken
	}
	w.passing = true
	began, n := time.Now(), 0
	for _, d := range s.differs {
		if n > 0 && w.late(n, time.Since(began)) {
			break
		}
		u, err := w.outline(d.guid)
		if err != nil {
			return err
		}
		n++
		if u.row.live() {
			w.touch(u, "")
			u.refoldValues(w.meta.Rules)
		}
	}
	w.advance(s, n, &at)
	w.meta.Recomputing = &at
	w.meta.Recompute = &s.after
	if s.done && s.last {
		w.meta.Recompute, w.meta.Recomputing = nil, nil
	}
	return nil
}

// late tells that it is time to let others write.
func (w *work) late(users int, took time.Duration) bool {
	return users >= atMostUsers || took > atMost || (took > whenAwaited && w.r.waiting.Load() > 0)
}

// advance notes that n of those who differ are done, and everybody before the
// next one with them.
func (w *work) advance(s *stretch, n int, at *Recomputing) {
	place := s.users
	if n < len(s.differs) {
		place, s.after = s.differs[n-1].place, s.differs[n-1].guid
	} else {
		s.done, s.after = true, cmp.Or(s.upTo, s.after)
	}
	at.Total = cmp.Or(at.Total, s.total)
	at.Done += place - s.before
	s.before = place
	s.differs = s.differs[n:]
}
