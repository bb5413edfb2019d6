package main

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"go.etcd.io/bbolt"
	"golang.org/x/sync/errgroup"
	_ "modernc.org/sqlite" // the driver named "sqlite"

	"doorsync/agent/uplink"
	"doorsync/cloud/broker"
	"doorsync/protocol/wire"
)

// rawStack is the floor that everything is measured against: a bbolt commit at
// one site, an SQLite commit at the center, a bbolt commit at another site and
// two hops through the same broker between them, doing nothing else.
type rawStack struct {
	a, b   *bbolt.DB
	center *sql.DB
	insert *sql.Stmt
	broker *broker.Embedded
	links  []uplink.Link
	stop   context.CancelFunc
	ran    chan error
	up     chan []byte
	down   chan []byte
	seq    uint64
}

var rawBucket = []byte("entries")

func openRaw(ctx context.Context, dir string) (*rawStack, error) {
	r := &rawStack{up: make(chan []byte, 64), down: make(chan []byte, 64), ran: make(chan error, 1)}
	var err error
	if r.a, err = rawBolt(filepath.Join(dir, "raw-a.db")); err != nil {
		return nil, err
	}
	if r.b, err = rawBolt(filepath.Join(dir, "raw-b.db")); err != nil {
		return nil, err
	}
	if err := r.openCenter(filepath.Join(dir, "raw.sqlite")); err != nil {
		return nil, err
	}
	return r, r.openBroker(ctx, dir)
}

func (r *rawStack) openCenter(path string) error {
	var err error
	dsn := "file:" + path + "?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)"
	if r.center, err = sql.Open("sqlite", dsn); err != nil {
		return fmt.Errorf("open raw center: %w", err)
	}
	r.center.SetMaxOpenConns(1)
	if _, err = r.center.Exec("CREATE TABLE entries (n INTEGER PRIMARY KEY, body BLOB)"); err != nil {
		return fmt.Errorf("open raw center: %w", err)
	}
	if r.insert, err = r.center.Prepare("INSERT INTO entries VALUES (?, ?)"); err != nil {
		return fmt.Errorf("open raw center: %w", err)
	}
	return nil
}

type anyKey struct{}

func (anyKey) CheckKey(string, string) bool { return true }

func (r *rawStack) openBroker(ctx context.Context, dir string) error {
	var err error
	if r.broker, err = broker.OpenEmbedded(broker.EmbeddedOptions{Listen: "127.0.0.1:0", Dir: dir, Sites: anyKey{}}); err != nil {
		return err
	}
	ctx, r.stop = context.WithCancel(ctx)
	connected := make(chan struct{}, 1)
	go func() {
		r.ran <- r.broker.Run(ctx, broker.Handler{
			Heard:     func(_ string, p []byte) { r.up <- p },
			Connected: func() { connected <- struct{}{} },
			Lost:      func(error) {},
		})
	}()
	<-connected
	for i, site := range []string{"raw-a", "raw-b"} {
		connect, err := uplink.MQTT(uplink.MQTTOptions{URL: "mqtt://" + r.broker.Address(), Site: site, Password: "raw"})
		if err != nil {
			return err
		}
		heard := func(wire.Kind, []byte) {}
		if i == 1 {
			heard = func(_ wire.Kind, p []byte) { r.down <- p }
		}
		link, err := connect(ctx, uplink.Call{Session: site, Will: []byte{0}, Heard: heard})
		if err != nil {
			return err
		}
		r.links = append(r.links, link)
	}
	return nil
}

func (r *rawStack) send(up bool, payload []byte) error {
	if up {
		return r.links[0].Publish(wire.KindJournal, payload)
	}
	return r.broker.Publish(wire.Topics{}.Down("raw-b", wire.KindChanges), payload)
}

func (r *rawStack) close() error {
	for _, l := range r.links {
		l.Close()
	}
	r.stop()
	<-r.ran
	return errors.Join(r.broker.Close(), r.insert.Close(), r.center.Close(), r.a.Close(), r.b.Close())
}

