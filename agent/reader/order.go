package reader

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"doorsync/agent/journal"
	"doorsync/protocol"
	"doorsync/protocol/wire"
)

// Order is a person's wish to have the reader put in line now.
type Order struct {
	ConfirmDeletes bool   // do the deletes that were held
	Restore        bool   // give back the users that were deleted at the reader
	By             string // who asked, for the journal

	done chan error
}

// Sync has the whole table compared and put in line, in every mode, and returns
// how the reader stands then.
func (r *Reader) Sync(ctx context.Context, o Order) (wire.ReaderState, error) {
	o.done = make(chan error, 1)
	r.mu.Lock()
	r.pending = append(r.pending, &o)
	r.mu.Unlock()
	r.wakeOrders()
	select {
	case <-ctx.Done():
		return r.State(), context.Cause(ctx)
	case err := <-o.done:
		if err != nil {
			err = fmt.Errorf("sync reader %s: %w", r.o.Name, err)
		}
		return r.State(), err
	}
}

// ClockChanged has the reader's clock set, and dates looked at again, because
// the machine's clock was set. It does not wait for that.
func (r *Reader) ClockChanged() {
	r.clock.Store(true)
	r.wakeOrders()
}

func (r *Reader) wakeOrders() {
	select {
	case r.orders <- struct{}{}:
	default:
	}
}

func (r *Reader) ordered() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.pending) > 0
}

// takeOrders returns the orders that wait, united.
func (r *Reader) takeOrders() (all []*Order, one Order) {
	r.mu.Lock()
	defer r.mu.Unlock()
	all, r.pending = r.pending, nil
	for _, o := range all {
		one.ConfirmDeletes = one.ConfirmDeletes || o.ConfirmDeletes
		one.Restore = one.Restore || o.Restore
		one.By = o.By
	}
	return all, one
}

// failOrders answers the orders that wait.
func (r *Reader) failOrders(err error) {
	if err == nil {
		err = errors.New("the connection ended")
	}
	all, _ := r.takeOrders()
	answer(all, err)
}

func answer(orders []*Order, err error) {
	for _, o := range orders {
		o.done <- err
	}
}

// Retry forgets that writes were given up, all or those of some users, and has
// them tried again. It returns how many there were.
func (r *Reader) Retry(ctx context.Context, users ...string) (int, error) {
	r.rows.Lock()
	defer r.rows.Unlock()
	list, err := r.o.Journal.GivenUp(r.o.Name)
	if err != nil {
		return 0, err
	}
	b := journal.Batch{Reader: r.o.Name}
	var again []item
	for _, g := range list {
		if len(users) > 0 && !slices.Contains(users, g.UserID) {
			continue
		}
		mem, err := r.recall(g.Key)
		if err != nil {
			return 0, err
		}
		m := mem.clone()
		m.GaveUp = nil
		row, err := r.remember(g.Key, &m)
		if err != nil {
			return 0, err
		}
		again = append(again, item{g.Key, g.UserID})
		b.Forget, b.Rows = append(b.Forget, g.GivenUpKey), append(b.Rows, row)
	}
	if len(again) == 0 {
		return 0, nil
	}
	b.Drafts = []journal.Draft{{Event: protocol.EventSyncRequested, Detail: "given-up writes are tried again"}}
	if _, err := r.o.Journal.Append(ctx, b); err != nil {
		return 0, journalError(err)
	}
	r.inbox.look(again...)
	return len(again), nil
}
