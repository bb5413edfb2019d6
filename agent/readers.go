package agent

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"

	"doorsync/agent/console"
	"doorsync/agent/reader"
	"doorsync/protocol/wire"
)

// readers are the readers of the site, as the uplink and the console see them.
type readers struct {
	all     []*reader.Reader
	changed chan struct{}
	orders  chan console.SyncRequest // of the center
}

// maxOrders is how many orders of the center may wait.
const maxOrders = 16

func newReaders(a *agent) (*readers, error) {
	rs := &readers{changed: make(chan struct{}, 1), orders: make(chan console.SyncRequest, maxOrders)}
	for _, c := range a.cfg.Readers {
		o, err := a.readerOptions(c)
		if err != nil {
			return nil, err
		}
		o.Changed = rs.wake
		rs.all = append(rs.all, reader.New(o))
	}
	return rs, nil
}

func (rs *readers) wake() {
	select {
	case rs.changed <- struct{}{}:
	default:
	}
}

// States is how every reader stands.
func (rs *readers) States() []wire.ReaderState {
	out := make([]wire.ReaderState, len(rs.all))
	for i, r := range rs.all {
		out[i] = r.State()
	}
	return out
}

// Changed wakes when a state changed.
func (rs *readers) Changed() <-chan struct{} { return rs.changed }

// pick returns the reader of a name, or all for "".
func (rs *readers) pick(name string) ([]*reader.Reader, error) {
	if name == "" {
		return rs.all, nil
	}
	i := slices.IndexFunc(rs.all, func(r *reader.Reader) bool { return r.Name() == name })
	if i < 0 {
		return nil, fmt.Errorf("reader %q: %w at this site", name, console.ErrUnknown)
	}
	return rs.all[i : i+1], nil
}

// Sync puts readers in line now and returns how they stand then.
func (rs *readers) Sync(ctx context.Context, req console.SyncRequest) ([]console.SyncResult, error) {
	picked, err := rs.pick(req.Reader)
	if err != nil {
		return nil, err
	}
	order := reader.Order{
		ConfirmDeletes: req.ConfirmDeletes, Restore: req.Restore,
		By: cmp.Or(req.By, "asked for at the site"),
	}
	out := make([]console.SyncResult, len(picked))
	var wg sync.WaitGroup
	for i, r := range picked {
		wg.Go(func() {
			st, err := r.Sync(ctx, order)
			out[i].ReaderState = st
			if err != nil {
				out[i].Failed = err.Error()
			}
		})
	}
	wg.Wait()
	return out, nil
}

// SyncNow has readers put in line as the center asked; it does not wait.
func (rs *readers) SyncNow(ctx context.Context, name, by string) error {
	if _, err := rs.pick(name); err != nil {
		return err
	}
	select {
	case rs.orders <- console.SyncRequest{Reader: name, By: "asked for at the center by " + cmp.Or(by, "somebody")}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// run carries out the orders of the center until ctx ends.
func (rs *readers) run(ctx context.Context) error {
	var wg sync.WaitGroup
	defer wg.Wait()
	for {
		select {
		case <-ctx.Done():
			return nil
		case req := <-rs.orders:
			wg.Go(func() {
				// What came of it is in the journal and in the readers' states.
				_, _ = rs.Sync(ctx, req)
			})
		}
	}
}

// Retry has writes tried again that were given up.
func (rs *readers) Retry(ctx context.Context, req console.RetryRequest) (int, error) {
	picked, err := rs.pick(req.Reader)
	if err != nil {
		return 0, err
	}
	var users []string
	if req.User != "" {
		users = []string{req.User}
	}
	total := 0
	for _, r := range picked {
		n, err := r.Retry(ctx, users...)
		if err != nil {
			return total, err
		}
		total += n
	}
	return total, nil
}
