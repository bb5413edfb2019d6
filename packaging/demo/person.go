package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"doorsync/packaging/rig"
)

// person is somebody in the story.
type person struct {
	id   string
	name string
	card uint64
}

// place is somewhere a person can be looked for.
type place struct {
	name string
	has  func(ctx context.Context, p person) bool
}

// front is a site's terminal: it knows names and cards.
func (s *stage) front(site string) place {
	return place{site + " front", func(ctx context.Context, p person) bool {
		held, err := s.terminals.List(ctx, site)
		if err != nil {
			return false
		}
		for _, h := range held {
			if h.ID == p.id {
				return h.Name == p.name && uint64(h.Card) == p.card
			}
		}
		return false
	}}
}

// pinAt is a site's terminal, asked whether the person has a PIN there.
func (s *stage) pinAt(site string) place {
	return place{site + " front", func(ctx context.Context, p person) bool {
		held, err := s.terminals.List(ctx, site)
		return err == nil && slices.ContainsFunc(held, func(h rig.AtTerminal) bool { return h.ID == p.id && h.HasPIN })
	}}
}

// gate is a site's controller: it knows cards only.
func (s *stage) gate(site string) place {
	return place{site + " gate", func(ctx context.Context, p person) bool {
		has, err := s.gates[site].HasCard(ctx, p.card)
		return err == nil && has
	}}
}

// roster is the center.
func (s *stage) roster() place {
	return place{"Central", func(ctx context.Context, p person) bool {
		u, err := s.center.User(ctx, p.id)
		if err != nil || u.Name != p.name {
			return false
		}
		for _, c := range u.Credentials {
			if c.Kind == "card" && c.Number == fmt.Sprint(p.card) {
				return true
			}
		}
		return false
	}}
}

// everywhere is all places but those named.
func (s *stage) everywhere(but ...string) []place {
	var out []place
	for _, p := range []place{s.front(lyon), s.gate(lyon), s.roster(), s.front(oslo), s.gate(oslo)} {
		left := false
		for _, b := range but {
			left = left || p.name == b
		}
		if !left {
			out = append(out, p)
		}
	}
	return out
}

// arrival is when somebody was first seen at a place.
type arrival struct {
	at    place
	after time.Duration
	err   error
}

// await looks at all places at once and tells when the person came to each.
func await(ctx context.Context, tell *teller, begin time.Time, p person, what string, places ...place) error {
	arrivals := make([]chan arrival, len(places))
	for i, at := range places {
		arrivals[i] = make(chan arrival, 1)
		go func() {
			err := rig.Until(ctx, fmt.Sprintf("%s at %s", p.name, at.name), func(ctx context.Context) bool { return at.has(ctx, p) })
			arrivals[i] <- arrival{at, time.Since(begin), err}
		}()
	}
	for _, a := range arrivals {
		arrived := <-a
		if arrived.err != nil {
			return arrived.err
		}
		tell.held(arrived.at.name, what, arrived.after)
	}
	return nil
}

// absent makes sure that a person has not come to a place that is cut off.
func absent(ctx context.Context, p person, places ...place) error {
	for _, at := range places {
		if at.has(ctx, p) {
			return fmt.Errorf("%s is at %s, which is cut off from where that happened", p.name, at.name)
		}
	}
	return nil
}
