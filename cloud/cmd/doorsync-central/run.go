package main

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"

	"github.com/spf13/cobra"

	"doorsync/cloud"
	"doorsync/cloud/config"
	"doorsync/packaging/service"
)

func (a *app) run() *cobra.Command {
	return &cobra.Command{
		Use: "run", Short: "Run the center until interrupted",
		Long: `Runs the center until it is interrupted or told to stop: the roster, the broker
(unless the configuration names one of yours), the exchange with the sites, and
the API. It logs to the standard error.`,
		Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := a.load()
			if err != nil {
				return err
			}
			log := logger(cmd, cfg.Log)
			cloud.TuneMemory()
			return service.Run(a.registration(cfg), func(ctx context.Context) error {
				return cloud.Run(ctx, cfg, cloud.Options{Version: programVersion(), Logger: log})
			})
		},
	}
}

func logger(cmd *cobra.Command, l config.Log) *slog.Logger {
	levels := map[string]slog.Level{
		"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError,
	}
	o := &slog.HandlerOptions{Level: levels[l.Level]}
	if l.Format == "json" {
		return slog.New(slog.NewJSONHandler(cmd.ErrOrStderr(), o))
	}
	return slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), o))
}

func (a *app) check() *cobra.Command {
	return &cobra.Command{
		Use: "check", Short: "Check the configuration file, all of it at once; connects to nothing",
		Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := a.load()
			if err != nil {
				return err
			}
			for _, w := range cfg.Mail.Warnings() {
				cmd.PrintErrln(w)
			}
			return cloud.Check(cfg)
		},
	}
}

// load reads the configuration; a file that is not there is wrong usage.
func (a *app) load() (config.Config, error) {
	cfg, err := config.Load(a.config)
	if errors.Is(err, fs.ErrNotExist) {
		return cfg, usageError{err}
	}
	return cfg, err
}
