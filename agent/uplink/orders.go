package uplink

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"doorsync/protocol/wire"
)

// compareEvery is how often the site's copy is compared with the center's
// without anything having happened.
const compareEvery = 24 * time.Hour

// doneOrders remembers what came of the latest orders, so that one that comes
// twice is done once and answered twice.
type doneOrders struct {
	mu   sync.Mutex
	ids  []string
	said map[string]string
}

const rememberOrders = 64

func (d *doneOrders) find(id string) (said string, ok bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	said, ok = d.said[id]
	return said, ok
}

func (d *doneOrders) remember(id, said string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.said == nil {
		d.said = map[string]string{}
	}
	if _, ok := d.said[id]; !ok {
		d.ids = append(d.ids, id)
	}
	d.said[id] = said
	if len(d.ids) > rememberOrders {
		delete(d.said, d.ids[0])
		d.ids = d.ids[1:]
	}
}

// order queues an order; the center repeats one that gets no answer.
func (s *session) order(o wire.Order) {
	select {
	case s.orders <- o:
	default:
	}
}

// obey carries orders out, one at a time.
func (s *session) obey(ctx context.Context) error {
	daily := time.NewTimer(compareEvery - rand.N(compareEvery/8))
	defer daily.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-daily.C:
			s.outbox.hello(false)
			daily.Reset(compareEvery)
		case o := <-s.orders:
			if err := s.carryOut(ctx, o); err != nil {
				return err
			}
		}
	}
}

func (s *session) carryOut(ctx context.Context, o wire.Order) error {
	switch o.Do {
	case wire.DoSync:
		return s.syncNow(ctx, o)
	case wire.DoResend:
		s.outbox.sendAgain(max(o.Number, 1))
	case wire.DoHello:
		s.outbox.hello(true)
	case wire.DoDigest:
		s.inbox.compare(o.Buckets)
	default:
		if o.ID != "" {
			return s.send(wire.KindDone, wire.Done{Session: s.id, ID: o.ID, Error: fmt.Sprintf("this agent does not know how to %q; update it", o.Do)})
		}
	}
	return nil
}

func (s *session) syncNow(ctx context.Context, o wire.Order) error {
	said, ok := s.done.find(o.ID)
	if !ok {
		err := errors.New("no readers are configured at this site")
		if s.Syncer != nil {
			err = s.Syncer.SyncNow(ctx, o.Reader, o.By)
		}
		if err != nil {
			said = err.Error()
		}
		s.done.remember(o.ID, said)
	}
	return s.send(wire.KindDone, wire.Done{Session: s.id, ID: o.ID, Error: said})
}

// tellDigest answers with the digests of all buckets, or the users of some.
func (s *session) tellDigest(ctx context.Context, of []uint8) error {
	m := wire.Digest{Session: s.id, Revision: s.Copy.State().Revision}
	if len(of) == 0 {
		all := s.Copy.Buckets()
		for i := range all {
			m.Buckets = append(m.Buckets, all[i][:])
		}
		return s.send(wire.KindDigest, m)
	}
	users, err := s.Copy.Digest(ctx, of)
	if err != nil {
		return fmt.Errorf("compare with the center: %w", err)
	}
	m.Of, m.Users = of, users
	return s.send(wire.KindDigest, m)
}
