package main

import (
	"context"
	"log/slog"

	"github.com/spf13/cobra"

	"doorsync/agent"
	"doorsync/agent/config"
	"doorsync/firmware-bridge/catalog"
	"doorsync/packaging/service"
)

func (a *app) run() *cobra.Command {
	return &cobra.Command{
		Use: "run", Short: "Run the agent until interrupted",
		Long: `Runs the agent until it is interrupted or told to stop: the journal, a session
with every reader, and the exchange with the center. It needs neither the
center nor any reader to start. It logs to the standard error.`,
		Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := a.loadWithSecrets()
			if err != nil {
				return err
			}
			if a.control != "" {
				cfg.Control = a.control
			}
			log := logger(cmd, cfg.Log)
			agent.TuneMemory()
			return service.Run(a.registration(cfg), func(ctx context.Context) error {
				return agent.Run(ctx, cfg, agent.Options{Version: programVersion(), Logger: log, Driver: catalog.New})
			})
		},
	}
}

func logger(cmd *cobra.Command, l config.Log) *slog.Logger {
	var level slog.Level
	if err := level.UnmarshalText([]byte(l.Level)); err != nil {
		level = slog.LevelInfo // the configuration was checked
	}
	o := &slog.HandlerOptions{Level: level}
	if l.Format == "json" {
		return slog.New(slog.NewJSONHandler(cmd.ErrOrStderr(), o))
	}
	return slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), o))
}

func (a *app) check() *cobra.Command {
	return &cobra.Command{
		Use: "check", Short: "Check the configuration file, all of it at once; connects to nothing",
		Args: args(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			_, err := a.loadWithSecrets()
			return err
		},
	}
}
