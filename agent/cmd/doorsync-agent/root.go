package main

import (
	"cmp"
	"errors"
	"io/fs"
	"strings"

	"github.com/spf13/cobra"

	"doorsync/agent"
	"doorsync/agent/config"
	"doorsync/agent/console"
	"doorsync/firmware-bridge/catalog"
	"doorsync/firmware-bridge/driver"
)

const rootHelp = `doorsync-agent is doorsync at a site. It keeps the site's readers in line with
one another and with the center, with or without a connection to it, and keeps
a journal of everything that happens.

"run" is the agent itself, usually started as a service. The other commands ask
the agent that runs, over its control socket, whose place they take from the
configuration file or from --control. "journal", "users" and "given-up" also
work while no agent runs: they read the journal's file then.

Exit codes:
  0  done
  1  failed, or a reader is not in line after a sync
  2  wrong usage, or a configuration with faults
  3  the agent does not run or cannot be reached`

// app is what all commands share: the global flags.
type app struct {
	config  string
	control string
	json    bool
}

func newRoot() *cobra.Command {
	a := &app{}
	root := &cobra.Command{
		Use:           "doorsync-agent",
		Short:         "doorsync at a site: keeps its readers in line, and the journal of what happens",
		Long:          rootHelp,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.ArbitraryArgs,
		RunE:          noCommand,
	}
	root.SuggestionsMinimumDistance = 2
	f := root.PersistentFlags()
	f.StringVar(&a.config, "config", config.DefaultPath(), "configuration file")
	f.StringVar(&a.control, "control", "", "control socket of the running agent, instead of the one in the configuration")
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usagef("%w; see %s --help", err, cmd.CommandPath())
	})
	root.AddGroup(
		&cobra.Group{ID: "program", Title: "The program:"},
		&cobra.Group{ID: "site", Title: "The site:"},
	)
	for _, c := range append([]*cobra.Command{a.run(), a.check(), a.version()}, a.service()...) {
		c.GroupID = "program"
		root.AddCommand(c)
	}
	for _, c := range []*cobra.Command{a.journal(), a.readers(), a.users(), a.sync(), a.givenUp(), a.wire()} {
		c.GroupID = "site"
		root.AddCommand(c)
	}
	return root
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

// load reads the configuration.
func (a *app) load() (config.Config, error) { return loaded(config.Load(a.config, try)) }

// loadWithSecrets is for those who want to run, or to know whether it will.
func (a *app) loadWithSecrets() (config.Config, error) {
	return loaded(config.LoadWithSecrets(a.config, try))
}

// try asks a dialect about a reader's section.
func try(c driver.Config) error {
	_, err := catalog.New(c)
	return err
}

// loaded makes a file that is not there wrong usage.
func loaded(cfg config.Config, err error) (config.Config, error) {
	if errors.Is(err, fs.ErrNotExist) {
		return cfg, usageError{err}
	}
	return cfg, err
}

// client is a client of the agent that runs.
func (a *app) client() (*console.Client, error) {
	if a.control != "" {
		return console.NewClient(a.control), nil
	}
	cfg, err := a.load()
	if err != nil {
		return nil, err
	}
	return console.NewClient(agent.Socket(cfg)), nil
}

// completeReaders offers the names of the configured readers.
func (a *app) completeReaders(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	cfg, err := a.load()
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var out []string
	for _, r := range cfg.Readers {
		out = append(out, cobra.CompletionWithDesc(r.Name, cmp.Or(r.Driver, "reader")+" at "+r.Address))
	}
	return out, cobra.ShellCompDirectiveNoFileComp
}
