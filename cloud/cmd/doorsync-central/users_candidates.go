package main

import (
	"github.com/spf13/cobra"

	"doorsync/cloud/api"
)

func (a *app) usersCandidates() *cobra.Command {
	return a.jsonFlag(&cobra.Command{
		Use: "candidates", Short: "List whom sources name and who may be one of several users",
		Long: `Lists everybody whom a source names and who may be one of several users, as of
the last import of each source. Nothing is guessed: they are not taken in until
somebody says who they are ("users decide"), or that the several users are one
("users merge").`,
		Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := a.connect()
			if err != nil {
				return err
			}
			all, err := c.Undecided(cmd.Context())
			if err != nil {
				return err
			}
			if a.json {
				return printAll(jsonLines[api.Undecided](cmd), all)
			}
			return showUndecided(cmd, all)
		},
	})
}

func showUndecided(cmd *cobra.Command, all []api.Undecided) error {
	if len(all) == 0 {
		return nil
	}
	t := newTable(cmd, "SOURCE", "SYNC ID", "NAME", "MAY BE", "NAME OF THAT USER", "BY", "GUID")
	for _, u := range all {
		head := []string{u.Source, u.SyncID, u.Name}
		for _, c := range u.Candidates {
			t.row(append(head, c.UserID, c.Name, string(c.By), c.GUID)...)
			head = []string{"", "", ""}
		}
		if len(u.Candidates) == 0 {
			t.row(append(head, u.Text)...)
		}
	}
	return t.flush()
}

func (a *app) usersDecide() *cobra.Command {
	var d api.Decision
	cmd := &cobra.Command{
		Use: "decide <source> <sync ID> --user <user> | --new", Short: "Say who somebody is whom a source names",
		Long: `Says who somebody is whom a source names, as "users candidates" lists them:
--user, if it is a user who is known, or --new, if it is nobody known. The next
import takes them in. Instead of a sync ID write the e-mail address if the source
has none.`,
		Example: `  doorsync-central users decide hr 4711 --user 4
  doorsync-central users decide hr anna@example.org --new`,
		Args: args(cobra.ExactArgs(2)), ValidArgsFunction: a.completeSources,
		RunE: func(cmd *cobra.Command, words []string) error {
			if (d.User == "") == !d.New {
				return usagef("say who it is, one of the two: --user <user> or --new")
			}
			c, err := a.connect()
			if err != nil {
				return err
			}
			d.SyncID = words[1]
			return c.Decide(cmd.Context(), words[0], d)
		},
	}
	cmd.Flags().StringVar(&d.User, "user", "", "user ID or GUID of who it is")
	cmd.Flags().BoolVar(&d.New, "new", false, "it is nobody known")
	return cmd
}
