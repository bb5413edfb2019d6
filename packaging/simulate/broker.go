package simulate

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"doorsync/agent/uplink"
	"doorsync/protocol/wire"
)

// weather is how bad the network is: of each thousand messages, how many are
// lost, doubled, late or cut.
type weather struct {
	Lost, Doubled, Late, Cut int
	Slow                     time.Duration // on the way, at best
}

// broker stands for MQTT: it carries messages between the sites and the center,
// keeps nothing, and may be restarted empty.
type broker struct {
	w *World

	mu     sync.Mutex
	up     bool
	ended  int             // how often it is ended
	cut    map[string]bool // sites without WAN
	back   chan struct{}   // closed when something comes back
	era    int             // what was under way in an earlier one is gone
	center *center
	links  map[*link]bool
	calm   bool
	dice   map[string]*dice
	last   map[string]time.Time
}

func newBroker(w *World) *broker {
	return &broker{
		w: w, up: true, cut: map[string]bool{}, back: make(chan struct{}),
		links: map[*link]bool{}, dice: map[string]*dice{}, last: map[string]time.Time{},
	}
}

// fate is what becomes of a message: when each copy arrives, and whether whole.
type fate struct {
	after []time.Duration
	half  bool
	word  string
}

// judge decides about the next message of a way. The broker is locked.
func (b *broker) judge(way string) fate {
	d := b.dice[way]
	if d == nil {
		d = newDice(b.w.sc.Seed, "way "+way)
		b.dice[way] = d
	}
	now, o := time.Now(), b.w.sc.Weather
	at := now.Add(o.Slow + time.Duration(d.n(1_000_000)))
	if at.Before(b.last[way]) {
		at = b.last[way].Add(time.Microsecond)
	}
	b.last[way] = at
	f := fate{after: []time.Duration{at.Sub(now)}, word: "sent"}
	roll := d.n(1000)
	late := d.between(time.Millisecond, 20*time.Second)
	switch {
	case b.calm:
	case roll < o.Lost:
		f.after, f.word = nil, "LOST"
	case roll < o.Lost+o.Doubled:
		f.after, f.word = append(f.after, f.after[0]+late), "DOUBLED"
	case roll < o.Lost+o.Doubled+o.Late:
		f.after[0], f.word = f.after[0]+late, "LATE"
	case roll < o.Lost+o.Doubled+o.Late+o.Cut:
		f.half, f.word = true, "CUT IN HALF"
	}
	return f
}

// carry takes a message on its way.
func (b *broker) carry(way string, payload []byte, deliver func([]byte)) {
	b.mu.Lock()
	f, era := b.judge(way), b.era
	b.mu.Unlock()
	b.w.tell(way, "%s, %d bytes", f.word, len(payload))
	if f.half {
		payload = payload[:len(payload)/2]
	}
	for _, d := range f.after {
		time.AfterFunc(d, func() {
			b.mu.Lock()
			gone := !b.up || b.era != era
			b.mu.Unlock()
			if !gone {
				deliver(payload)
			}
		})
	}
}

var errNoLine = errors.New("no line")

// publisher is one center's way to the sites.
type publisher struct {
	b *broker
	c *center
}

// Publish is the center's side.
func (p publisher) Publish(topic string, payload []byte) error {
	b := p.b
	parts := strings.Split(strings.TrimPrefix(topic, wire.DefaultRoot+"/sites/"), "/")
	site, kind := parts[0], wire.Kind(parts[2])
	b.mu.Lock()
	ok := b.up && b.center == p.c && !p.c.dead.Load()
	b.mu.Unlock()
	if !ok {
		return errNoLine
	}
	b.carry("center>"+site+" "+string(kind), payload, func(m []byte) {
		for _, k := range b.linksOf(site) {
			k.call.Heard(kind, m)
		}
	})
	return nil
}

func (b *broker) linksOf(site string) []*link {
	b.mu.Lock()
	defer b.mu.Unlock()
	var out []*link
	for k := range b.links {
		if k.site == site && !b.cut[site] {
			out = append(out, k)
		}
	}
	return out
}

// attach connects a center, nil for none.
func (b *broker) attach(c *center) {
	b.mu.Lock()
	b.center = c
	up := b.up
	b.mu.Unlock()
	if c != nil && up {
		c.x.Connected()
	}
}

