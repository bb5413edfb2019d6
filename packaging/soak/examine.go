package main

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// examine looks at everything once peace has come.
func (w *world) examine(ctx context.Context, hauls []stretch) error {
	begin := time.Now()
	if err := w.linked(ctx); err != nil {
		return err
	}
	if agreed, err := w.agree(ctx); err != nil {
		w.line.fail("%v", err) // the rest is worth knowing all the same
	} else {
		w.line.phase("agreed after %.1f s: %s", time.Since(begin).Seconds(), agreed)
	}
	journals, err := w.journals(ctx)
	if err != nil {
		return err
	}
	w.line.phase("journals: %s", journals)
	last := &hauls[len(hauls)-1]
	if last.old, err = w.census(); err != nil {
		return err
	}
	secrets, err := w.secrets()
	if err != nil {
		return err
	}
	w.line.phase("secrets: %s", secrets)
	for _, s := range hauls {
		w.line.phase("%s, second quarter -> last quarter of %v", s.name, s.to.Sub(s.from).Round(time.Second))
		w.flat(s)
	}
	return w.wasHard()
}

// wasHard fails a soak whose faults did not bite: it would prove nothing.
func (w *world) wasHard() error {
	if w.duration < 2*time.Minute {
		return nil // by chance, little may have happened
	}
	var errs []error
	for _, what := range []string{"enrolled at readers", "edited at readers", "enrolled at the office", "edited at the office", "WANs seen lost", toldOfFull, "full disks of center"} {
		if w.line.counted(what) == 0 {
			errs = append(errs, fmt.Errorf("0 %s: the soak was too kind to prove anything", what))
		}
	}
	return errors.Join(errs...)
}
