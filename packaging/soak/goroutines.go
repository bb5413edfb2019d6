package main

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"doorsync/packaging/rig"
)

// dumpIn bounds how long a program may take to print its goroutines.
const dumpIn = 10 * time.Second

// countGoroutines ends a program as a crash does and counts its goroutines, which it
// prints as it ends. What is printed goes to its log like everything else.
func (w *world) countGoroutines(name string) (int, error) {
	p := w.part(name)
	process, _ := p.now()
	before, err := os.Stat(process.Log)
	if err != nil {
		return 0, fmt.Errorf("read log: %w", err)
	}
	err = p.down("ended, to count its goroutines", func(process *rig.Process) error {
		if err := dump(process.PID()); err != nil {
			return fmt.Errorf("count goroutines of %s: %w", name, err)
		}
		select {
		case <-process.Done():
			return nil
		case <-time.After(dumpIn):
			return fmt.Errorf("count goroutines of %s: it does not end; %w", name, process.Kill())
		}
	})
	if err != nil {
		return 0, err
	}
	text, err := os.ReadFile(process.Log)
	if err != nil {
		return 0, fmt.Errorf("read log: %w", err)
	}
	return dumped(string(text[before.Size():]), name)
}

func dumped(text, name string) (int, error) {
	_, text, ok := strings.Cut(text, "SIGQUIT: quit")
	if !ok {
		return 0, fmt.Errorf("count goroutines of %s: it printed none", name)
	}
	return len(regexp.MustCompile(`(?m)^goroutine [1-9]\d* .*\[`).FindAllString(text, -1)), nil
}

// census counts the goroutines of all our programs, at the same moment: without
// its peer a program loses the goroutines of the link. They are down afterwards.
func (w *world) census() (map[string]int, error) {
	var g errgroup.Group
	var mu sync.Mutex
	out := map[string]int{}
	for _, name := range goPrograms() {
		g.Go(func() error {
			n, err := w.countGoroutines(name)
			mu.Lock()
			defer mu.Unlock()
			out[name] = n
			return err
		})
	}
	return out, g.Wait()
}

// revive starts what the census ended and waits until all is linked.
func (w *world) revive(ctx context.Context) error {
	for _, name := range goPrograms() {
		if err := w.part(name).up(); err != nil {
			return err
		}
	}
	return w.linked(ctx)
}
