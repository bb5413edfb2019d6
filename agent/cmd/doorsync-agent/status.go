package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"doorsync/agent/config"
	"doorsync/agent/console"
	"doorsync/packaging/service"
)

func (a *app) status() *cobra.Command {
	return a.jsonFlag(&cobra.Command{
		Use: "status", Short: "Tell whether the agent runs, and how it stands",
		Long: `Tells what the service manager says of the agent, and, if it answers, how the
journal, the exchange with the center and the readers stand. Exit code 3 if it
does not answer.`,
		Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := a.client()
			if err != nil {
				return err
			}
			st, err := c.Status(cmd.Context())
			if a.json {
				if err != nil {
					return err
				}
				return printJSON(cmd, st)
			}
			t := newTable(cmd)
			t.row("service", a.serviceState())
			if err != nil {
				_ = t.flush() // the error is told anyway
				return err
			}
			statusRows(t, st)
			if err := t.flush(); err != nil || len(st.Readers) == 0 {
				return err
			}
			if err := say(cmd.OutOrStdout(), ""); err != nil {
				return err
			}
			return printReaders(cmd, st.Readers)
		},
	})
}

func (a *app) serviceState() string {
	s, err := service.Status(a.registration(config.Config{}))
	switch {
	case errors.Is(err, service.ErrNoManager):
		return "no service manager here"
	case err != nil:
		return "unknown: " + err.Error()
	default:
		return string(s)
	}
}

// center is what is shown of the uplink.
type center struct {
	State   string    `json:"state"`
	Since   time.Time `json:"since"`
	Error   string    `json:"error"`
	Behind  bool      `json:"behind"`
	Pending uint64    `json:"pending"`
}

func statusRows(t table, st console.Status) {
	t.row("agent", "answers, since "+when(st.Started))
	t.row("version", st.Version)
	t.row("site", st.Site)
	t.row("sync mode", st.Mode)
	j := st.Journal
	t.row("journal", fmt.Sprintf("entries %d to %d, %d not confirmed by the center", j.Oldest, j.Last, j.Last-min(j.Confirmed, j.Last)))
	t.row("roster", fmt.Sprintf("revision %d", j.Revision))
	if len(st.Center) == 0 {
		t.row("center", "none configured: the site works alone")
		return
	}
	var c center
	if err := json.Unmarshal(st.Center, &c); err != nil {
		t.row("center", "unknown: "+err.Error())
		return
	}
	text := c.State + ", since " + when(c.Since)
	switch {
	case c.Error != "":
		text += ": " + c.Error
	case c.Behind:
		text += ", catching up"
	}
	t.row("center", text)
}
