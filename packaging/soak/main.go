// Command soak runs a whole doorsync of real processes for some minutes: a
// center, sites behind lines of their own, people at readers and at the office;
// cuts the lines, kills programs, fills up disks, restarts brokers; and then
// checks that nothing was lost, doubled, mixed up or told, and that nothing
// grows. See DESIGN.md.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"doorsync/packaging/rig"
)

// options are what the soak was asked for.
type options struct {
	duration time.Duration
	seed     uint64
	dir      string
	inside   bool // this is the process within the namespaces
}

func main() {
	var o options
	flag.DurationVar(&o.duration, "duration", 10*time.Minute, "how long there is traffic")
	flag.Uint64Var(&o.seed, "seed", 0, "draw the same faults and acts again; 0 takes a fresh one")
	flag.StringVar(&o.dir, "dir", filepath.Join("build", "soak"), "folder for programs, configurations, data and logs; emptied first")
	flag.BoolVar(&o.inside, "inside", false, "for the soak's own use")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	run := outside
	if o.inside {
		run = inside
	}
	if err := run(ctx, o); err != nil {
		if !errors.Is(err, errTold) {
			fmt.Fprintln(os.Stderr, "soak:", err)
		}
		stop()
		os.Exit(1) //nolint:gocritic // stop was called
	}
}

// errTold is a failure that was told of already.
var errTold = errors.New("the soak failed")

// outside builds, where there is a network to fetch modules from, and runs the
// rest in namespaces of its own, which end with it.
func outside(ctx context.Context, o options) error {
	if err := ready(); err != nil {
		return err
	}
	var err error
	if o.dir, err = filepath.Abs(o.dir); err != nil {
		return fmt.Errorf("find the folder: %w", err)
	}
	if err := os.RemoveAll(o.dir); err != nil {
		return fmt.Errorf("empty %s: %w", o.dir, err)
	}
	if o.seed == 0 {
		o.seed = uint64(time.Now().UnixNano())
	}
	fmt.Printf("soak: seed %d, %v of traffic\n", o.seed, o.duration)
	if _, err := rig.Build(ctx, bin(o.dir)); err != nil {
		return err
	}
	return enter(ctx, o)
}

func bin(dir string) string { return filepath.Join(dir, "bin") }
