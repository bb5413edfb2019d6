// Package exchange is the center's side of the talk with the sites: it hears
// their journals and tells them the roster's changes. Hearing and telling meet
// only in the roster.
package exchange

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"doorsync/cloud/roster"
	"doorsync/protocol/wire"
)

// Hearing takes in what sites say.
type Hearing interface {
	Hello(ctx context.Context, site string, h wire.Hello) (wire.Confirm, error)
	Hear(ctx context.Context, batches []roster.SiteBatch) ([]wire.Confirm, error)
}

// Telling knows what sites must be told.
type Telling interface {
	ID() string
	Revision() uint64
	Committed() (wake <-chan struct{}, end func())
	Changes(ctx context.Context, site string, after uint64, cursor []byte, maxBytes int) (wire.Changes, error)
	Own(site string, after uint64) bool
}

// Comparing finds and mends differences between a site's copy and the roster.
type Comparing interface {
	SiteDigest(ctx context.Context, site string) ([wire.Buckets]wire.Sum, error)
	Mend(ctx context.Context, site string, d wire.Digest) (wire.Changes, error)
}

// Presence knows the sites and what was last seen of them.
type Presence interface {
	HasSite(site string) bool
	Sites(ctx context.Context) ([]roster.SiteView, error)
	SetReaders(ctx context.Context, site string, states []wire.ReaderState) error
	Seen(ctx context.Context, site string, online bool) error
}

// Roster is all of it.
type Roster interface {
	Hearing
	Telling
	Comparing
	Presence
}

// Pipe carries messages to the sites. It may lose, double and reorder them.
type Pipe interface {
	Publish(topic string, payload []byte) error
}

// Options of an exchange. Roster and Pipe are required.
type Options struct {
	Roster Roster
	Pipe   Pipe
	Topics wire.Topics
	Logger *slog.Logger     // nil: discards
	Now    func() time.Time // nil: time.Now
}

// Exchange is the center's side of the talk with all sites.
type Exchange struct {
	Options
	codec  *wire.Codec
	taps   wire.Taps
	in     intake
	ear    ear
	mouth  mouth
	echoes echoes
	notes  notes
	waits  waits
	count  counts

	mu    sync.Mutex
	sites map[string]*site
}

// New returns an exchange; Run sets it to work.
func New(o Options) (*Exchange, error) {
	if o.Roster == nil || o.Pipe == nil {
		return nil, errors.New("new exchange: Roster and Pipe are required")
	}
	codec, err := wire.NewCodec()
	if err != nil {
		return nil, fmt.Errorf("new exchange: %w", err)
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	x := &Exchange{Options: o, codec: codec, sites: map[string]*site{}}
	x.in.init()
	x.ear.init()
	x.mouth.init()
	x.echoes.init()
	x.notes.init()
	return x, nil
}

// Run hears and tells until ctx ends.
func (x *Exchange) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	parts := []func(context.Context) error{x.read, x.hear, x.watchRoster, x.echo, x.note, x.sweep}
	for range tellers {
		parts = append(parts, x.tell)
	}
	for _, part := range parts {
		g.Go(func() error { return part(ctx) })
	}
	err := g.Wait()
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// Connected tells that the connection to the broker has begun (again): sites
// that were connected all the while are asked to say what they have.
func (x *Exchange) Connected() { x.notes.ask(func(n *pending) { n.greetAll = true }) }

// Lost tells that the connection to the broker has ended.
func (x *Exchange) Lost(error) {
	for _, s := range x.all() {
		if s.leave("") {
			x.notes.seen(s.name, false)
		}
	}
}

// site returns the state of a site that the roster knows, nil for others.
func (x *Exchange) site(name string) *site {
	x.mu.Lock()
	defer x.mu.Unlock()
	s := x.sites[name]
	if s == nil && x.Roster.HasSite(name) {
		s = &site{name: name}
		x.sites[name] = s
	}
	return s
}

func (x *Exchange) all() []*site {
	x.mu.Lock()
	defer x.mu.Unlock()
	all := make([]*site, 0, len(x.sites))
	for _, s := range x.sites {
		all = append(all, s)
	}
	return all
}

// send encodes a message for a site and hands it to the broker.
func (x *Exchange) send(site string, k wire.Kind, m any) (bytes int, err error) {
	payload, err := x.codec.Encode(m)
	if err != nil {
		return 0, err
	}
	x.trace(site, wire.Down, k, payload)
	if err := x.Pipe.Publish(x.Topics.Down(site, k), payload); err != nil {
		return 0, fmt.Errorf("send %s to %s: %w", k, site, err)
	}
	return len(payload), nil
}

// Tap begins to show the traffic, secrets left out; stop ends it. show must not
// block.
func (x *Exchange) Tap(show func(wire.Shown)) (stop func()) { return x.taps.Add(show) }

func (x *Exchange) trace(site, dir string, k wire.Kind, payload []byte) {
	x.taps.Show(func() wire.Shown { return x.codec.Show(x.Now().UnixMilli(), site, dir, k, payload) })
}

func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}
