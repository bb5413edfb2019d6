package main

import (
	"strings"

	"github.com/spf13/cobra"

	"doorsync/cloud/config"
)

const rootHelp = `doorsync-central holds the roster of who may enter, exchanges it with every
site, and is what the office works with.

"run" is the center itself, usually started as a service. The other commands
ask the center that runs, over its API: they take its address and token from
the configuration file, or from flags or the environment.

Environment:
  DOORSYNC_API         address of the API, as --api
  DOORSYNC_TOKEN       the token itself
  DOORSYNC_TOKEN_FILE  file that holds the token, as --token-file

Exit codes:
  0  done
  1  refused, or failed; of an import: errors in the file, nothing was changed
  2  wrong usage, or a configuration with faults
  3  the center cannot be reached
  4  an import waits to be confirmed, nothing was changed`

// app is what all commands share: the global flags and the environment.
type app struct {
	env       func(string) (string, bool)
	config    string
	api       string
	tokenFile string
	json      bool
}

func newRoot(env func(string) (string, bool)) *cobra.Command {
	a := &app{env: env}
	root := &cobra.Command{
		Use:           "doorsync-central",
		Short:         "The center of doorsync: the roster, its sites, and what the office works with",
		Long:          rootHelp,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.ArbitraryArgs,
		RunE:          noCommand,

		SuggestionsMinimumDistance: 2,
	}
	f := root.PersistentFlags()
	f.StringVar(&a.config, "config", config.DefaultPath(), "configuration file")
	f.StringVar(&a.api, "api", "", "address of the center's API, for example http://127.0.0.1:8480")
	f.StringVar(&a.tokenFile, "token-file", "", "file that holds the API's token")
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usagef("%w; see %s --help", err, cmd.CommandPath())
	})
	root.AddGroup(
		&cobra.Group{ID: "program", Title: "The program:"},
		&cobra.Group{ID: "office", Title: "The office:"},
	)
	for _, c := range a.program() {
		c.GroupID = "program"
		root.AddCommand(c)
	}
	for _, c := range a.office() {
		c.GroupID = "office"
		root.AddCommand(c)
	}
	return root
}

func (a *app) program() []*cobra.Command {
	return append([]*cobra.Command{a.run(), a.check(), a.version()}, a.service()...)
}

func (a *app) office() []*cobra.Command {
	return []*cobra.Command{a.users(), a.sites(), a.readers(), a.sources(), a.imports(), a.fields(), a.mail(), a.sync(), a.events(), a.wire()}
}

// group is a command that only holds others. Without one of them, or with an
// unknown one, it is wrong usage.
func group(use, short, long string, sub ...*cobra.Command) *cobra.Command {
	c := &cobra.Command{
		Use: use, Short: short, Long: long, Args: cobra.ArbitraryArgs, RunE: noCommand,
		SuggestionsMinimumDistance: 2,
	}
	c.AddCommand(sub...)
	return c
}

func noCommand(cmd *cobra.Command, a []string) error {
	if len(a) == 0 {
		return cmd.Help()
	}
	if meant := cmd.SuggestionsFor(a[0]); len(meant) > 0 {
		return usagef("unknown command %q; did you mean %s?", a[0], strings.Join(meant, " or "))
	}
	return usagef("unknown command %q; see %s --help", a[0], cmd.CommandPath())
}

// jsonFlag adds --json to a command whose output may be piped.
func (a *app) jsonFlag(c *cobra.Command) *cobra.Command {
	c.Flags().BoolVar(&a.json, "json", false, "print JSON")
	return c
}
