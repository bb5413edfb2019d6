package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
)

// bench is one run: the raw stack and a whole installation, side by side.
type bench struct {
	sizes
	report
	dir    string
	raw    *rawStack
	center *center
	wan    *wan // between site A and the center
	a, b   *site
	next   int // user ID
	people int // user ID of the first person of the sustained edits
}

// sizes are how much is measured.
type sizes struct {
	edits     int           // one after another
	sustained int           // as fast as they go, three times
	queued    int           // through the outage
	outage    time.Duration // how long
	users     int           // of the new site
	rows      int           // of the export that is imported
	idle      time.Duration // how long the idle agent is watched
}

// patience is how long anything may take before the run is given up.
const patience = 2 * time.Minute

func (b *bench) id() int {
	b.next++
	return b.next
}

// latency measures single edits, each durable at its site, at the center and at
// the other site before the next one is made. Raw and whole take turns, so that
// a slow moment of the disk hits both.
func (b *bench) latency(ctx context.Context) error {
	var raw, chain []time.Duration
	value := make([]byte, 1024)
	sub := b.b.j.Subscribe()
	defer sub.Close()
	for i := range b.edits + b.edits/10 {
		d, err := b.raw.edit(1, value)
		if err != nil {
			return fmt.Errorf("raw edit: %w", err)
		}
		id := b.id()
		start := time.Now()
		if err := b.a.enroll(ctx, id); err != nil {
			return err
		}
		if err := b.b.await(ctx, sub, id); err != nil {
			return err
		}
		if i >= b.edits/10 { // the first tenth warms up
			raw, chain = append(raw, d), append(chain, time.Since(start))
		}
	}
	p50, p99 := quantile(chain, 0.5), quantile(chain, 0.99)
	rp50, rp99 := quantile(raw, 0.5), quantile(raw, 0.99)
	b.add(figure{Name: "edit-p50", Value: p50, Unit: "ms", Baseline: rp50, Bar: "<= 1.5 x raw", OK: p50 <= 1.5*rp50})
	b.add(figure{Name: "edit-p99", Value: p99, Unit: "ms", Baseline: rp99, Bar: "< 10 ms", OK: p99 < 10})
	return nil
}

// appenders are how many readers report at once in the sustained run, each about
// its own people, as many edits a transaction as a reader's table yields.
const (
	appenders = 64
	people    = 160 // of each appender
	together  = 25
)

// throughput measures edits of 10,240 people of 1 KiB, made as fast as they are
// taken, until all are durable at the other site. Readers come first in the
// priority, so that every edit takes effect and travels.
func (b *bench) throughput(ctx context.Context) error {
	value := make([]byte, 1024)
	var raws []float64
	for range 3 {
		rate, err := b.raw.sustained(b.sustained/256*256, 256, value)
		if err != nil {
			return fmt.Errorf("raw throughput: %w", err)
		}
		raws = append(raws, rate)
	}
	if err := b.center.readersFirst(ctx); err != nil {
		return err
	}
	b.people = b.next + 1
	if err := b.enrollAll(ctx, appenders*people); err != nil {
		return err
	}
	var rates []float64
	for round := range 3 {
		start, e := time.Now(), edits{each: b.sustained / appenders, round: round}
		if err := b.editMany(ctx, e); err != nil {
			return err
		}
		if err := b.awaitEdits(ctx, e); err != nil {
			return err
		}
		rates = append(rates, float64(e.each*appenders)/time.Since(start).Seconds())
	}
	rate := median(rates)
	b.add(figure{Name: "edits-sustained", Value: rate, Unit: "edits/s", Baseline: median(raws), Bar: ">= 12000 edits/s", OK: rate >= 12000})
	return nil
}

// edits are renamings of the appenders' people, one after another, each told
// from those of other rounds by the names.
type edits struct{ each, round int }

func (e edits) name(i int) string { return fmt.Sprintf("Renamed Person %d in round %d", i, e.round) }

