package main

import (
	"strings"
	"time"

	"github.com/spf13/cobra"

	"doorsync/cloud/api"
	"doorsync/cloud/api/client"
)

// pageSize is how many users or events are asked for at once.
const pageSize = 500

func (a *app) usersList() *cobra.Command {
	var q client.UserQuery
	cmd := a.jsonFlag(&cobra.Command{
		Use: "list [text]", Short: "List users, all or those that match",
		Long: "Lists users, all or those with the text in a name, an ID or another value.\nWith --json each line is one user.",
		Args: args(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, text []string) error {
			q.Text = strings.Join(text, "")
			return a.listUsers(cmd, q)
		},
	})
	f := cmd.Flags()
	f.StringVar(&q.Site, "site", "", "only users whom this site is given")
	f.StringVar(&q.Group, "group", "", "only users in this access group")
	f.StringVar(&q.State, "state", "", "only users who are active, inactive or in conflict")
	f.BoolVar(&q.Removed, "removed", false, "users who were deleted")
	f.IntVar(&q.Limit, "limit", 0, "at most this many (default: all)")
	return cmd
}

func (a *app) listUsers(cmd *cobra.Command, q client.UserQuery) error {
	c, err := a.connect()
	if err != nil {
		return err
	}
	rows := a.userRows(cmd)
	left := q.Limit
	for {
		q.Limit = pageSize
		if left > 0 {
			q.Limit = min(left, pageSize)
		}
		page, err := c.Users(cmd.Context(), q)
		if err != nil {
			return err
		}
		for _, u := range page.Users {
			if err := rows.print(u); err != nil {
				return err
			}
		}
		if left > 0 {
			if left -= len(page.Users); left <= 0 {
				return rows.end()
			}
		}
		if page.Next == "" {
			return rows.end()
		}
		q.After = page.Next
	}
}

// rows prints one thing after the other, and what it held back at the end.
type rows[T any] struct {
	print func(T) error
	end   func() error
}

func (a *app) userRows(cmd *cobra.Command) rows[api.User] {
	if a.json {
		return jsonLines[api.User](cmd)
	}
	t := newTable(cmd, "USER", "NAME", "STATE", "GROUPS", "CARDS", "FINGERS", "PIN", "EXPIRES", "NOTE")
	return rows[api.User]{print: func(u api.User) error {
		t.row(u.ID, u.Name, standing(u, time.Now()), strings.Join(u.Groups, ","), count(u, "card"), count(u, "fingerprint"),
			yes(u.HasPIN), expires(u), note(u))
		return nil
	}, end: t.flush}
}

func count(u api.User, kind string) string {
	n := 0
	for _, c := range u.Credentials {
		if c.Kind == kind && c.State == "given" {
			n++
		}
	}
	return number(n)
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "-"
}

func expires(u api.User) string {
	if u.Validity == nil || u.Validity.ExpiresAt == "" {
		return "-"
	}
	return strings.TrimSuffix(u.Validity.ExpiresAt, "T00:00:00Z")
}

func note(u api.User) string {
	switch {
	case u.Removed:
		return "deleted"
	case u.Conflict != "":
		return "conflict at " + u.Conflict
	default:
		return ""
	}
}
