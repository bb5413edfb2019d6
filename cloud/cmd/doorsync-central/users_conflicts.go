package main

import (
	"github.com/spf13/cobra"

	"doorsync/cloud/api"
	"doorsync/cloud/api/client"
)

func (a *app) usersConflicts() *cobra.Command {
	return a.jsonFlag(&cobra.Command{
		Use: "conflicts", Short: "List users whose user ID was enrolled twice, for two people",
		Long: `The same new user ID was enrolled at two sites that had not heard of one another.
The first to reach the center holds it; the second stays on the readers of its
own site until somebody says what is right: see "users resolve".`,
		Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := a.connect()
			if err != nil {
				return err
			}
			list, err := c.Conflicts(cmd.Context())
			if err != nil {
				return err
			}
			if a.json {
				if list == nil {
					list = []api.Conflict{}
				}
				return printJSON(cmd, list)
			}
			return showConflicts(cmd, list)
		},
	})
}

func showConflicts(cmd *cobra.Command, list []api.Conflict) error {
	if len(list) == 0 {
		return nil
	}
	t := newTable(cmd, "USER", "AT SITE", "NAME THERE", "NAME ELSEWHERE", "GUID")
	for _, c := range list {
		holder := "(deleted)"
		if c.Holder != nil {
			holder = c.Holder.Name
		}
		t.row(c.User.ID, c.User.Conflict, c.User.Name, holder, c.User.GUID)
	}
	return t.flush()
}

func (a *app) usersResolve() *cobra.Command {
	var into, renumber string
	var dry bool
	cmd := a.jsonFlag(&cobra.Command{
		Use: "resolve <guid> --merge-into <user> | --renumber <user ID>", Short: "Decide about a conflict",
		Long: `Decides about a user in conflict, named by the GUID that "users conflicts" prints:
--merge-into, if both are the same person, with the other's user ID;
--renumber, if they are two people, with the user ID that the conflicting one
gets.`,
		Args: args(cobra.ExactArgs(1)),
	})
	cmd.Flags().StringVar(&into, "merge-into", "", "user ID or GUID of the other: both are the same person")
	cmd.Flags().StringVar(&renumber, "renumber", "", "user ID for the one in conflict: they are two people")
	cmd.Flags().BoolVar(&dry, "dry-run", false, "tell what would become of them, and change nothing")
	cmd.RunE = func(cmd *cobra.Command, guids []string) error {
		if (into == "") == (renumber == "") {
			return usagef("say what is right, one of the two: --merge-into <user> or --renumber <user ID>")
		}
		r := api.Resolution{MergeInto: into, Renumber: renumber}
		if dry {
			return a.preview(cmd, func(c *client.Client) (api.Preview, error) { return c.PreviewResolve(cmd.Context(), guids[0], r) })
		}
		return a.oneUser(func(cmd *cobra.Command, c *client.Client, guids []string) (api.User, error) {
			return c.Resolve(cmd.Context(), guids[0], r)
		})(cmd, guids)
	}
	return cmd
}
