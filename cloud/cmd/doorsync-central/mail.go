package main

import (
	"context"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"doorsync/cloud/api"
	"doorsync/cloud/api/client"
)

func (a *app) mail() *cobra.Command {
	return group("mail", "The outbox: mail that waits to be sent",
		`Mail to people who come and go, and to those who look after imports, is kept until
the mail server has taken it. It goes out by itself when the server is back. What
the server refused for good, and what may have been sent when the center was cut
off, waits here for a person: "mail resend" or "mail drop".`,
		a.mailList(),
		a.mailAct("resend", "Send mail again that was given up on, or may have been sent", (*client.Client).ResendMail),
		a.mailAct("drop", "Take mail out without sending it", (*client.Client).DropMail))
}

func (a *app) mailList() *cobra.Command {
	return a.jsonFlag(&cobra.Command{
		Use: "list", Short: "List the mail that waits",
		Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := a.connect()
			if err != nil {
				return err
			}
			all, err := c.Mails(cmd.Context())
			if err != nil {
				return err
			}
			if a.json {
				return printAll(jsonLines[api.Mail](cmd), all)
			}
			if len(all) == 0 {
				return nil
			}
			t := newTable(cmd, "MAIL", "KIND", "TO", "STATE", "SINCE", "TRIED", "NOTE")
			for _, m := range all {
				t.row(strconv.FormatUint(m.ID, 10), m.Kind, m.To, stateOfMail(m.State), when(m.Queued), number(m.Attempts), m.Reason)
			}
			return t.flush()
		},
	})
}

func stateOfMail(state string) string {
	if state == "unsure" {
		return "may have been sent"
	}
	return state
}

// mailAct is a command that does something with some mails.
func (a *app) mailAct(use, short string, do func(*client.Client, context.Context, uint64) error) *cobra.Command {
	return &cobra.Command{
		Use: use + " <mail>...", Short: short,
		Args: args(cobra.MinimumNArgs(1)),
		RunE: func(cmd *cobra.Command, words []string) error {
			var ids []uint64
			for _, w := range words {
				id, err := strconv.ParseUint(w, 10, 64)
				if err != nil || id == 0 {
					return usagef("%s is no number of a mail; \"mail list\" shows them", w)
				}
				ids = append(ids, id)
			}
			c, err := a.connect()
			if err != nil {
				return err
			}
			for _, id := range ids {
				if err := do(c, cmd.Context(), id); err != nil {
					return fmt.Errorf("mail %d: %w", id, err)
				}
			}
			return nil
		},
	}
}
