package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"doorsync/agent"
	"doorsync/agent/console"
	"doorsync/agent/journal"
)

// site is what some commands ask: the agent that runs, or the journal's file
// while none does.
type site interface {
	Entries(ctx context.Context, q journal.Query, follow bool, fn func(console.Entry) error) error
	Verify(ctx context.Context, progress func(done, total uint64)) (journal.VerifyReport, error)
	Users(ctx context.Context, fn func(console.User) error) error
	GivenUp(ctx context.Context, reader string) ([]journal.GivenUp, error)
}

// errFollow: only a running agent has news.
var errFollow = errors.New("no agent runs, so nothing new will come: leave out --follow")

// ask calls fn with the agent that runs, and with the journal's file if none
// does.
func (a *app) ask(ctx context.Context, fn func(site) error) error {
	c, err := a.client()
	if err != nil {
		return err
	}
	if _, err := c.Readers(ctx); !errors.Is(err, console.ErrNotRunning) || a.control != "" {
		return fn(c)
	}
	cfg, err := a.load()
	if err != nil {
		return err
	}
	j, err := journal.OpenReadOnly(cfg.Path(), agent.JournalOptions(cfg, nil))
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("no agent runs, and there is no journal at %s: the agent makes it at its first start", cfg.Path())
	}
	if err != nil {
		return err
	}
	return errors.Join(fn(file{j}), j.Close())
}

// file answers from the journal's file.
type file struct{ j *journal.Journal }

func (f file) Entries(ctx context.Context, q journal.Query, follow bool, fn func(console.Entry) error) error {
	if follow {
		return errFollow
	}
	for e, err := range f.j.Entries(q) {
		if err != nil {
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err := fn(console.Shape(e)); err != nil {
			return err
		}
	}
	return nil
}

func (f file) Verify(ctx context.Context, progress func(done, total uint64)) (journal.VerifyReport, error) {
	return f.j.Verify(ctx, progress)
}

func (f file) Users(ctx context.Context, fn func(console.User) error) error {
	return f.j.Users(ctx, func(v journal.View) error { return fn(console.ShapeUser(v)) })
}

func (f file) GivenUp(_ context.Context, reader string) ([]journal.GivenUp, error) {
	return f.j.GivenUp(reader)
}
