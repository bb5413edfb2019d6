package main

import (
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"doorsync/cloud/api"
	"doorsync/cloud/api/client"
	"doorsync/configs"
	"doorsync/protocol"
)

// lastEvents is how many events are shown when nothing says how many.
const lastEvents = 200

// eventFlags is what the flags of events were set to.
type eventFlags struct {
	q            client.EventQuery
	since, until string
	follow, csv  bool
}

func (a *app) events() *cobra.Command {
	var f eventFlags
	cmd := a.jsonFlag(&cobra.Command{
		Use: "events", Short: "The journals of all sites and of the office",
		Long: `Prints what happened at the sites and at the office, oldest first: the last 200,
or all --since a time. --follow goes on printing what happens.`,
		Example: `  doorsync-central events --since 1d --site LYON
  doorsync-central events --user 4 --follow
  doorsync-central events --since 2026-11-01 --csv > november.csv`,
		Args: args(cobra.NoArgs),
	})
	fl := cmd.Flags()
	fl.StringVar(&f.since, "since", "", "from when: 1d, 2h30m, 2026-11-22, 2026-11-22T08:00:00Z")
	fl.StringVar(&f.until, "until", "", "until when, written alike")
	fl.StringVar(&f.q.Site, "site", "", `only this site; "-" is the office`)
	fl.StringVar(&f.q.User, "user", "", "only this user, by user ID or GUID")
	fl.StringVar(&f.q.Reader, "reader", "", "only this reader")
	fl.StringVar(&f.q.Event, "event", "", "only this event, for example enrolled or value_not_kept")
	fl.IntVar(&f.q.Limit, "limit", 0, "only the last so many")
	fl.BoolVarP(&f.follow, "follow", "f", false, "go on printing what happens")
	fl.BoolVar(&f.csv, "csv", false, "print CSV")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return a.showEvents(cmd, f) }
	return cmd
}

func (a *app) showEvents(cmd *cobra.Command, f eventFlags) error {
	if f.csv && a.json {
		return usagef("either --csv or --json, not both")
	}
	var err error
	if f.q.Since, err = moment(f.since, "since"); err != nil {
		return err
	}
	if f.q.Until, err = moment(f.until, "until"); err != nil {
		return err
	}
	if err := knownEvent(f.q.Event); err != nil {
		return err
	}
	c, err := a.connect()
	if err != nil {
		return err
	}
	out := a.eventRows(cmd, f)
	last, err := past(cmd, c, f.q, out)
	if err != nil {
		return err
	}
	if err := out.end(); err != nil || !f.follow {
		return err
	}
	f.q.After, f.q.Since = last, time.Time{}
	return c.Follow(cmd.Context(), f.q, func(e api.Event) error {
		if err := out.print(e); err != nil {
			return err
		}
		return out.end()
	})
}

// past prints what has happened and returns where following goes on.
func past(cmd *cobra.Command, c *client.Client, q client.EventQuery, out rows[api.Event]) (string, error) {
	if q.Limit == 0 && q.Since.IsZero() {
		q.Limit = lastEvents
	}
	if q.Limit > 0 {
		return newest(cmd, c, q, out)
	}
	last := "0"
	q.Limit = pageSize
	for {
		page, err := c.Events(cmd.Context(), q)
		if err != nil {
			return "", err
		}
		for _, e := range page.Events {
			last = e.Seq
			if err := out.print(e); err != nil {
				return "", err
			}
		}
		if page.Next == "" {
			return last, nil
		}
		q.After = page.Next
	}
}

// newest prints the last events that match, oldest first all the same.
func newest(cmd *cobra.Command, c *client.Client, q client.EventQuery, out rows[api.Event]) (string, error) {
	want := q.Limit
	q.Newest = true
	var all []api.Event
	for len(all) < want {
		q.Limit = min(want-len(all), pageSize)
		page, err := c.Events(cmd.Context(), q)
		if err != nil {
			return "", err
		}
		all = append(all, page.Events...)
		if q.After = page.Next; page.Next == "" {
			break
		}
	}
	last := "0"
	for _, e := range slices.Backward(all) {
		last = e.Seq
		if err := out.print(e); err != nil {
			return "", err
		}
	}
	return last, nil
}

// knownEvent refuses what no event is called: to find nothing would be misleading.
func knownEvent(name string) error {
	if name == "" || protocol.Event(name).Known() {
		return nil
	}
	var known []string
	for _, e := range protocol.Events() {
		known = append(known, string(e))
	}
	return usagef("--event: there is no event %q; known are %s", name, strings.Join(known, ", "))
}

// moment reads a time, or how long ago it was.
func moment(text, flag string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if d, err := configs.ParseDuration(text); err == nil {
		return time.Now().Add(-d), nil
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02 15:04:05", "2006-01-02 15:04", "2006-01-02"} {
		if t, err := time.ParseInLocation(layout, text, time.Local); err == nil {
			return t, nil
		}
	}
	return time.Time{}, usagef("--%s %s: write how long ago (1d, 2h30m) or a time (2026-11-22, 2026-11-22T08:00:00Z)", flag, text)
}