// editMany makes edits at site A until all are durable there.
func (b *bench) editMany(ctx context.Context, e edits) error {
	var g errgroup.Group
	for w := range appenders {
		g.Go(func() error {
			for i := 0; i < e.each; i += together {
				var some []renaming
				for k := i; k < min(i+together, e.each); k++ {
					some = append(some, renaming{id: b.person(w, k), name: e.name(k)})
				}
				if err := b.a.rename(ctx, some); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return g.Wait()
}

// awaitEdits returns when the last edit of each appender is at site B: a site's
// journal is taken in order, so whoever holds these holds all.
func (b *bench) awaitEdits(ctx context.Context, e edits) error {
	sub := b.b.j.Subscribe()
	defer sub.Close()
	for w := range appenders {
		if err := b.b.awaitName(ctx, sub, b.person(w, e.each-1), e.name(e.each-1)); err != nil {
			return err
		}
	}
	return nil
}

// person is the user ID of the i-th edit of an appender.
func (b *bench) person(w, i int) int { return b.people + w*people + i%people }

// enrollAll makes new users at site A and returns when site B holds them all.
func (b *bench) enrollAll(ctx context.Context, n int) error {
	lasts, err := b.enrollMany(ctx, b.a, n)
	if err != nil {
		return err
	}
	return b.awaitAll(ctx, b.b, lasts)
}

// enrollMany makes about n edits from many goroutines and returns the last user
// of each: a site takes entries in order, so whoever holds these holds all.
func (b *bench) enrollMany(ctx context.Context, s *site, n int) ([]int, error) {
	each := n / appenders
	lasts := make([]int, appenders)
	var g errgroup.Group
	for w := range appenders {
		first := b.next + 1 + w*each
		lasts[w] = first + each - 1
		g.Go(func() error {
			for id := first; id <= lasts[w]; id++ {
				if err := s.enroll(ctx, id); err != nil {
					return err
				}
			}
			return nil
		})
	}
	b.next += appenders * each
	return lasts, g.Wait()
}

func (b *bench) awaitAll(ctx context.Context, s *site, ids []int) error {
	sub := s.j.Subscribe()
	defer sub.Close()
	for _, id := range ids {
		if err := s.await(ctx, sub, id); err != nil {
			return err
		}
	}
	return nil
}

// outageCatchup measures how soon edits queued while the line was cut are at
// the other site, from the moment the line is back.
func (b *bench) outageCatchup(ctx context.Context) error {
	b.wan.cut()
	end := time.Now().Add(b.sizes.outage)
	e := edits{each: (b.queued + appenders - 1) / appenders, round: -1}
	if err := b.editMany(ctx, e); err != nil {
		return err
	}
	v, _, err := b.b.j.User(strconv.Itoa(b.person(0, 0)))
	if err != nil {
		return err
	}
	if strings.HasSuffix(v.User.FullName(), "round -1") {
		return errors.New("the line is not cut: site B has an edit made meanwhile")
	}
	wait := time.NewTimer(time.Until(end))
	defer wait.Stop()
	select {
	case <-wait.C:
	case <-ctx.Done():
		return ctx.Err()
	}
	start := time.Now()
	if err := b.wan.restore(); err != nil {
		return err
	}
	if err := b.awaitEdits(ctx, e); err != nil {
		return err
	}
	took := time.Since(start).Seconds()
	b.add(figure{Name: "outage-catchup", Value: took, Unit: "s", Bar: "<= 1 s", OK: took <= 1})
	return nil
}

// bootstrap measures a new site that takes all users.
func (b *bench) bootstrap(ctx context.Context) error {
	if missing := b.users - b.next; missing > 0 {
		if err := b.enrollAll(ctx, missing+appenders-1); err != nil {
			return err
		}
	}
	raw, err := b.raw.bootstrap(b.next, make([]byte, 1024))
	if err != nil {
		return fmt.Errorf("raw bootstrap: %w", err)
	}
	goal := b.b.j.State().Revision
	s, err := startSite(ctx, b.center, "NEW", b.dir, false)
	if err != nil {
		return err
	}
	sub := s.j.Subscribe()
	defer sub.Close()
	start := time.Now()
	if err := s.connect(ctx, b.center.broker, b.center); err != nil {
		return err
	}
	for s.j.State().Revision < goal {
		select {
		case <-sub.C():
			sub.Take()
		case <-time.After(patience):
			return fmt.Errorf("the new site is at revision %d of %d after %v", s.j.State().Revision, goal, patience)
		}
	}
	took := time.Since(start).Seconds()
	b.add(figure{Name: "bootstrap-100k", Value: took, Unit: "s", Baseline: raw.Seconds(), Bar: "<= 1.5 s", OK: took <= 1.5})
	return s.close()
}
