package exchange

import (
	"context"
	"sync"
	"time"

	"doorsync/protocol/wire"
)

const sweepEvery = 15 * time.Second

// pending is what waits to be noted: the latest of each site.
type pending struct {
	readers  map[string][]wire.ReaderState
	seen     map[string]bool
	greetAll bool
}

// notes keeps what people see of the sites out of the way of the traffic.
type notes struct {
	wake chan struct{}
	mu   sync.Mutex
	next pending
}

func (n *notes) init() {
	n.wake = make(chan struct{}, 1)
	n.next = pending{readers: map[string][]wire.ReaderState{}, seen: map[string]bool{}}
}

func (n *notes) ask(change func(*pending)) {
	n.mu.Lock()
	defer n.mu.Unlock()
	change(&n.next)
	poke(n.wake)
}

func (n *notes) readers(site string, states []wire.ReaderState) {
	n.ask(func(p *pending) { p.readers[site] = states })
}

func (n *notes) seen(site string, online bool) { n.ask(func(p *pending) { p.seen[site] = online }) }

func (n *notes) take() pending {
	n.mu.Lock()
	defer n.mu.Unlock()
	out := n.next
	n.next = pending{readers: map[string][]wire.ReaderState{}, seen: map[string]bool{}}
	return out
}

// note stores what was seen of the sites.
func (x *Exchange) note(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-x.notes.wake:
		}
		p := x.notes.take()
		if p.greetAll {
			x.greetAll(ctx)
		}
		for site, online := range p.seen {
			x.noted(ctx, site, x.Roster.Seen(ctx, site, online))
		}
		for site, states := range p.readers {
			x.noted(ctx, site, x.Roster.SetReaders(ctx, site, states))
		}
	}
}

func (x *Exchange) noted(ctx context.Context, site string, err error) {
	if err != nil && ctx.Err() == nil {
		x.Logger.Warn("store what was seen of a site", "site", site, "error", err)
	}
}

// greetAll asks every site without a session what it has.
func (x *Exchange) greetAll(ctx context.Context) {
	sites, err := x.Roster.Sites(ctx)
	if err != nil {
		x.noted(ctx, "", err)
		return
	}
	for _, v := range sites {
		if s := x.site(v.Name); s != nil {
			if session, _ := s.inSession(); session == "" {
				x.askHello(v.Name)
			}
		}
	}
}

// sweep notes sites that have gone without a word.
func (x *Exchange) sweep(ctx context.Context) error {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
		for _, s := range x.all() {
			s.mu.Lock()
			gone := s.online && x.Now().Sub(s.last) > silence
			s.mu.Unlock()
			if gone && s.leave("") {
				x.notes.seen(s.name, false)
			}
		}
	}
}
