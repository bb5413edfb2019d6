package simulate

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"

	"doorsync/cloud/exchange"
	"doorsync/cloud/roster"
	"doorsync/cloud/roster/sqlstore"
)

// center is one life of the center.
type center struct {
	w     *World
	path  string
	vault *vault
	r     *roster.Roster
	x     *exchange.Exchange
	desk  *desk

	dead atomic.Bool
	down sync.Once
	left tables
	stop context.CancelFunc
	runs sync.WaitGroup
}

// vault is the center's database as the roster knows it: it is where the center
// is killed in the middle of a write, and where its disk is full.
type vault struct {
	*sqlstore.Store
	c *center

	mu   sync.Mutex // held by writes
	full bool
	torn int // writes until it is killed in the middle of one, 0: it is not
}

// Update carries a transaction out, if it comes to that.
func (v *vault) Update(ctx context.Context, fn func(roster.Tx) error) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	switch {
	case v.c.dead.Load():
		return errKilled
	case v.full:
		return v.Store.Update(ctx, func(tx roster.Tx) error {
			if err := fn(tx); err != nil {
				return err
			}
			return roster.ErrFull
		})
	case v.torn == 1:
		v.torn = 0
		before := readTables(v.c.path)
		err := v.Store.Update(ctx, fn)
		after := readTables(v.c.path)
		if err != nil {
			return err
		}
		v.c.w.tell("center", "is killed %s", killTorn)
		v.c.die(tornLog(before, after, v.c.w.dice))
		return errKilled
	case v.torn > 1:
		v.torn--
	}
	if v.c.w.plant == plantForgetTaken {
		return v.Store.Update(ctx, func(tx roster.Tx) error { return fn(forgetful{tx, v.c.w}) })
	}
	return v.Store.Update(ctx, fn)
}

// startCenter begins a life of the center.
func (w *World) startCenter(from tables) (*center, error) {
	w.centers++
	c := &center{w: w, path: filepath.Join(w.dir, fmt.Sprintf("center-%d", w.centers), "roster.db")}
	mustMake(filepath.Dir(c.path))
	if from.db != nil {
		from.write(c.path)
	}
	ctx, stop := context.WithCancel(context.Background())
	c.stop = stop
	store, err := sqlstore.Open(ctx, c.path, sqlstore.Options{Readers: 1, Reserve: 1})
	if err != nil {
		return nil, err
	}
	log := w.logger("center")
	c.vault = &vault{Store: store, c: c}
	if c.r, err = roster.Open(ctx, c.vault, roster.Options{Now: w.clock.now, Logger: log}); err != nil {
		return nil, errors.Join(err, store.Close())
	}
	if err = c.r.CatchUp(ctx); err != nil { // nothing in the background: a seed must come to the same every time
		return nil, errors.Join(err, store.Close())
	}
	c.desk = &desk{Roster: c.r, c: c}
	c.x, err = exchange.New(exchange.Options{Roster: c.desk, Pipe: publisher{w.b, c}, Logger: log, Now: w.clock.now})
	if err != nil {
		return nil, err
	}
	c.runs.Go(func() {
		if err := c.x.Run(ctx); err != nil && !c.dead.Load() {
			w.fault("center: the exchange ended: %v", err)
		}
	})
	w.tell("center", "starts at revision %d of roster %.6s", c.r.Revision(), c.r.ID())
	w.b.attach(c)
	return c, nil
}

// die ends the center at once; left is what is on its disk. The vault is held.
func (c *center) die(left tables) {
	if c.dead.Swap(true) {
		return
	}
	c.left = left
	c.w.fell <- c
}

// kill ends the center between two writes.
func (c *center) kill() {
	c.vault.mu.Lock()
	defer c.vault.mu.Unlock()
	c.die(readTables(c.path))
}

// copy is a backup, taken while the center runs.
func (c *center) copy() tables {
	c.vault.mu.Lock()
	defer c.vault.mu.Unlock()
	return readTables(c.path)
}

// end waits for the parts of a center that was killed, or stops one in order.
func (c *center) end() tables {
	c.down.Do(func() {
		c.w.b.attach(nil)
		c.stop()
		c.runs.Wait()
		err := c.vault.Close()
		if !c.dead.Load() {
			if err != nil {
				c.w.fault("center: %v", err)
			}
			c.left = readTables(c.path)
		}
		_ = os.RemoveAll(filepath.Dir(c.path))
	})
	return c.left
}
