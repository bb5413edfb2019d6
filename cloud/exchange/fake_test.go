package exchange

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"doorsync/cloud/roster"
	"doorsync/protocol"
	"doorsync/protocol/wire"
)

// fakeRoster has as many revisions as it is told, one user of size bytes each.
type fakeRoster struct {
	mu       sync.Mutex
	revision uint64
	size     int
	taken    map[string]uint64
	fail     error
	wake     chan struct{}
	asked    int // Changes
	seen     []bool
	readers  [][]wire.ReaderState
}

func newFakeRoster() *fakeRoster {
	return &fakeRoster{taken: map[string]uint64{}, wake: make(chan struct{}, 1), size: 1000}
}

func (f *fakeRoster) Hello(_ context.Context, site string, h wire.Hello) (wire.Confirm, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return wire.Confirm{Epoch: h.Epoch, Taken: f.taken[site], Roster: "R", Revision: f.revision}, nil
}

func (f *fakeRoster) Hear(_ context.Context, batches []roster.SiteBatch) ([]wire.Confirm, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.fail != nil {
		return nil, f.fail
	}
	var out []wire.Confirm
	for _, b := range batches {
		c := wire.Confirm{Epoch: b.Epoch, Roster: "R"}
		for _, e := range b.Entries {
			if e.Number == f.taken[b.Site]+1 {
				f.taken[b.Site]++
				f.revision++
			} else if e.Number > f.taken[b.Site] {
				c.Gap = true
			}
		}
		c.Taken, c.Revision = f.taken[b.Site], f.revision
		out = append(out, c)
	}
	poke(f.wake)
	return out, nil
}

func (f *fakeRoster) ID() string { return "R" }

func (f *fakeRoster) Revision() uint64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.revision
}

func (f *fakeRoster) Committed() (<-chan struct{}, func()) { return f.wake, func() {} }

func (f *fakeRoster) Own(string, uint64) bool { return false }

func (f *fakeRoster) commit(n uint64) {
	f.mu.Lock()
	f.revision += n
	f.mu.Unlock()
	poke(f.wake)
}

func (f *fakeRoster) Changes(_ context.Context, _ string, after uint64, _ []byte, maxBytes int) (wire.Changes, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked++
	c := wire.Changes{Roster: "R", Epoch: "e", From: after, To: after}
	for size := 0; c.To < f.revision; {
		if size += f.size; size > maxBytes && len(c.Users) > 0 {
			c.More = true
			break
		}
		c.To++
		c.Users = append(c.Users, wire.Change{GUID: fmt.Sprintf("%016x", c.To), Record: noise(f.size)})
	}
	return c, nil
}

// noise is a CBOR byte string that does not compress.
func noise(n int) []byte {
	b := make([]byte, n+3)
	b[0], b[1], b[2] = 0x59, byte(n>>8), byte(n)
	x := uint64(n) + 1
	for i := 3; i < len(b); i++ {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
		b[i] = byte(x >> 32)
	}
	return b
}

func (f *fakeRoster) SiteDigest(context.Context, string) (d [wire.Buckets]wire.Sum, err error) {
	return d, nil
}

func (f *fakeRoster) Mend(context.Context, string, wire.Digest) (wire.Changes, error) {
	return wire.Changes{}, nil
}

func (f *fakeRoster) HasSite(s string) bool { return s == "LYON" || s == "OSLO" }

func (f *fakeRoster) Sites(context.Context) ([]roster.SiteView, error) {
	return []roster.SiteView{{Name: "LYON"}, {Name: "OSLO"}}, nil
}

func (f *fakeRoster) SetReaders(_ context.Context, _ string, s []wire.ReaderState) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.readers = append(f.readers, s)
	return nil
}

func (f *fakeRoster) Seen(_ context.Context, _ string, online bool) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.seen = append(f.seen, online)
	return nil
}

// outbound collects what is sent to the sites.
type outbound struct {
	mu    sync.Mutex
	codec *wire.Codec
	sent  map[string][][]byte // by topic
	down  bool
}

var errDown = errors.New("down")

func (o *outbound) Publish(topic string, payload []byte) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.down {
		return errDown
	}
	o.sent[topic] = append(o.sent[topic], payload)
	return nil
}

// take returns and forgets what was sent to a site.
func take[M any](t *testing.T, o *outbound, site string, k wire.Kind) []M {
	t.Helper()
	o.mu.Lock()
	defer o.mu.Unlock()
	topic := wire.Topics{}.Down(site, k)
	var all []M
	for _, payload := range o.sent[topic] {
		var m M
		if err := o.codec.Decode(payload, &m); err != nil {
			t.Fatal(err)
		}
		all = append(all, m)
	}
	o.sent[topic] = nil
	return all
}

// desk is an exchange with a roster and sites that are not real.
type desk struct {
	t   *testing.T
	r   *fakeRoster
	out *outbound
	x   *Exchange
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	codec, err := wire.NewCodec()
	if err != nil {
		t.Fatal(err)
	}
	d := &desk{t: t, r: newFakeRoster(), out: &outbound{codec: codec, sent: map[string][][]byte{}}}
	if d.x, err = New(Options{Roster: d.r, Pipe: d.out}); err != nil {
		t.Fatal(err)
	}
	return d
}

func (d *desk) say(site string, k wire.Kind, m any) {
	d.t.Helper()
	payload, err := d.out.codec.Encode(m)
	if err != nil {
		d.t.Fatal(err)
	}
	d.x.Heard(wire.Topics{}.Up(site, k), payload)
}

func (d *desk) hello(site, session string) {
	d.t.Helper()
	d.say(site, wire.KindHello, wire.Hello{Session: session, Epoch: "e", First: 1, Roster: "R"})
}

func entries(from, to uint64) []protocol.Entry {
	var out []protocol.Entry
	for n := from; n <= to; n++ {
		out = append(out, protocol.Entry{Number: n, Event: protocol.EventStarted})
	}
	return out
}
