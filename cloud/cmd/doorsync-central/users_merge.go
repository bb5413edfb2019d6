package main

import (
	"github.com/spf13/cobra"

	"doorsync/cloud/api"
	"doorsync/cloud/api/client"
)

func (a *app) usersMerge() *cobra.Command {
	var dry bool
	cmd := a.jsonFlag(&cobra.Command{
		Use: "merge <user> <user>", Short: "Make two users one",
		Long: `Says that two users are the same person. The one known longer keeps its GUID;
the other's user ID becomes an alias, and all that was said about either is
united. "split" undoes it.`,
		Args: args(cobra.ExactArgs(2)), ValidArgsFunction: a.completeUsers,
	})
	cmd.Flags().BoolVar(&dry, "dry-run", false, "tell what would become of them, and change nothing")
	cmd.RunE = func(cmd *cobra.Command, ids []string) error {
		if dry {
			return a.preview(cmd, func(c *client.Client) (api.Preview, error) {
				return c.PreviewMerge(cmd.Context(), ids[0], ids[1])
			})
		}
		return a.oneUser(func(cmd *cobra.Command, c *client.Client, ids []string) (api.User, error) {
			return c.Merge(cmd.Context(), ids[0], ids[1])
		})(cmd, ids)
	}
	return cmd
}

// preview prints all that something would do.
func (a *app) preview(cmd *cobra.Command, ask func(*client.Client) (api.Preview, error)) error {
	c, err := a.connect()
	if err != nil {
		return err
	}
	p, err := ask(c)
	if err != nil {
		return err
	}
	return a.showPreview(cmd, p, true)
}

func (a *app) usersSplit() *cobra.Command {
	var s api.Split
	var dry bool
	cmd := a.jsonFlag(&cobra.Command{
		Use: "split <user> [--merged <user> | --source <source>]", Short: "Take two apart that were made one",
		Long: `Takes two people apart who were taken for one, and prints the user ID of the one
who comes back.

Without --source it undoes a merge, the last one or that of --merged: who went
comes back with what was said about them. With --source it takes off a user what
a source says, because it was associated with the wrong person, and makes a new
user of it; --sync-id names the row if the source names the user by several.`,
		Example: `  doorsync-central users split 4
  doorsync-central users split 4 --source hr --dry-run`,
		Args: args(cobra.ExactArgs(1)), ValidArgsFunction: a.completeUsers,
	})
	f := cmd.Flags()
	f.StringVar(&s.Merged, "merged", "", "user ID or GUID of the one who was merged in (default: the last)")
	f.StringVar(&s.Source, "source", "", "the source whose word was put on the wrong user")
	f.StringVar(&s.SyncID, "sync-id", "", "which row of the source: its sync ID, or e-mail address")
	f.StringVar(&s.UserID, "user-id", "", "user ID for the one who comes off, if there is none to go back to")
	f.BoolVar(&dry, "dry-run", false, "tell what would become of them, and change nothing")
	cmd.RunE = func(cmd *cobra.Command, ids []string) error {
		if s.Merged != "" && s.Source != "" {
			return usagef("either --merged or --source, not both")
		}
		if s.SyncID != "" && s.Source == "" {
			return usagef("--sync-id is of a source: name it with --source")
		}
		if dry {
			return a.preview(cmd, func(c *client.Client) (api.Preview, error) { return c.PreviewSplit(cmd.Context(), ids[0], s) })
		}
		c, err := a.connect()
		if err != nil {
			return err
		}
		u, err := c.Split(cmd.Context(), ids[0], s)
		if err != nil {
			return err
		}
		if a.json {
			return printJSON(cmd, u)
		}
		return say(cmd.OutOrStdout(), "%s", u.ID)
	}
	return cmd
}