func rawBolt(path string) (*bbolt.DB, error) {
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{NoFreelistSync: true, FreelistType: bbolt.FreelistMapType})
	if err != nil {
		return nil, fmt.Errorf("open raw site: %w", err)
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		_, err := tx.CreateBucket(rawBucket)
		return err
	})
	return db, err
}

// edit takes one batch of n values the whole way and returns how long it took.
func (r *rawStack) edit(n int, value []byte) (time.Duration, error) {
	start := time.Now()
	first := r.seq
	r.seq += uint64(n)
	if err := boltPut(r.a, first, n, value); err != nil {
		return 0, err
	}
	payload := make([]byte, n*len(value))
	if err := r.send(true, payload); err != nil {
		return 0, err
	}
	<-r.up
	if err := r.sqlPut(first, n, value); err != nil {
		return 0, err
	}
	if err := r.send(false, payload); err != nil {
		return 0, err
	}
	<-r.down
	if err := boltPut(r.b, first, n, value); err != nil {
		return 0, err
	}
	return time.Since(start), nil
}

func boltPut(db *bbolt.DB, first uint64, n int, value []byte) error {
	return db.Update(func(tx *bbolt.Tx) error {
		b := tx.Bucket(rawBucket)
		b.FillPercent = 0.9
		for i := range n {
			if err := b.Put(binary.BigEndian.AppendUint64(nil, first+uint64(i)), value); err != nil {
				return err
			}
		}
		return nil
	})
}

func (r *rawStack) sqlPut(first uint64, n int, value []byte) error {
	tx, err := r.center.BeginTx(context.Background(), nil)
	if err != nil {
		return err
	}
	stmt := tx.Stmt(r.insert)
	for i := range n {
		if _, err := stmt.Exec(first+uint64(i), value); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// sustained runs batches of n through the three stages at once, as a pipeline,
// and returns values per second.
func (r *rawStack) sustained(total, n int, value []byte) (float64, error) {
	start := time.Now()
	payload := make([]byte, n*len(value))
	window := make(chan struct{}, 8) // batches under way
	first := r.seq
	r.seq += uint64(total)
	stage := func(step func(at uint64) error) func() error {
		return func() error {
			for at := first; at < first+uint64(total); at += uint64(n) {
				if err := step(at); err != nil {
					return err
				}
			}
			return nil
		}
	}
	var g errgroup.Group
	g.Go(stage(func(at uint64) error {
		window <- struct{}{}
		return errors.Join(boltPut(r.a, at, n, value), r.send(true, payload))
	}))
	g.Go(stage(func(at uint64) error {
		<-r.up
		return errors.Join(r.sqlPut(at, n, value), r.send(false, payload))
	}))
	g.Go(stage(func(at uint64) error {
		<-r.down
		err := boltPut(r.b, at, n, value)
		<-window
		return err
	}))
	if err := g.Wait(); err != nil {
		return 0, err
	}
	return float64(total) / time.Since(start).Seconds(), nil
}

// bootstrap reads n values from SQLite, carries them in messages of about 90
// KiB and stores them in key order at a site.
func (r *rawStack) bootstrap(n int, value []byte) (time.Duration, error) {
	if err := r.sqlPut(r.seq, n, value); err != nil {
		return 0, err
	}
	first, batch := r.seq, 88
	r.seq += uint64(n)
	start := time.Now()
	rows, err := r.center.Query("SELECT body FROM entries WHERE n >= ? ORDER BY n", first)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	var g errgroup.Group
	window := make(chan struct{}, 8)
	g.Go(func() error {
		var payload, body []byte
		for have := 0; have < n && rows.Err() == nil; {
			for payload = payload[:0]; have < n && len(payload) < batch*len(value) && rows.Next(); have++ {
				if err := rows.Scan(&body); err != nil {
					return err
				}
				payload = append(payload, body...)
			}
			window <- struct{}{}
			if err := r.send(false, payload); err != nil {
				return err
			}
		}
		return rows.Err()
	})
	g.Go(func() error {
		for at := uint64(0); at < uint64(n); {
			got := len(<-r.down) / len(value)
			if err := boltPut(r.b, first+at, got, value); err != nil {
				return err
			}
			at += uint64(got)
			<-window
		}
		return nil
	})
	err = g.Wait()
	return time.Since(start), err
}
