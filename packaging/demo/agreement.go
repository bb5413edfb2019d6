package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"doorsync/cloud/api/client"
	"doorsync/packaging/rig"
)

// agreed compares whole tables: what each reader holds, and nothing besides,
// with what the roster says it should.
func agreed(ctx context.Context, tell *teller, s *stage) error {
	tell.chapter("All four readers and the roster agree")
	limited, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	var want map[string]person
	difference := ""
	err := rig.Until(limited, "agreement", func(ctx context.Context) bool {
		var err error
		if want, err = s.wanted(ctx); err != nil {
			difference = err.Error()
			return false
		}
		difference = s.difference(ctx, want)
		return difference == ""
	})
	if err != nil {
		return fmt.Errorf("no agreement: %s", difference)
	}
	tell.printf("   %-4s %-18s %-6s %s", "ID", "Name", "Card", strings.Join([]string{"Central", "LYON front", "LYON gate", "OSLO front", "OSLO gate"}, "  "))
	for _, id := range slices.Sorted(maps.Keys(want)) {
		p := want[id]
		tell.printf("   %-4s %-18s %-6d %-7s  %-10s  %-9s  %-10s  %s", p.id, p.name, p.card, "yes", "yes", "yes", "yes", "yes")
	}
	return nil
}

// wanted is the roster.
func (s *stage) wanted(ctx context.Context) (map[string]person, error) {
	page, err := s.center.Users(ctx, client.UserQuery{Limit: 100})
	if err != nil {
		return nil, err
	}
	out := map[string]person{}
	for _, u := range page.Users {
		p := person{id: u.ID, name: u.Name}
		for _, c := range u.Credentials {
			if c.Kind == "card" {
				if _, err := fmt.Sscan(c.Number, &p.card); err != nil {
					return nil, err
				}
			}
		}
		out[u.ID] = p
	}
	if len(out) != 3 {
		return nil, fmt.Errorf("the roster has %d people, not 3", len(out))
	}
	return out, nil
}

// difference names the first reader that does not hold exactly the roster.
func (s *stage) difference(ctx context.Context, want map[string]person) string {
	for _, site := range names() {
		held, err := s.terminals.List(ctx, site)
		if err != nil {
			return err.Error()
		}
		got := map[string]person{}
		for _, h := range held {
			got[h.ID] = person{h.ID, h.Name, uint64(h.Card)}
		}
		if !maps.Equal(got, want) {
			return fmt.Sprintf("%s front holds %v, the roster %v", site, got, want)
		}
		rows, err := s.gates[site].Rows(ctx)
		if err != nil {
			return err.Error()
		}
		if len(rows) != len(want) {
			return fmt.Sprintf("%s gate holds %d cards, not %d", site, len(rows), len(want))
		}
		for _, p := range want {
			if !s.gate(site).has(ctx, p) {
				return fmt.Sprintf("%s gate lacks the card of %s", site, p.name)
			}
		}
	}
	return ""
}
