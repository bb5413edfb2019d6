// Bench measures the journey of an edit against the raw stack: two bbolt
// commits, one SQLite commit and two MQTT hops doing nothing else, in the same
// run. Everything is on loopback, every write is synced to disk. Figures go to
// the terminal and, one JSON object a line, to build/bench.json. A figure that
// misses its bar says so; it does not fail the run.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"syscall"
	"time"

	"doorsync/agent"
)

func main() {
	var s sizes
	out := flag.String("out", "build/bench.json", "where the figures go")
	bin := flag.String("bin", "build/bin", "where doorsync-central and doorsync-agent are")
	flag.IntVar(&s.edits, "edits", 2000, "single edits")
	flag.IntVar(&s.sustained, "sustained", 60_000, "edits made as fast as they go")
	flag.IntVar(&s.queued, "queued", 10_000, "edits queued through the outage")
	flag.DurationVar(&s.outage, "outage", time.Minute, "length of the outage")
	flag.IntVar(&s.users, "users", 100_000, "users of the new site")
	flag.IntVar(&s.rows, "rows", 1_000_000, "rows of the export that is imported; 0 leaves it out")
	only := flag.Bool("sources", false, "measure imports and the order of sources alone")
	flag.DurationVar(&s.idle, "idle", 20*time.Second, "how long the idle agent is watched")
	flag.Parse()

	agent.TuneMemory() // as the program does that this one stands in for, twice
	debug.SetMemoryLimit(2 * debug.SetMemoryLimit(-1))
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, s, *bin, *out, *only); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, s sizes, bin, out string, sourcesOnly bool) (err error) {
	dir, err := os.MkdirTemp("", "doorsync-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	b := &bench{sizes: s, dir: dir, report: report{out: os.Stdout}}
	if !sourcesOnly {
		if err := b.journey(ctx, bin); err != nil {
			return err
		}
	}
	if err := b.importAndOrder(ctx, filepath.Join(bin, "doorsync-central")); err != nil {
		return err
	}
	return b.write(out)
}

// journey measures what happens to edits, from one site to another.
func (b *bench) journey(ctx context.Context, bin string) error {
	if err := b.open(ctx, bin); err != nil {
		return err
	}
	for _, step := range []func(context.Context) error{
		b.latency, b.throughput, b.outageCatchup, b.bootstrap,
		func(ctx context.Context) error { return b.agent(ctx, filepath.Join(bin, "doorsync-agent")) },
	} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return b.close()
}

func (b *bench) open(ctx context.Context, bin string) error {
	var err error
	if b.raw, err = openRaw(ctx, b.dir); err != nil {
		return err
	}
	if b.center, err = startCenter(ctx, filepath.Join(bin, "doorsync-central"), b.dir, everySite()); err != nil {
		return err
	}
	if b.wan, err = newWAN(b.center.broker); err != nil {
		return err
	}
	if b.a, err = startSite(ctx, b.center, "A", b.dir, false); err != nil {
		return err
	}
	if err = b.a.connect(ctx, b.wan.addr, b.center); err != nil {
		return err
	}
	b.b, err = startSite(ctx, b.center, "B", b.dir, true)
	return err
}

func (b *bench) close() error {
	err := errors.Join(b.a.close(), b.b.close())
	b.wan.cut()
	return errors.Join(err, b.center.stop(), b.raw.close())
}
