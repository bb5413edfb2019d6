package main

import (
	"github.com/spf13/cobra"

	"doorsync/cloud/api"
	"doorsync/cloud/api/client"
)

func (a *app) users() *cobra.Command {
	return group("users", "Who may enter: list, show, change, delete, decide about conflicts",
		"Who may enter. A user is named by user ID, by an earlier user ID, or by GUID.",
		a.usersList(), a.usersShow(), a.usersPut(), a.usersDelete(), a.usersRestore(),
		a.usersMerge(), a.usersSplit(), a.usersCandidates(), a.usersDecide(), a.usersRevoke(), a.usersAllow(), a.usersExplain(),
		a.usersConflicts(), a.usersResolve())
}

func (a *app) usersDelete() *cobra.Command {
	return &cobra.Command{
		Use: "delete <user>...", Short: "Delete users everywhere; they can be restored",
		Long: `Deletes users at the center and, from there, on every reader. A tombstone stays:
an edit that a site makes without knowing of the delete comes too late, and
"restore" brings the user back.`,
		Args: args(cobra.MinimumNArgs(1)), ValidArgsFunction: a.completeUsers,
		RunE: func(cmd *cobra.Command, ids []string) error {
			c, err := a.connect()
			if err != nil {
				return err
			}
			for _, id := range ids {
				if err := c.Delete(cmd.Context(), id); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

func (a *app) usersRestore() *cobra.Command {
	return a.jsonFlag(&cobra.Command{
		Use: "restore <user>", Short: "Bring a deleted user back",
		Args: args(cobra.ExactArgs(1)),
		RunE: a.oneUser(func(cmd *cobra.Command, c *client.Client, ids []string) (api.User, error) {
			return c.Restore(cmd.Context(), ids[0])
		}),
	})
}

// oneUser runs what ends with one user. Without --json it is quiet when well.
func (a *app) oneUser(do func(*cobra.Command, *client.Client, []string) (api.User, error)) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, ids []string) error {
		c, err := a.connect()
		if err != nil {
			return err
		}
		u, err := do(cmd, c, ids)
		if err != nil || !a.json {
			return err
		}
		return printJSON(cmd, u)
	}
}

func (a *app) usersRevoke() *cobra.Command {
	var card string
	cmd := &cobra.Command{
		Use: "revoke <key> | --card <number>", Short: "Make a credential open nothing, anywhere, until it is allowed again",
		Long: `Revokes a credential, for instance a lost card. It opens nothing at any site
whatever other sources say, and cannot be enrolled anew at a door, not even
where the WAN is down. "users show" prints the keys of credentials.`,
		Example: "  doorsync-central users revoke --card 6543",
		Args:    args(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, keys []string) error {
			return a.credential(cmd, keys, card, (*client.Client).Revoke)
		},
	}
	cmd.Flags().StringVar(&card, "card", "", "number of the card")
	return cmd
}

func (a *app) usersAllow() *cobra.Command {
	var card string
	cmd := &cobra.Command{
		Use: "allow <key> | --card <number>", Short: "Take a revocation back",
		Args: args(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, keys []string) error {
			return a.credential(cmd, keys, card, (*client.Client).Allow)
		},
	}
	cmd.Flags().StringVar(&card, "card", "", "number of the card")
	return cmd
}
