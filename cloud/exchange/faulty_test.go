package exchange

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"doorsync/cloud/roster"
	"doorsync/protocol/wire"
)

var errStore = errors.New("disk full")

// faultyRoster is a fakeRoster that fails where the test says so, and differs
// from a site's copy in some users.
type faultyRoster struct {
	*fakeRoster

	mu      sync.Mutex
	fails   map[string]error // by method
	digest  [wire.Buckets]wire.Sum
	mended  []wire.Digest
	mending wire.Changes
	own     bool   // all that is new comes from the site that asks
	removed bool   // the site is known no more
	id      string // "" is R
}

// begin makes the roster another one.
func (f *faultyRoster) begin(id string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.id = id
}

func (f *faultyRoster) ID() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return cmp.Or(f.id, f.fakeRoster.ID())
}

func (f *faultyRoster) failing(method string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.fails[method]
}

func (f *faultyRoster) fail(method string, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fails[method] = err
}

func (f *faultyRoster) Hello(ctx context.Context, site string, h wire.Hello) (wire.Confirm, error) {
	if err := f.failing("Hello"); err != nil {
		return wire.Confirm{}, err
	}
	return f.fakeRoster.Hello(ctx, site, h)
}

func (f *faultyRoster) Hear(ctx context.Context, batches []roster.SiteBatch) ([]wire.Confirm, error) {
	if err := f.failing("Hear"); err != nil {
		return nil, err
	}
	if f.removed {
		return make([]wire.Confirm, len(batches)), nil
	}
	return f.fakeRoster.Hear(ctx, batches)
}

func (f *faultyRoster) Changes(ctx context.Context, site string, after uint64, cursor []byte, maxBytes int) (wire.Changes, error) {
	if err := f.failing("Changes"); err != nil {
		return wire.Changes{}, err
	}
	c, err := f.fakeRoster.Changes(ctx, site, after, cursor, maxBytes)
	c.Roster = f.ID()
	return c, err
}

func (f *faultyRoster) SiteDigest(context.Context, string) ([wire.Buckets]wire.Sum, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.digest, f.fails["SiteDigest"]
}

func (f *faultyRoster) Mend(_ context.Context, _ string, d wire.Digest) (wire.Changes, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.mended = append(f.mended, d)
	return f.mending, f.fails["Mend"]
}

func (f *faultyRoster) Own(string, uint64) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.own
}

func (f *faultyRoster) Sites(ctx context.Context) ([]roster.SiteView, error) {
	if err := f.failing("Sites"); err != nil {
		return nil, err
	}
	return f.fakeRoster.Sites(ctx)
}

func (f *faultyRoster) Seen(ctx context.Context, site string, online bool) error {
	if err := f.failing("Seen"); err != nil {
		return err
	}
	return f.fakeRoster.Seen(ctx, site, online)
}

// faultyDesk is a desk whose roster can fail, and its log.
type faultyDesk struct {
	*desk
	f   *faultyRoster
	log *book
}

// book is a log that the test reads.
type book struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *book) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

// times is how often something was logged.
func (l *book) times(what string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.b.String(), what)
}

// atFaultyDesk runs a test on virtual time with a roster that can fail.
func atFaultyDesk(t *testing.T, run func(t *testing.T, d faultyDesk)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		d := faultyDesk{desk: newDesk(t), log: &book{}}
		d.f = &faultyRoster{fakeRoster: d.r, fails: map[string]error{}}
		d.x.Roster, d.x.Logger = d.f, slog.New(slog.NewTextHandler(d.log, nil))
		ctx, stop := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() {
			if err := d.x.Run(ctx); err != nil {
				t.Error(err)
			}
		})
		run(t, d)
		stop()
		wg.Wait()
	})
}

// greeted is a site in session s1 that has said where it is.
func (d faultyDesk) greeted(site string) {
	d.t.Helper()
	d.hello(site, "s1")
	d.say(site, wire.KindPull, wire.Pull{Session: "s1", Window: 1 << 20, Again: true})
	synctest.Wait()
	take[wire.Confirm](d.t, d.out, site, wire.KindConfirm)
	take[wire.Changes](d.t, d.out, site, wire.KindChanges)
	take[wire.Order](d.t, d.out, site, wire.KindOrder)
}

// orders are those that a site was given since the last call.
func (d faultyDesk) orders(site string) []wire.Order {
	d.t.Helper()
	synctest.Wait()
	return take[wire.Order](d.t, d.out, site, wire.KindOrder)
}

// dropped is how many messages were dropped for a reason.
func (d faultyDesk) dropped(reason string) uint64 {
	synctest.Wait()
	return d.x.Counts().Dropped[reason]
}
