// Package uplink carries a site's journal to the center and the center's
// changes back: it connects, says what the site has, sends what is owed, pulls
// what is lacking, and begins again whenever the connection is lost.
package uplink

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	mathrand "math/rand/v2"
	"time"

	"doorsync/agent/journal"
	"doorsync/protocol"
	"doorsync/protocol/wire"
)

// Outbox is what the center has still to be told.
type Outbox interface {
	State() journal.State
	Pending(after uint64, maxEntries, maxBytes int) ([]journal.RawEntry, error)
	Appended() <-chan struct{}
	Confirm(ctx context.Context, c wire.Confirm) error
	NewEpoch(ctx context.Context, why string) error
}

// Copy is the site's copy of the roster.
type Copy interface {
	State() journal.State
	// Prepare does ahead of Apply what can be done while another Apply runs.
	Prepare(changes *wire.Changes)
	Apply(ctx context.Context, changes ...wire.Changes) error
	Buckets() [wire.Buckets]wire.Sum
	Digest(ctx context.Context, buckets []uint8) (map[string][]byte, error)
}

// Log takes what the uplink itself has to tell.
type Log interface {
	Append(ctx context.Context, b journal.Batch) ([]protocol.Entry, error)
}

// Readers tells the state of the site's readers.
type Readers interface {
	States() []wire.ReaderState
	Changed() <-chan struct{} // wakes, capacity 1
}

// Syncer does what a person at the center asks of this site. It returns as soon
// as the work has begun.
type Syncer interface {
	SyncNow(ctx context.Context, reader, by string) error
}

// Options of an uplink. Site, Connect and the journal's three faces are
// required.
type Options struct {
	Site    string
	Connect Connect
	Outbox  Outbox
	Copy    Copy
	Log     Log
	Readers Readers // nil: none to tell of
	Syncer  Syncer  // nil: such orders are refused
	// Groups and Mode are the site's own wishes, for its hello.
	Groups  []string
	Mode    string
	Version string
	Logger  *slog.Logger     // nil: discards
	Now     func() time.Time // nil: time.Now
}

// Uplink is the agent's side of the exchange.
type Uplink struct {
	Options
	codec *wire.Codec
	taps  wire.Taps
	status
	done doneOrders
}

// New returns an uplink; Run sets it to work.
func New(o Options) (*Uplink, error) {
	codec, err := wire.NewCodec()
	if err != nil {
		return nil, fmt.Errorf("new uplink: %w", err)
	}
	if err := wire.ValidSite(o.Site); err != nil {
		return nil, fmt.Errorf("new uplink: %w", err)
	}
	if o.Connect == nil || o.Outbox == nil || o.Copy == nil || o.Log == nil {
		return nil, errors.New("new uplink: Connect, Outbox, Copy and Log are required")
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	u := &Uplink{Options: o, codec: codec}
	u.set(func(s *Status) { s.State, s.Since = Offline, o.Now() })
	return u, nil
}

// Between attempts to connect: short, so that the link's return is noticed at
// once, and jittered, so that a thousand sites do not knock together.
const (
	retryLeast = 50 * time.Millisecond
	retryMost  = 150 * time.Millisecond
	// warnEvery is how often the log hears of another reason. A broker that hangs
	// up at once gives one after the other, ten times a second.
	warnEvery = time.Minute
)

// Run connects and connects again until ctx ends; only that ends it. What goes
// wrong is in the Status, in the journal and, when it is another than before, in the log.
func (u *Uplink) Run(ctx context.Context) error {
	for ctx.Err() == nil {
		err := u.connection(ctx)
		if ctx.Err() != nil {
			break
		}
		u.lost(ctx, err)
		pause(ctx, retryLeast+mathrand.N(retryMost-retryLeast))
	}
	u.set(func(s *Status) { s.State, s.Since = Offline, u.Now() })
	return nil
}

// connection lives through one connection, from the attempt to its end.
func (u *Uplink) connection(ctx context.Context) error {
	s := newSession(u, rand.Text())
	will, err := u.codec.Encode(wire.Presence{Session: s.id})
	if err != nil {
		return err
	}
	link, err := u.Connect(ctx, Call{Session: s.id, Will: will, Heard: s.heard})
	if err != nil {
		return err
	}
	defer link.Close()
	s.link = link
	u.set(func(st *Status) { st.State = Waiting })
	return s.run(ctx)
}

// lost tells people, once, that the site is on its own.
func (u *Uplink) lost(ctx context.Context, err error) {
	was := u.set(func(s *Status) {
		if s.State == Online {
			s.Since = u.Now()
		}
		s.State, s.Error = Offline, err.Error()
	})
	if was.told && (was.Error == err.Error() || time.Since(was.warned) < warnEvery) {
		return
	}
	if !was.told {
		u.append(ctx, protocol.EventWANLost, err.Error())
	}
	u.set(func(s *Status) { s.told, s.warned = true, time.Now() })
	u.Logger.Warn("center not reachable; the site works on alone and tries again", "error", err)
}

// append puts a line about the uplink itself into the journal.
func (u *Uplink) append(ctx context.Context, e protocol.Event, detail string) {
	_, err := u.Log.Append(ctx, journal.Batch{Drafts: []journal.Draft{{Event: e, Detail: detail}}})
	if err != nil && ctx.Err() == nil {
		u.Logger.Error("journal of the uplink", "event", e, "error", err)
	}
}

// Tap begins to show the traffic, secrets left out; stop ends it. show must not
// block.
func (u *Uplink) Tap(show func(wire.Shown)) (stop func()) { return u.taps.Add(show) }

func (u *Uplink) trace(dir string, k wire.Kind, payload []byte) {
	u.taps.Show(func() wire.Shown {
		return u.codec.Show(u.Now().UnixMilli(), u.Site, dir, k, payload)
	})
}

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}
