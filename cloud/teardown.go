package cloud

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// patience bounds each step of the teardown.
const patience = 10 * time.Second

// teardown is what must be undone at the end, last in first out.
type teardown struct {
	log   *slog.Logger
	steps []step
}

type step struct {
	name string
	do   func(context.Context) error
}

func (t *teardown) add(name string, do func(context.Context) error) {
	t.steps = append(t.steps, step{name, do})
}

// run does every step and joins what went wrong. The run's own context has
// ended by then.
func (t *teardown) run() error {
	var errs []error
	for i := len(t.steps) - 1; i >= 0; i-- {
		s := t.steps[i]
		t.log.Debug("teardown", "step", s.name)
		if err := s.within(); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", s.name, err))
		}
	}
	return errors.Join(errs...)
}

func (s step) within() error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return s.do(ctx)
}
