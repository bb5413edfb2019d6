package chain

import (
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"sync"

	"doorsync/agent/uplink"
	"doorsync/cloud/exchange"
	"doorsync/protocol/wire"
)

// line stands for a broker: it carries messages between sites and the center,
// as badly as it is told to.
type line struct {
	mu     sync.Mutex
	center *exchange.Exchange
	down   bool   // nobody gets through
	only   string // if set, the only site that does
	links  map[string]*link
	chance *rand.Rand
	// Of each 100 messages, how many are lost, doubled, or overtaken by the next.
	lost, doubled, late int
	held                []func()
	// spoil, if set, sees every message first and says whether it may pass.
	spoil   func(topic string) bool
	carried int
}

func newLine(seed uint64) *line {
	return &line{links: map[string]*link{}, chance: rand.New(rand.NewPCG(seed, 1))}
}

func (l *line) setCenter(x *exchange.Exchange) {
	l.mu.Lock()
	l.center = x
	l.mu.Unlock()
}

// carry delivers a message, or does not.
func (l *line) carry(topic string, deliver func()) {
	l.mu.Lock()
	l.carried++
	if l.spoil != nil && !l.spoil(topic) {
		l.mu.Unlock()
		return
	}
	dice := l.chance.IntN(100)
	var now []func()
	switch {
	case dice < l.lost:
	case dice < l.lost+l.late:
		l.held = append(l.held, deliver)
	case dice < l.lost+l.late+l.doubled:
		now = append(now, deliver, deliver)
	default:
		now = append(now, deliver)
	}
	if len(now) > 0 {
		now = append(now, l.held...)
		l.held = nil
	}
	l.mu.Unlock()
	for _, f := range now {
		f()
	}
}

// Publish is the center's way to the sites.
func (l *line) Publish(topic string, payload []byte) error {
	rest, _ := strings.CutPrefix(topic, wire.DefaultRoot+"/sites/")
	parts := strings.Split(rest, "/")
	l.mu.Lock()
	if l.down {
		l.mu.Unlock()
		return errors.New("no line")
	}
	l.mu.Unlock()
	l.carry(topic, func() {
		l.mu.Lock()
		to := l.links[parts[0]]
		l.mu.Unlock()
		if to != nil {
			to.call.Heard(wire.Kind(parts[2]), payload)
		}
	})
	return nil
}

// connect is a site's way to the center.
func (l *line) connect(site string) uplink.Connect {
	return func(_ context.Context, c uplink.Call) (uplink.Link, error) {
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.down || l.only != "" && l.only != site {
			return nil, errors.New("no line")
		}
		k := &link{line: l, site: site, call: c, lost: make(chan struct{})}
		l.links[site] = k
		return k, nil
	}
}

// cut ends all connections; nobody gets through until mend.
func (l *line) cut() {
	l.mu.Lock()
	l.down = true
	links := l.links
	l.links = map[string]*link{}
	x := l.center
	l.mu.Unlock()
	for _, k := range links {
		k.lose()
		x.Heard(wire.Topics{}.Up(k.site, wire.KindPresence), k.call.Will)
	}
}

func (l *line) mend() { l.mendFor("") }

// mendFor lets one site through, and the others when mend is called.
func (l *line) mendFor(site string) {
	l.mu.Lock()
	l.down, l.only = false, site
	l.mu.Unlock()
}

// link is one site's connection.
type link struct {
	line *line
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
	topic := wire.Topics{}.Up(k.site, kind)
	k.line.carry(topic, func() {
		k.line.mu.Lock()
		x := k.line.center
		k.line.mu.Unlock()
		if x != nil {
			x.Heard(topic, payload)
		}
	})
	return nil
}

func (k *link) lose() { k.once.Do(func() { close(k.lost) }) }

func (k *link) Lost() <-chan struct{} { return k.lost }

func (k *link) Why() error { return errors.New("cut") }

func (k *link) Close() { k.lose() }
