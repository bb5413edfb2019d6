package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"doorsync/cloud/api"
	"doorsync/cloud/api/client"
)

// Bounds of the way to agreement.
const (
	agreeIn   = 2 * time.Minute
	helpAfter = 15 * time.Second // then a person retries what was given up
	lookEvery = 300 * time.Millisecond
)

// helped is counted when a person had to.
const helped = "times that a person had to help"

// agree waits until the roster and all terminals hold what was done.
func (w *world) agree(ctx context.Context) (string, error) {
	limited, cancel := context.WithTimeout(ctx, agreeIn)
	defer cancel()
	if err := w.caughtUp(limited); err != nil {
		return "", err
	}
	// What a terminal refused on its bad days was given up, until somebody tries
	// it again; who was deleted at a reader is given back at a sync.
	w.press(limited, "given-up", "retry")
	w.press(limited, "sync")
	help := time.Now().Add(helpAfter)
	last := ""
	for {
		said, difference := w.difference(limited)
		if difference == "" {
			if n := w.line.counted(helped); n > 0 {
				said += fmt.Sprintf("; a person had to press retry and sync %d times more", n)
			}
			return said, ctx.Err()
		}
		if limited.Err() != nil { // what was asked just now was cut short
			return "", fmt.Errorf("no agreement within %v: %s", agreeIn, last)
		}
		last = difference
		w.line.note("not yet: %s", difference)
		if time.Now().After(help) {
			help = time.Now().Add(helpAfter)
			w.line.count(aside, helped)
			w.press(limited, "given-up", "retry")
			w.press(limited, "sync", "--confirm-deletes")
		}
		pause(limited, lookEvery)
	}
}

// caughtUp waits until the center has confirmed every journal.
func (w *world) caughtUp(ctx context.Context) error {
	for {
		behind := ""
		for name, s := range w.sites {
			st, err := status(ctx, s)
			switch {
			case err != nil:
				behind = err.Error()
			case st.Journal.Confirmed != st.Journal.Last:
				behind = fmt.Sprintf("%s has %d entries, %d of them confirmed", name, st.Journal.Last, st.Journal.Confirmed)
			}
		}
		if behind == "" {
			return nil
		}
		if ctx.Err() != nil {
			return errors.New("the center does not take the journals in: " + behind)
		}
		pause(ctx, lookEvery)
	}
}

// press is a technician's command at each site. What does not come of it shows
// in the tables.
func (w *world) press(ctx context.Context, command ...string) {
	for name, s := range w.sites {
		out, err := s.Command(ctx, command...)
		w.line.note("%s: %s: %s %v", name, strings.Join(command, " "), strings.ReplaceAll(strings.TrimSpace(string(out)), "\n", " | "), err)
	}
}

// roster is what the center holds.
type roster struct {
	users     map[string]api.User // by user ID
	conflicts map[string]api.User // by site and user ID
}

func (w *world) roster(ctx context.Context) (roster, error) {
	r := roster{users: map[string]api.User{}, conflicts: map[string]api.User{}}
	for after := ""; ; {
		page, err := w.office.Users(ctx, client.UserQuery{After: after, Limit: 200})
		if err != nil {
			return r, err
		}
		for _, u := range page.Users {
			into, key := r.users, u.ID
			if u.Conflict != "" {
				into, key = r.conflicts, u.Conflict+" "+u.ID
			}
			if _, twice := into[key]; twice {
				return r, fmt.Errorf("user %s is twice in the roster", key)
			}
			into[key] = u
		}
		if after = page.Next; after == "" {
			return r, nil
		}
	}
}

// shapeOf is a user of the roster as readers should show them.
func shapeOf(u api.User) string {
	var card uint32
	var fingers []int
	for _, c := range u.Credentials {
		switch {
		case c.State != "given":
		case c.Kind == "card" && card == 0:
			if _, err := fmt.Sscan(c.Number, &card); err != nil {
				return "a card without a number: " + c.Number
			}
		case c.Kind == "card":
			return "two cards: " + c.Number
		case c.Finger != nil:
			fingers = append(fingers, int(*c.Finger))
		}
	}
	return shape(u.Name, card, u.HasPIN, fingers)
}

// difference compares all tables with what was done; "" is none.
func (w *world) difference(ctx context.Context) (said, difference string) {
	r, err := w.roster(ctx)
	if err != nil {
		return "", err.Error()
	}
	want, difference := w.wanted(r)
	if difference != "" {
		return "", difference
	}
	have := map[string]string{}
	for id, u := range r.users {
		have[id] = shapeOf(u)
	}
	all := []string{differs("the roster", want.center, have), w.emails(r)}
	for _, site := range siteNames() {
		for _, terminal := range terminalNames() {
			all = append(all, w.atTerminal(ctx, site, terminal, want.sites[site]))
		}
		all = append(all, w.atGate(ctx, site))
	}
	for _, d := range all {
		if d != "" {
			difference += d + "\n"
		}
	}
	return fmt.Sprintf("%d people in the roster and in %d terminals, their cards in %d controllers, %d user IDs in conflict as they must be, %d cards claimed twice held once",
		len(have), len(siteNames())*len(terminalNames()), len(siteNames()), len(r.conflicts), len(w.people.rivals)), strings.TrimSpace(difference)
}

func (w *world) atTerminal(ctx context.Context, site, terminal string, want map[string]string) string {
	list, err := w.terminals[site].List(ctx, terminal)
	if err != nil {
		return err.Error()
	}
	have := map[string]string{}
	for _, p := range list {
		have[p.ID] = shape(p.Name, p.Card, p.HasPIN, p.Fingers)
	}
	return differs(terminal+" of "+site, want, have)
}

// atGate holds a site's controller against a terminal of the same site: the same
// cards, each opening the one door.
func (w *world) atGate(ctx context.Context, site string) string {
	people, err := w.terminals[site].List(ctx, terminalNames()[0])
	if err != nil {
		return err.Error()
	}
	cards, err := w.terminals[site].List(ctx, gate)
	if err != nil {
		return err.Error()
	}
	want, have := map[string]string{}, map[string]string{}
	for _, p := range people {
		if p.Card != 0 {
			want[fmt.Sprint(p.Card)] = "opens"
		}
	}
	for _, c := range cards {
		have[c.ID] = "opens"
	}
	return differs(gate+" of "+site, want, have)
}

// emails compares what the office gave to people of readers.
func (w *world) emails(r roster) string {
	for id, p := range w.people.look() {
		if p.email != "" && !p.gone && r.users[id].Values["email"] != p.email {
			return fmt.Sprintf("user %s lost the e-mail address that the office gave", id)
		}
	}
	return ""
}
