package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"

	"doorsync/cloud/api"
	"doorsync/cloud/api/client"
)

// Bounds of the office's traffic.
const (
	desks       = 2
	clients     = 50 // people of one desk
	deskPause   = 300 * time.Millisecond
	deleteEvery = 8 * time.Second // so that no site is asked for more deletes than the cap
	answerIn    = 15 * time.Second
)

// desk is a person at the office, with people of their own.
type desk struct {
	world      *world
	random     *rand.Rand
	next       int
	mine       []*person
	lastDelete time.Time
}

func (d *desk) work(ctx context.Context, stop <-chan struct{}) error {
	for !d.world.rest(ctx, stop, deskPause/2+time.Duration(d.random.Int64N(int64(deskPause)))) {
		if err := d.act(ctx); err != nil {
			return fmt.Errorf("at the office: %w", err)
		}
	}
	return ctx.Err()
}

func (d *desk) act(ctx context.Context) error {
	dice := d.random.IntN(100)
	switch {
	case len(d.mine) == 0 || len(d.mine) < clients && dice < 40:
		return d.enroll(ctx)
	case dice < 75:
		return d.edit(ctx, d.mine[d.random.IntN(len(d.mine))])
	case dice < 95:
		return d.email(ctx)
	case len(d.mine) > clients/2 && time.Since(d.lastDelete) > deleteEvery:
		d.lastDelete = time.Now()
		return d.remove(ctx, d.random.IntN(len(d.mine)))
	}
	return nil
}

func (d *desk) enroll(ctx context.Context) error {
	d.next++
	p := newPerson(d.random, d.next)
	patch := api.Patch{Set: names(p.name), PIN: p.pin, Give: []api.NewCredential{{Kind: "card", Number: fmt.Sprint(p.card)}}}
	if err := d.put(ctx, p.id, patch); err != nil {
		return err
	}
	d.mine = append(d.mine, d.world.people.add(p))
	d.world.line.count(atOffice, "enrolled at the office")
	return nil
}

func names(name string) map[string]string {
	first, last, _ := strings.Cut(name, " ")
	return map[string]string{"first_name": first, "last_name": last}
}

func (d *desk) edit(ctx context.Context, who *person) error {
	next := *who
	var patch api.Patch
	if d.random.IntN(4) == 0 {
		next.pin = newPIN(d.random)
		patch.PIN = next.pin
	} else {
		next.name = fmt.Sprintf("P%s v%d", who.id, who.edits+1)
		patch.Set = names(next.name)
	}
	if err := d.put(ctx, who.id, patch); err != nil {
		return err
	}
	d.world.people.change(who, func(p *person) {
		p.name, p.pin = next.name, next.pin
		p.edits++
	})
	d.world.line.count(atOffice, "edited at the office")
	return nil
}

// email gives an address to somebody whom a reader enrolled: two actors, but
// each with values of their own.
func (d *desk) email(ctx context.Context) error {
	known := d.world.people.ofReaders()
	if len(known) == 0 {
		return nil
	}
	id := known[d.random.IntN(len(known))]
	limited, cancel := context.WithTimeout(ctx, answerIn)
	defer cancel()
	if _, err := d.world.office.User(limited, id); err != nil {
		return ctx.Err() // not here yet, or the center is down: somebody else, later
	}
	address := "p" + id + "@example.com"
	if err := d.put(ctx, id, api.Patch{Set: map[string]string{"email": address}}); err != nil {
		return err
	}
	d.world.people.mark(id, func(p *person) { p.email = address })
	d.world.line.count(atOffice, "addresses given to people of readers")
	return nil
}

func (d *desk) remove(ctx context.Context, i int) error {
	who := d.mine[i]
	tried := false
	err := d.world.insist(ctx, func(ctx context.Context) error {
		err := d.world.office.Delete(ctx, who.id)
		var fault *api.Fault
		if tried && errors.As(err, &fault) && fault.Status == http.StatusNotFound {
			return nil // an earlier try got through, its answer did not
		}
		tried = true
		return err
	})
	if err != nil {
		return fmt.Errorf("delete %s: %w", who.id, err)
	}
	d.world.people.change(who, func(p *person) { p.gone = true })
	d.mine = append(d.mine[:i], d.mine[i+1:]...)
	d.world.line.count(atOffice, "deleted at the office")
	return nil
}

func (d *desk) put(ctx context.Context, id string, patch api.Patch) error {
	err := d.world.insist(ctx, func(ctx context.Context) error {
		_, err := d.world.office.Put(ctx, id, patch)
		return err
	})
	if err != nil {
		return fmt.Errorf("put %s: %w", id, err)
	}
	return nil
}

// insist does an act at the office again until the center says that it is done,
// as a person would whose program says that the center is down or full.
func (w *world) insist(ctx context.Context, act func(context.Context) error) error {
	for {
		limited, cancel := context.WithTimeout(ctx, answerIn)
		err := act(limited)
		cancel()
		var fault *api.Fault
		switch {
		case err == nil, ctx.Err() != nil:
			return err
		case errors.Is(err, client.ErrUnreachable), errors.Is(err, context.DeadlineExceeded):
		case errors.As(err, &fault) && fault.Status >= http.StatusInternalServerError:
		default:
			return err
		}
		w.line.count(aside, "acts tried again at the office")
		pause(ctx, 200*time.Millisecond)
	}
}
