package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"doorsync/cloud/api"
	"doorsync/cloud/api/client"
)

// entry is one line of "doorsync-agent journal --json".
type entry struct {
	Number uint64    `json:"number"`
	Time   time.Time `json:"time"`
	Event  string    `json:"event"`
	UserID string    `json:"user_id"`
	Reader string    `json:"reader"`
}

// journals compares each site's journal with what the center took in, entry by
// entry, counts enrollments, and has every journal verify itself.
func (w *world) journals(ctx context.Context) (string, error) {
	events, err := w.events(ctx)
	if err != nil {
		return "", err
	}
	var said strings.Builder
	for _, site := range siteNames() {
		mine, err := w.journal(ctx, site)
		if err != nil {
			return "", err
		}
		w.compare(site, mine, events[site])
		out, err := w.sites[site].Command(ctx, "journal", "verify")
		if err != nil {
			w.line.fail("journal of %s: %v: %s", site, err, out)
		}
		fmt.Fprintf(&said, "%s %s; ", site, strings.TrimSpace(string(out)))
	}
	w.enrollments(events)
	return said.String() + "the center has each entry once", nil
}

// events are the center's event log by site, kept in a file as well.
func (w *world) events(ctx context.Context) (map[string][]api.Event, error) {
	out := map[string][]api.Event{}
	var kept bytes.Buffer
	lines := json.NewEncoder(&kept)
	for after := ""; ; {
		page, err := w.office.Events(ctx, client.EventQuery{After: after, Limit: 1000})
		if err != nil {
			return nil, err
		}
		for _, e := range page.Events {
			out[e.Site] = append(out[e.Site], e)
			if err := lines.Encode(e); err != nil {
				return nil, fmt.Errorf("keep events: %w", err)
			}
		}
		if after = page.Next; after == "" {
			break
		}
	}
	return out, os.WriteFile(filepath.Join(w.dir, "events.json"), kept.Bytes(), 0o600)
}

func (w *world) journal(ctx context.Context, site string) ([]entry, error) {
	out, err := w.sites[site].Command(ctx, "journal", "--json", "--oldest-first")
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(w.dir, "journal-"+site+".json"), out, 0o600); err != nil {
		return nil, fmt.Errorf("keep journal: %w", err)
	}
	var all []entry
	for line := range bytes.Lines(out) {
		var e entry
		if err := json.Unmarshal(line, &e); err != nil {
			return nil, fmt.Errorf("read journal of %s: %w", site, err)
		}
		all = append(all, e)
	}
	return all, nil
}

// compare: the same entries, in the same order, each once.
func (w *world) compare(site string, mine []entry, taken []api.Event) {
	for i, e := range mine {
		if e.Event == "wan_lost" {
			w.line.count(aside, "WANs seen lost")
		}
		if e.Number != uint64(i)+1 { //nolint:gosec // small numbers
			w.line.fail("journal of %s: entry %d stands at place %d", site, e.Number, i+1)
			return
		}
		if i >= len(taken) {
			continue // said below
		}
		got := entry{Number: taken[i].Number, Time: taken[i].Time, Event: taken[i].Event, UserID: taken[i].User, Reader: taken[i].Reader}
		same := got.Time.Equal(e.Time)
		got.Time = e.Time
		if !same || got != e {
			w.line.fail("entry %d of %s is %+v at the site and %+v at the center", e.Number, site, e, taken[i])
			return
		}
	}
	// The center may have heard of what happened since the journal was read.
	if len(taken) < len(mine) {
		w.line.fail("%s has %d entries, the center has %d of them", site, len(mine), len(taken))
	}
}

// enrollments: whoever was enrolled at a reader, and nobody else, was enrolled
// once, by that site.
func (w *world) enrollments(events map[string][]api.Event) {
	enrolled, edited := map[string]int{}, map[string]int{}
	for site, list := range events {
		for _, e := range list {
			switch e.Event {
			case "enrolled":
				enrolled[site+" "+e.User]++
			case "updated_reader":
				edited[site+" "+e.User]++
			}
		}
	}
	expect := func(site, id string) {
		if n := enrolled[site+" "+id]; n != 1 {
			w.line.fail("user %s was enrolled once at %s, the event log says %d times", id, site, n)
		}
		delete(enrolled, site+" "+id)
	}
	for id, p := range w.people.look() {
		if p.site == "" {
			continue
		}
		expect(p.site, id)
		if n := edited[p.site+" "+id]; n > p.edits {
			w.line.fail("user %s was edited %d times at %s, the event log says %d times", id, p.edits, p.site, n)
		}
		delete(edited, p.site+" "+id)
	}
	for _, tw := range w.people.twins {
		for site := range tw.at {
			expect(site, tw.id)
		}
	}
	for who, n := range enrolled {
		w.line.fail("the event log has %d enrollments of %s, who was not enrolled there", n, who)
	}
	for who, n := range edited {
		w.line.fail("the event log has %d edits of %s at a reader, who was not edited there", n, who)
	}
}