// connect is how an agent calls. A call into a dead line is not answered.
func (b *broker) connect(a *agent) uplink.Connect {
	return func(ctx context.Context, c uplink.Call) (uplink.Link, error) {
		for patience := b.w.patience(); ; {
			b.mu.Lock()
			ok, back := b.up && !b.cut[a.s.name], b.back
			if ok && !a.dead.Load() {
				k := &link{b: b, a: a, site: a.s.name, call: c, lost: make(chan struct{})}
				b.links[k] = true
				b.mu.Unlock()
				b.w.tell(a.who, "connected, session %.4s", c.Session)
				return k, nil
			}
			b.mu.Unlock()
			if a.dead.Load() {
				return nil, errNoLine
			}
			t := time.NewTimer(patience)
			select {
			case <-ctx.Done():
				t.Stop()
				return nil, ctx.Err()
			case <-t.C:
				return nil, errNoLine
			case <-back:
				t.Stop()
			}
		}
	}
}

// drop ends the connections of a site, or all of them; the center hears their
// wills.
func (b *broker) drop(site string) {
	b.mu.Lock()
	var gone []*link
	for k := range b.links {
		if site == "" || k.site == site {
			gone = append(gone, k)
			delete(b.links, k)
		}
	}
	b.mu.Unlock()
	for _, k := range gone {
		k.lose()
		b.toCenter(k.site, wire.KindPresence, k.call.Will)
	}
}

// wan cuts a site off, or lets it through again.
func (b *broker) wan(site string, cut bool) {
	b.mu.Lock()
	b.cut[site] = cut
	b.wake()
	b.mu.Unlock()
	if cut {
		b.drop(site)
	}
}

func (b *broker) wake() {
	close(b.back)
	b.back = make(chan struct{})
}

// power ends the broker with everything under way, or starts it, empty. What
// was ended twice must be started twice.
func (b *broker) power(up bool) {
	b.mu.Lock()
	was := b.up
	if up {
		b.ended = max(b.ended-1, 0)
	} else {
		b.ended++
	}
	b.mu.Unlock()
	b.turn(was)
}

// mend starts the broker, however often it was ended.
func (b *broker) mend() {
	b.mu.Lock()
	was := b.up
	b.ended, b.calm = 0, true
	b.mu.Unlock()
	b.turn(was)
}

// turn makes the broker what it is to be.
func (b *broker) turn(was bool) {
	b.mu.Lock()
	up := b.ended == 0
	b.up = up
	if up != was {
		b.era++
		b.wake()
	}
	c := b.center
	b.mu.Unlock()
	switch {
	case was == up:
	case up && c != nil:
		c.x.Connected()
	case !up:
		b.drop("")
		if c != nil {
			c.x.Lost(errNoLine)
		}
	}
}

func (b *broker) toCenter(site string, k wire.Kind, payload []byte) {
	b.carry(site+">center "+string(k), payload, func(m []byte) {
		b.mu.Lock()
		c := b.center
		b.mu.Unlock()
		if c != nil && !c.dead.Load() {
			c.x.Heard(wire.Topics{}.Up(site, k), m)
		}
	})
}

// link is one agent's connection.
type link struct {
	b    *broker
	a    *agent
	site string
	call uplink.Call
	once sync.Once
	lost chan struct{}
}

func (k *link) Publish(kind wire.Kind, payload []byte) error {
	select {
	case <-k.lost:
		return uplink.ErrNotConnected
	default:
	}
	if k.a.dead.Load() {
		return fmt.Errorf("publish: %w", errKilled)
	}
	k.b.toCenter(k.site, kind, payload)
	return nil
}

func (k *link) lose() { k.once.Do(func() { close(k.lost) }) }

func (k *link) Lost() <-chan struct{} { return k.lost }

func (k *link) Why() error { return errNoLine }

func (k *link) Close() {
	k.b.mu.Lock()
	delete(k.b.links, k)
	k.b.mu.Unlock()
	k.lose()
}

// dropOf ends the connections of one agent, which was killed.
func (b *broker) dropOf(a *agent) {
	b.mu.Lock()
	var gone []*link
	for k := range b.links {
		if k.a == a {
			gone = append(gone, k)
			delete(b.links, k)
		}
	}
	b.mu.Unlock()
	for _, k := range gone {
		k.lose()
		b.toCenter(k.site, wire.KindPresence, k.call.Will)
	}
}
