package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"doorsync/cloud/api"
	"doorsync/cloud/api/client"
	"doorsync/cloud/config"
	"doorsync/packaging/service"
)

// service are the commands about the system service.
func (a *app) service() []*cobra.Command {
	act := func(use, short string, do func(service.Config) error) *cobra.Command {
		return &cobra.Command{
			Use: use, Short: short, Args: args(cobra.NoArgs),
			RunE: func(*cobra.Command, []string) error { return do(a.registration(config.Config{})) },
		}
	}
	return []*cobra.Command{
		a.install(),
		act("uninstall", "Remove the system service; data and configuration stay", service.Uninstall),
		act("start", "Start the system service", service.Start),
		act("stop", "Stop the system service", service.Stop),
		a.status(),
	}
}

func (a *app) install() *cobra.Command {
	return &cobra.Command{
		Use: "install", Short: "Register the center as a system service that starts with the machine",
		Long: `Registers this program, where it stands now, as a system service that runs with
the configuration file, and checks first that it has the rights and that the
configuration has no faults. "start" then starts it.`,
		Args: args(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			cfg, err := a.load()
			if err != nil {
				return err
			}
			return service.Install(a.registration(cfg))
		},
	}
}

func (a *app) status() *cobra.Command {
	return a.jsonFlag(&cobra.Command{
		Use: "status", Short: "Tell whether the center runs",
		Long: "Tells whether the center runs: what the service manager says of it, and whether\nit answers. Exit code 3 if it does not answer.",
		Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			v, err := a.answer(cmd.Context())
			if a.json {
				if err != nil {
					return err
				}
				return printJSON(cmd, v)
			}
			t := newTable(cmd)
			t.row("service", serviceState(a))
			if err != nil {
				_ = t.flush() // the error is told anyway
				return err
			}
			t.row("center", "answers")
			t.row("version", v.Version)
			t.row("broker", v.Broker)
			t.row("roster", v.Roster)
			return t.flush()
		},
	})
}

// answer asks the center for its version. One that has never made a token was
// never started.
func (a *app) answer(ctx context.Context) (api.Version, error) {
	c, err := a.connect()
	if errors.Is(err, errNoToken) {
		return api.Version{}, fmt.Errorf("%w: %w", client.ErrUnreachable, err)
	}
	if err != nil {
		return api.Version{}, err
	}
	return c.Version(ctx)
}

func serviceState(a *app) string {
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

// registration is how the service manager knows the center.
func (a *app) registration(cfg config.Config) service.Config {
	path, err := filepath.Abs(a.config)
	if err != nil {
		path = a.config // the working directory is gone: nothing better is known
	}
	out := service.Config{
		Name: "doorsync-central", DisplayName: "doorsync Central", Description: "The center of doorsync: who may enter, at every site",
		Args: []string{"run", "--config", path}, Data: cfg.Data, Reads: []string{path},
	}
	if cfg.Broker.PasswordFile != "" {
		out.Reads = append(out.Reads, cfg.Broker.PasswordFile)
	}
	return out
}
