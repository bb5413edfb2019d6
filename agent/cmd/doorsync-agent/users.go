package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"doorsync/agent/console"
)

func (a *app) users() *cobra.Command {
	return a.jsonFlag(&cobra.Command{
		Use: "users [user ID]", Short: "Show the users of the site as in effect here",
		Long: `Shows the users of the site as in effect here: what the center says, with what
was edited at this site since laid over it (marked "pending" until the center
has taken it in). With a user ID, everything about that one. Secrets are never
shown. --json prints one user a line.`,
		Args: args(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, given []string) error {
			if len(given) == 1 {
				return a.showUser(cmd, given[0])
			}
			return a.listUsers(cmd)
		},
	})
}

func (a *app) listUsers(cmd *cobra.Command) error {
	t := newTable(cmd)
	print := func(u console.User) error { return jsonLine(cmd, u) }
	if !a.json {
		t.row("USER", "NAME", "CREDENTIALS", "GROUPS", "STATE")
		print = func(u console.User) error {
			t.row(u.ID, u.Name, strings.Join(u.Credentials, ", "), strings.Join(u.Groups, ", "), userState(u))
			return nil
		}
	}
	err := a.ask(cmd.Context(), func(s site) error { return s.Users(cmd.Context(), print) })
	if a.json {
		return err
	}
	if e := t.flush(); err == nil {
		err = e
	}
	return err
}

func userState(u console.User) string {
	var marks []string
	if u.Pending {
		marks = append(marks, "pending")
	}
	if u.Conflict {
		marks = append(marks, "in conflict")
	}
	return strings.Join(marks, ", ")
}

// errFound ends a search.
type errFound struct{}

func (errFound) Error() string { return "found" }

func (a *app) showUser(cmd *cobra.Command, id string) error {
	var found *console.User
	err := a.ask(cmd.Context(), func(s site) error {
		u, err := userOf(cmd.Context(), s, id)
		found = u
		return err
	})
	switch {
	case err != nil:
		return err
	case found == nil:
		return fmt.Errorf("there is no user %q at this site", id)
	case a.json:
		return printJSON(cmd, found)
	}
	t := newTable(cmd)
	t.row("user ID", found.ID)
	if len(found.Aliases) > 0 {
		t.row("also known as", strings.Join(found.Aliases, ", "))
	}
	for _, f := range slices.Sorted(maps.Keys(found.Values)) {
		t.row(string(f), found.Values[f])
	}
	t.row("credentials", strings.Join(found.Credentials, ", "))
	t.row("groups", strings.Join(found.Groups, ", "))
	if s := userState(*found); s != "" {
		t.row("state", s)
	}
	return t.flush()
}

// userOf looks a user up. The running agent has an index; the file is searched.
func userOf(ctx context.Context, s site, id string) (*console.User, error) {
	if c, ok := s.(*console.Client); ok {
		u, err := c.User(ctx, id)
		if err != nil {
			return nil, err
		}
		return &u, nil
	}
	var found *console.User
	err := s.Users(ctx, func(u console.User) error {
		if u.ID == id || slices.Contains(u.Aliases, id) {
			found = &u
			return errFound{}
		}
		return nil
	})
	if found != nil {
		err = nil
	}
	return found, err
}
