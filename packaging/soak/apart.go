package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"doorsync/packaging/rig"
)

// User IDs of what is done on purpose to make a conflict.
const (
	firstTwin  = 40000
	firstRival = 50000
)

// apart cuts a site off and has the same user ID enrolled at both sites for two
// people, or two people with the same card. Nothing else is broken meanwhile, so
// that both agents have it in their journals before the line is whole again, and
// what must come of it is beyond doubt.
func (w *world) apart(ctx context.Context, site string, random *rand.Rand) error {
	kind := pick(random, []string{down, silent})
	if err := w.settled(ctx); err != nil {
		w.line.note("no conflict now: %v", err)
		return ctx.Err()
	}
	w.line.note("line of %s: %s, for a conflict on purpose", site, kind)
	if err := w.wan.harm(ctx, site, kind); err != nil {
		return err
	}
	err := w.twins(ctx)
	if random.IntN(2) == 0 {
		err = w.rivals(ctx)
	}
	w.line.note("line of %s: %s, over", site, kind)
	if e := w.wan.heal(ctx, site, kind); err == nil {
		err = e
	}
	return err
}

// settled waits until the agents answer and their readers are there: an agent
// that has just been killed is still finding its way.
func (w *world) settled(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	return rig.Until(ctx, "agents that have their readers", func(ctx context.Context) bool {
		for _, s := range w.sites {
			if st, err := status(ctx, s); err != nil || !st.inReach() {
				return false
			}
		}
		return true
	})
}

// twins enrolls one user ID at both sites.
func (w *world) twins(ctx context.Context) error {
	id := fmt.Sprint(firstTwin + w.line.counted("user IDs enrolled twice"))
	t := twins{id: id, at: map[string]person{}}
	for i, site := range siteNames() {
		t.at[site] = person{id: id, name: fmt.Sprintf("P%s of %s", id, site), card: 4_000_000 + uint32(i) + 10*uint32(w.line.counted("user IDs enrolled twice")), site: site} //nolint:gosec // small numbers
		if err := w.terminals[site].Enroll(ctx, terminalNames()[0], t.at[site].atTerminal()); err != nil {
			return err
		}
	}
	w.people.addTwins(t)
	w.line.count(onPurpose, "user IDs enrolled twice")
	return w.journaled(ctx, map[string]string{siteNames()[0]: id, siteNames()[1]: id})
}

// rivals enrolls one card at both sites.
func (w *world) rivals(ctx context.Context) error {
	n := w.line.counted("cards given twice")
	r := rivals{card: 5_000_000 + uint32(n)} //nolint:gosec // small numbers
	var two []person
	where := map[string]string{}
	for i, site := range siteNames() {
		id := fmt.Sprint(firstRival + 2*n + i)
		p := person{id: id, name: "P" + id + " rival", card: r.card, site: site}
		if err := w.terminals[site].Enroll(ctx, terminalNames()[0], p.atTerminal()); err != nil {
			return err
		}
		r.ids[i], where[site] = id, id
		two = append(two, p)
	}
	w.people.addRivals(r, two...)
	w.line.count(onPurpose, "cards given twice")
	return w.journaled(ctx, where)
}

// journaled waits until each site's agent knows its person.
func (w *world) journaled(ctx context.Context, who map[string]string) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	return rig.Until(ctx, "what was enrolled in the journals of both sites", func(ctx context.Context) bool {
		for site, id := range who {
			if _, err := w.sites[site].Command(ctx, "users", id); err != nil {
				return false
			}
		}
		return true
	})
}
