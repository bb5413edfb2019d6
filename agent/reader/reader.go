// Package reader drives each reader of a site to a goal: what it should hold is
// what the site's journal says, what it holds is what its table shows, and a
// session makes the second the first. Edits made at the reader are found by the
// same comparison and go into the journal. See DESIGN.md.
package reader

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"doorsync/agent/journal"
	"doorsync/firmware-bridge/driver"
	"doorsync/protocol"
	"doorsync/protocol/wire"
)

// Roster is what the site holds of its users.
type Roster interface {
	User(id string) (journal.View, bool, error)
	Users(ctx context.Context, fn func(journal.View) error) error
	Owner(k protocol.CredentialKey) (userID string, ok bool, err error)
	Settings() wire.Settings
	State() journal.State
}

// Journal is the part of the site's journal that a reader needs.
type Journal interface {
	Roster
	Memory
	Append(ctx context.Context, b journal.Batch) ([]protocol.Entry, error)
	Revoked(k protocol.CredentialKey) bool
	Subscribe() *journal.Subscription
}

// Options of one reader.
type Options struct {
	Name, Driver, Address string // as configured, for people
	Open                  func(context.Context) (driver.Session, error)
	Journal               Journal
	Codec                 *wire.Codec
	Logger                *slog.Logger
	Mode                  string           // the site's own wish, "": as the center says
	Groups                []string         // access groups that open a door here
	Doors                 map[int][]string // door -> access groups
	EnrollmentGroup       string           // given to whoever enrolls here
	OwnID                 func(id string) bool
	Leave                 bool             // users deleted at the reader are left off it
	LeaveCards            bool             // cards that nobody knows are left alone
	Show                  *driver.Template // in place of the name; nil: the name
	Resync                time.Duration    // how often the whole table is compared
	Poll                  time.Duration    // how often the reader is asked for signs of life
	// FirstRoster is how long unknown rows are left alone at a site that has
	// never heard from its center, 0 for a site without one.
	FirstRoster time.Duration
	Changed     func() // called when State changed; must not block
}

// Reader is one reader of the site and the session that keeps it in line.
type Reader struct {
	o       Options
	log     *slog.Logger
	groups  map[string]bool
	started time.Time
	inbox   inbox
	orders  chan struct{} // wakes the session, the order itself is in pending
	clock   atomic.Bool   // the machine's clock was set; wakes by orders
	// logFails counts how often in a row the reader's log could not be read; the
	// session's own.
	logFails int

	// rows is held while what is remembered of rows is read, changed and stored
	// again. Never taken while mu is held.
	rows sync.Mutex

	mu      sync.Mutex // guards what follows
	pending []*Order
	state   wire.ReaderState
	open    map[string]standing
}

// New returns a reader that Run keeps in line.
func New(o Options) *Reader {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	r := &Reader{
		o: o, log: o.Logger.With("reader", o.Name), groups: map[string]bool{},
		inbox: newInbox(), orders: make(chan struct{}, 1), open: map[string]standing{},
	}
	for _, g := range o.Groups {
		r.groups[g] = true
	}
	for _, gs := range o.Doors {
		for _, g := range gs {
			r.groups[g] = true
		}
	}
	r.state = wire.ReaderState{
		Name: o.Name, Driver: o.Driver, Address: o.Address,
		State: wire.ReaderOffline, Since: time.Now().UnixMilli(),
	}
	return r
}

// Name is the reader's name at the site.
func (r *Reader) Name() string { return r.o.Name }

// Run connects to the reader again and again until ctx ends. A reader's failure
// never ends it.
func (r *Reader) Run(ctx context.Context) error {
	r.started = time.Now()
	sub := r.o.Journal.Subscribe()
	defer sub.Close()
	defer r.failOrders(context.Canceled)
	for wait := firstWait; ; wait = min(2*wait, longestWait) {
		began := time.Now()
		err := r.session(ctx, sub)
		if ctx.Err() != nil {
			return nil
		}
		r.offline(ctx, err)
		r.failOrders(err)
		if time.Since(began) > longestWait {
			wait = firstWait // it was up for a while
		}
		if !r.pause(ctx, wait) {
			return nil
		}
	}
}

// The pauses between attempts to reach a reader.
const (
	firstWait   = time.Second
	longestWait = time.Minute
)

// pause waits about d, less when a person asks for the reader; false when ctx
// ended.
func (r *Reader) pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d - rand.N(d/4))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-r.orders:
		return true
	case <-timer.C:
		return true
	}
}

// session connects and keeps the reader in line until something fails.
func (r *Reader) session(ctx context.Context, sub *journal.Subscription) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s, err := r.o.Open(ctx)
	if err != nil {
		return err
	}
	l, err := newLine(r, s, sub)
	if err != nil {
		_ = s.Close()
		return err
	}
	watched := l.watch(ctx)
	err = l.run(ctx)
	cancel()
	closeErr := s.Close()
	<-watched
	if err == nil {
		err = closeErr
	}
	return err
}
