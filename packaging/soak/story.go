package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
)

// Times of the story.
const (
	tendEvery   = 200 * time.Millisecond
	sampleEvery = time.Second
	warmUp      = 3 * time.Second // before goroutines of what has just started are counted
)

// phase is a part of the traffic with its own troubles.
type phase struct {
	name     string
	storm    bool // programs are killed
	external bool // through Mosquitto
	span     time.Duration
}

func phases(d time.Duration) []phase {
	return []phase{
		{"storm, the center's own broker", true, false, d / 5},
		{"long haul, the center's own broker", false, false, 3 * d / 10},
		{"storm, Mosquitto", true, true, d / 5},
		{"long haul, Mosquitto", false, true, 3 * d / 10},
	}
}

// inside is the soak within its namespaces.
func inside(ctx context.Context, o options) error {
	w, err := build(ctx, o)
	if w == nil {
		return err
	}
	if err == nil {
		err = w.story(ctx)
	}
	return w.verdict(ctx, errors.Join(err, w.keep(), w.end()))
}

// story is traffic and trouble, then peace, then the examination.
func (w *world) story(ctx context.Context) error {
	if err := w.start(ctx); err != nil {
		return err
	}
	w.line.phase("up: a center and %s, %d terminals; a slow line is %q", strings.Join(siteNames(), " and "), len(siteNames())*len(terminalNames()), w.wan.slow)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	watch, watching := errgroup.WithContext(ctx)
	watch.Go(func() error { return w.every(watching, tendEvery, w.tend) })
	watch.Go(func() error { return w.every(watching, sampleEvery, w.sample) })
	err := w.acts(watching)
	cancel()
	if e := watch.Wait(); err == nil || errors.Is(err, context.Canceled) {
		err = errors.Join(err, e)
	}
	return err
}

// every does something at intervals until ctx ends.
func (w *world) every(ctx context.Context, d time.Duration, do func() error) error {
	tick := time.NewTicker(d)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			if err := do(); err != nil {
				return err
			}
		}
	}
}

func (w *world) tend() error {
	for _, p := range w.parts {
		if err := p.tend(); err != nil {
			return err
		}
	}
	return nil
}

func (w *world) sample() error {
	for _, p := range w.parts {
		p.measure()
	}
	return nil
}

// acts runs the phases under traffic, and examines what came of it.
func (w *world) acts(ctx context.Context) error {
	stop := make(chan struct{})
	traffic, acting := errgroup.WithContext(ctx)
	w.traffic(acting, traffic, stop)
	hauls, err := w.trouble(acting)
	close(stop)
	if e := traffic.Wait(); e != nil {
		err = errors.Join(e, err)
	}
	if err != nil {
		return err
	}
	w.line.phase("in all: %s", w.line.done())
	return w.examine(ctx, hauls)
}

// traffic sends people to all terminals and to the office.
func (w *world) traffic(ctx context.Context, g *errgroup.Group, stop <-chan struct{}) {
	actor := uint64(1000)
	for i, site := range siteNames() {
		for j, terminal := range terminalNames() {
			actor++
			h := &hands{world: w, site: site, terminal: terminal, random: w.source(actor), next: 1000 * (10*(i+1) + j + 1)}
			g.Go(func() error { return h.work(ctx, stop) })
		}
	}
	for i := range desks {
		actor++
		d := &desk{world: w, random: w.source(actor), next: 60_000 + 1000*i}
		g.Go(func() error { return d.work(ctx, stop) })
	}
}

// source is the randomness of one actor: another actor's does not shift it.
func (w *world) source(actor uint64) *rand.Rand { return rand.New(rand.NewPCG(w.seed, actor)) } //nolint:gosec // it must replay

// trouble runs the phases and returns the long hauls, the last one without its
// end: that is counted when everything is done.
func (w *world) trouble(ctx context.Context) ([]stretch, error) {
	var hauls []stretch
	lanes := uint64(0)
	for _, p := range phases(w.duration) {
		s := stretch{name: p.name}
		var err error
		if p.external && p.storm { // the second half begins
			if hauls[0].old, err = w.census(); err == nil {
				err = errors.Join(w.external(), w.revive(ctx))
			}
		}
		if !p.storm {
			s.young, err = w.renew(ctx)
		}
		if err != nil {
			return hauls, err
		}
		s.from = time.Now()
		if err := w.run(ctx, p, func() *rand.Rand { lanes++; return w.source(lanes) }); err != nil {
			return hauls, err
		}
		s.to = time.Now()
		w.line.phase("%s: %s", p.name, w.line.since())
		if !p.storm {
			hauls = append(hauls, s)
		}
	}
	return hauls, nil
}

// renew starts all programs anew and counts the goroutines of what has just
// started, so that the long haul begins with young programs.
func (w *world) renew(ctx context.Context) (map[string]int, error) {
	if err := w.linked(ctx); err != nil {
		return nil, err
	}
	if _, err := w.census(); err != nil {
		return nil, err
	}
	if err := w.revive(ctx); err != nil {
		return nil, err
	}
	pause(ctx, warmUp)
	young, err := w.census()
	if err != nil {
		return nil, err
	}
	return young, w.revive(ctx)
}

// run is one phase: its troubles, for its span.
func (w *world) run(ctx context.Context, p phase, source func() *rand.Rand) error {
	w.line.note("PHASE %s begins", p.name)
	stop := make(chan struct{})
	g, striking := errgroup.WithContext(ctx)
	for _, l := range w.lanes(p, source) {
		g.Go(func() error { return l.run(striking, w, stop) })
	}
	pause(striking, p.span)
	close(stop)
	return g.Wait()
}

// verdict tells how it went once everything has ended, and keeps what is needed
// to find out why.
func (w *world) verdict(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		fmt.Printf("soak: interrupted; logs are in %s\n", w.dir)
		return errTold
	}
	failures := w.line.failures()
	if err != nil {
		failures = append(failures, err.Error())
	}
	if len(failures) == 0 {
		fmt.Println("soak: everything held")
		return nil
	}
	for _, f := range failures {
		fmt.Println("FAILED:", f)
	}
	for _, name := range goPrograms() { // their disks end with the namespaces
		to := filepath.Join(w.dir, "kept-"+name)
		if out, e := exec.CommandContext(ctx, "cp", "-a", w.data(name), to).CombinedOutput(); e != nil { //nolint:gosec // our own paths
			fmt.Printf("keep the data of %s: %v: %s\n", name, e, out)
		}
	}
	fmt.Printf("seed %d; timeline: %s; logs: %s/*/log; databases: %s/kept-*\n", w.seed, filepath.Join(w.dir, "timeline"), w.dir, w.dir)
	return errTold
}
