package main

import (
	"context"
	"fmt"

	"github.com/gobuffalo/pop/v6"
	"github.com/gobuffalo/pop/v6/logging"
	"github.com/sirupsen/logrus"
	"github.com/spf13/cobra"

	"github.com/truegrant/truegrant/conf"
	"github.com/truegrant/truegrant/migrations"
)

func migrateCommand(sources *conf.Sources) *cobra.Command {
	var dryRun bool
	command := &cobra.Command{
		Use: "migrate", Short: "Bring the database schema up to date", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if dryRun {
				return listPending(cmd, sources)
			}
			return migrate(cmd.Context(), sources)
		},
	}
	command.Flags().BoolVar(&dryRun, "dry-run", false, "print what would run and change nothing")
	return command
}

func migrate(ctx context.Context, sources *conf.Sources) error {
	cfg, log, err := load(sources)
	if err != nil {
		return err
	}
	result, err := migrations.Up(ctx, migrationOptions(cfg, log))
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	log.WithField("count", len(result.Applied)).Info("database is up to date")
	return nil
}

func migrationOptions(cfg *conf.Config, log logrus.FieldLogger) migrations.Options {
	return migrations.Options{URL: cfg.DB.URL, Namespace: cfg.DB.Namespace, Logger: log}
}

func listPending(cmd *cobra.Command, sources *conf.Sources) error {
	cfg, log, err := load(sources)
	if err != nil {
		return err
	}
	pending, err := migrations.Pending(cmd.Context(), migrationOptions(cfg, log))
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	out := cmd.OutOrStdout()
	for _, m := range pending {
		fmt.Fprintf(out, "-- %s %s (%s)\n%s\n\n", m.Version, m.Name, m.Source, m.SQL)
	}
	fmt.Fprintf(out, "-- %d pending\n", len(pending))
	return nil
}

// quietPop sends what pop has to say to our log: its own logger writes to
// standard output. pop keeps one logger for the whole process.
func quietPop(log logrus.FieldLogger) {
	pop.SetLogger(func(level logging.Level, text string, args ...any) {
		if level < logging.Warn {
			return
		}
		log.Warnf("pop: "+text, args...)
	})
}
