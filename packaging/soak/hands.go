package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"doorsync/packaging/rig"
)

// Bounds of the traffic: the installation comes to a steady state, in which
// nothing has a reason to grow.
const (
	crowd       = 60 // people whom one reader enrolls
	awayEvery   = 10 * time.Second
	handPause   = 200 * time.Millisecond
	keysMissing = 40 // tries of an act on somebody who is not in the table
)

// hands are people standing at one terminal: they enroll and edit people of
// their own, one act after the other.
type hands struct {
	world    *world
	site     string
	terminal string
	random   *rand.Rand
	next     int // user ID
	mine     []*person
	lastAway time.Time
}

// work acts until stop is closed. Whoever ends ctx ends the act under way.
func (h *hands) work(ctx context.Context, stop <-chan struct{}) error {
	for !h.world.rest(ctx, stop, handPause/2+time.Duration(h.random.Int64N(int64(handPause)))) {
		if err := h.act(ctx); err != nil {
			return fmt.Errorf("at %s of %s: %w", h.terminal, h.site, err)
		}
	}
	return ctx.Err()
}

func (h *hands) act(ctx context.Context) error {
	dice := h.random.IntN(100)
	if len(h.mine) == 0 || len(h.mine) < crowd && dice < 40 {
		return h.enroll(ctx)
	}
	who := h.mine[h.random.IntN(len(h.mine))]
	switch {
	case who.away:
		return h.back(ctx, who)
	case dice < 90:
		return h.edit(ctx, who)
	case time.Since(h.lastAway) > awayEvery && len(h.mine) > crowd/2:
		return h.remove(ctx, who)
	}
	return nil
}

func (h *hands) enroll(ctx context.Context) error {
	h.next++
	p := newPerson(h.random, h.next)
	p.site = h.site
	if h.random.IntN(3) == 0 {
		p.card = 0 // gets one later
	}
	if h.random.IntN(3) > 0 {
		p.fingers = []int{h.random.IntN(10)}
	}
	if err := h.terminals().Enroll(ctx, h.terminal, p.atTerminal()); err != nil {
		return err
	}
	h.mine = append(h.mine, h.world.people.add(p))
	h.world.line.count(atReaders, "enrolled at readers")
	return nil
}

// newPerson makes up somebody who is the only one with this ID, card and PIN.
func newPerson(random *rand.Rand, number int) person {
	p := person{id: fmt.Sprint(number), name: fmt.Sprintf("P%d v0", number), card: cardOf(number)}
	if random.IntN(2) == 0 {
		p.pin = newPIN(random)
	}
	return p
}

func cardOf(number int) uint32 { return 1_000_000 + uint32(number) } //nolint:gosec // small numbers

func newPIN(random *rand.Rand) string { return fmt.Sprintf("%08d", 10_000_000+random.IntN(89_999_999)) }

func (p person) atTerminal() rig.AtTerminal {
	return rig.AtTerminal{ID: p.id, Name: p.name, Card: p.card, PIN: p.pin, Fingers: p.fingers}
}

// edit changes one thing about somebody.
func (h *hands) edit(ctx context.Context, who *person) error {
	next := *who
	change := map[string]any{}
	switch dice := h.random.IntN(10); {
	case dice == 0 && who.card == 0:
		number := 0
		if _, err := fmt.Sscan(who.id, &number); err != nil {
			return err
		}
		next.card = cardOf(number)
		change["card"] = next.card
	case dice == 1:
		next.pin = newPIN(h.random)
		change["pin"] = next.pin
	case dice == 2 && len(who.fingers) < 4:
		finger := h.random.IntN(10)
		if !slices.Contains(who.fingers, finger) {
			next.fingers = append(slices.Clone(who.fingers), finger)
			change["add_fingers"] = []int{finger}
		}
	}
	if len(change) == 0 {
		next.name = fmt.Sprintf("P%s v%d", who.id, who.edits+1)
		change["name"] = next.name
	}
	if err := h.atKeys(ctx, func() error { return h.terminals().Edit(ctx, h.terminal, who.id, change) }); err != nil {
		return err
	}
	h.world.people.change(who, func(p *person) {
		p.name, p.card, p.pin, p.fingers = next.name, next.card, next.pin, next.fingers
		p.hidden = change["pin"] != nil
		p.edits++
	})
	h.world.line.count(atReaders, "edited at readers")
	return nil
}

// remove deletes somebody at the terminal, who is given back by a later sync. It
// must be somebody whose last edit has come through: what is deleted before an
// agent has read it nobody can know.
func (h *hands) remove(ctx context.Context, who *person) error {
	limited, cancel := context.WithTimeout(ctx, answerIn)
	defer cancel()
	if u, err := h.world.office.User(limited, who.id); err != nil || who.hidden || shapeOf(u) != who.shape() {
		return ctx.Err() // the center is down, or behind, or does not tell
	}
	if err := h.atKeys(ctx, func() error { return h.terminals().Delete(ctx, h.terminal, who.id) }); err != nil {
		return err
	}
	h.lastAway = time.Now()
	h.world.people.change(who, func(p *person) { p.away = true })
	h.world.line.count(atReaders, "deleted at readers")
	return nil
}

// back looks whether somebody who was deleted here was given back.
func (h *hands) back(ctx context.Context, who *person) error {
	list, err := h.terminals().List(ctx, h.terminal)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(list, func(p rig.AtTerminal) bool { return p.ID == who.id }) {
		h.world.people.change(who, func(p *person) { p.away = false })
		h.world.line.count(aside, "given back to readers")
	}
	return nil
}

// atKeys tries an act again for a while: an agent that puts a row anew may take
// it away for a moment.
func (h *hands) atKeys(ctx context.Context, act func() error) error {
	err := act()
	for range keysMissing {
		if err == nil || ctx.Err() != nil {
			return err
		}
		h.world.line.count(aside, "acts tried again at readers")
		pause(ctx, 100*time.Millisecond)
		err = act()
	}
	return err
}

func (h *hands) terminals() *rig.Terminals { return h.world.terminals[h.site] }

// pause waits, or until ctx ends.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
