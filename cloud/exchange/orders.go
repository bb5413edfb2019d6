package exchange

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"time"

	"doorsync/protocol/wire"
)

// Errors of SyncSite.
var (
	// ErrOffline: the site is not connected.
	ErrOffline = errors.New("site is not connected; it syncs by itself when it is back")
	// ErrRefused: the agent was asked and cannot.
	ErrRefused = errors.New("the agent refused")
)

const orderAgain = 2 * time.Second

// waits are those who wait for an answer to an order.
type waits struct {
	mu  sync.Mutex
	all map[string]waiting // by order ID
}

type waiting struct {
	site   string
	answer chan string
}

func (w *waits) begin(id, site string) chan string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.all == nil {
		w.all = map[string]waiting{}
	}
	answer := make(chan string, 1)
	w.all[id] = waiting{site, answer}
	return answer
}

func (w *waits) end(id string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.all, id)
}

func (w *waits) done(site string, d wire.Done) {
	w.mu.Lock()
	defer w.mu.Unlock()
	one, ok := w.all[d.ID]
	if !ok || one.site != site {
		return
	}
	select {
	case one.answer <- d.Error:
	default:
	}
}

// SyncSite asks a site to bring its readers, or one of them, in line now. It
// returns when the agent has begun.
func (x *Exchange) SyncSite(ctx context.Context, site, reader, by string) error {
	s := x.site(site)
	if s == nil {
		return fmt.Errorf("sync %s: no such site", site)
	}
	id := rand.Text()
	answer := x.waits.begin(id, site)
	defer x.waits.end(id)
	again := time.NewTicker(orderAgain)
	defer again.Stop()
	for {
		session, online := s.inSession()
		if !online || session == "" {
			return fmt.Errorf("sync %s: %w", site, ErrOffline)
		}
		o := wire.Order{Session: session, ID: id, Do: wire.DoSync, Reader: reader, By: by}
		if _, err := x.send(site, wire.KindOrder, o); err != nil {
			return fmt.Errorf("sync %s: %w", site, err)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("sync %s: no answer from the agent: %w", site, ctx.Err())
		case said := <-answer:
			if said != "" {
				return fmt.Errorf("sync %s: %w: %s", site, ErrRefused, said)
			}
			return nil
		case <-again.C:
		}
	}
}
