package roster

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"doorsync/protocol"
	"doorsync/protocol/wire"
)

// Options are what a Roster needs besides its store; all have defaults.
type Options struct {
	Now         func() time.Time // for stamps and arrival
	Logger      *slog.Logger
	DefaultMode string // of sites; wire.ModeAllReaders if empty
	CacheBytes  int    // for the users used last; 32 MiB if 0
}

// Roster is the list of all users. It is safe for use by several goroutines.
type Roster struct {
	store       Store
	codec       *wire.Codec
	now         func() time.Time
	log         *slog.Logger
	defaultMode string

	writing sync.Mutex    // held through each transaction and until memory has it
	waiting atomic.Int32  // how many wait for writing
	behind  chan struct{} // something is left to compute in the background
	spillAt int           // users that an import keeps before it writes them
	cache   *cache
	again   again
	state   *state
}

// Open reads the roster in store, or begins one. It does not close the store.
func Open(ctx context.Context, store Store, o Options) (*Roster, error) {
	r, err := open(ctx, store, o)
	if err != nil {
		return nil, fmt.Errorf("open roster: %w", err)
	}
	return r, nil
}

func open(ctx context.Context, store Store, o Options) (*Roster, error) {
	codec, err := wire.NewCodec()
	if err != nil {
		return nil, err
	}
	r := &Roster{
		store: store, codec: codec, now: o.Now, log: o.Logger,
		defaultMode: cmp.Or(o.DefaultMode, wire.ModeAllReaders), cache: newCache(cmp.Or(o.CacheBytes, 32<<20)),
		behind: make(chan struct{}, 1), spillAt: spillUsers,
	}
	if r.now == nil {
		r.now = time.Now
	}
	if r.log == nil {
		r.log = slog.New(slog.DiscardHandler)
	}
	if err := checkMode(r.defaultMode); err != nil {
		return nil, err
	}
	meta, err := r.begin(ctx)
	if err != nil {
		return nil, err
	}
	err = store.View(ctx, func(v View) error {
		r.state, err = loadState(v)
		return err
	})
	if err != nil {
		return nil, err
	}
	r.state.meta, r.state.recent = meta, newRecent(meta.Revision)
	if !meta.Groups {
		return r, r.gatherGroups(ctx)
	}
	return r, nil
}

// begin reads what there is once, or makes it up for a new roster.
func (r *Roster) begin(ctx context.Context) (m Meta, err error) {
	var ok bool
	err = r.store.View(ctx, func(v View) error {
		m, ok, err = v.Meta()
		return err
	})
	if err != nil || ok {
		return m, err
	}
	salt := make([]byte, 16)
	_, _ = rand.Read(salt) // never fails
	// Revision 0 means that a site holds nothing, so the empty roster is at 1.
	m = Meta{Roster: newID(), Revision: 1, Settings: 1, Salt: salt, Rules: protocol.DefaultRules(), Groups: true}
	return m, r.store.Update(ctx, func(tx Tx) error { return tx.PutMeta(m) })
}

// newID names a roster whose revisions are counted from now.
func newID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

// Revision is that of the last commit.
func (r *Roster) Revision() uint64 { return r.state.metaNow().Revision }

// ID is the random ID of this roster, in which revisions count.
func (r *Roster) ID() string { return r.state.metaNow().Roster }

// Rules are those in force.
func (r *Roster) Rules() protocol.Rules { return r.state.metaNow().Rules }

// Committed returns a channel that receives after commits (several commits may
// come to one wake-up), and a function that ends it.
func (r *Roster) Committed() (<-chan struct{}, func()) {
	c := make(chan struct{}, 1)
	r.state.mu.Lock()
	defer r.state.mu.Unlock()
	r.state.wakes[c] = struct{}{}
	return c, func() {
		r.state.mu.Lock()
		defer r.state.mu.Unlock()
		delete(r.state.wakes, c)
	}
}

func checkMode(mode string) error {
	switch mode {
	case wire.ModeOff, wire.ModeAll, wire.ModeAllReaders, wire.ModeGroups:
		return nil
	}
	return invalid("sync mode %q: must be %s, %s, %s or %s", clip(mode), wire.ModeOff, wire.ModeAll, wire.ModeAllReaders, wire.ModeGroups)
}

// notFound names what a person asked for.
func notFound(what, name string) error {
	return fmt.Errorf("%s %q: %w", what, clip(name), ErrNotFound)
}

// quiet turns a transaction that found nothing to do into a success.
func quiet(err error) error {
	if errors.Is(err, errUnchanged) {
		return nil
	}
	return err
}
