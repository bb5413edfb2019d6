package main

import (
	"path/filepath"

	"github.com/spf13/cobra"

	"doorsync/agent/config"
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
		Use: "install", Short: "Register the agent as a system service that starts with the machine",
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

// registration is how the service manager knows the agent. It starts the agent
// in another directory, so every path is made absolute.
func (a *app) registration(cfg config.Config) service.Config {
	path := absolute(a.config)
	out := service.Config{
		Name: "doorsync-agent", DisplayName: "doorsync Agent", Description: "doorsync at this site: keeps the readers in line",
		Args: []string{"run", "--config", path}, Reads: []string{path},
	}
	if cfg.Data != "" {
		out.Data = absolute(cfg.Data)
	}
	for _, file := range cfg.SecretFiles() {
		out.Reads = append(out.Reads, absolute(file))
	}
	return out
}

func absolute(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path // the working directory is gone: nothing better is known
}
