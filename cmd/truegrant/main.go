// Command truegrant is the auth service of a Supabase project: GoTrue's API,
// and an OAuth 2.1 and OpenID Connect authorization server.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/truegrant/truegrant/conf"
)

// version is set when a release is built.
var version = "dev"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	if err := rootCommand().ExecuteContext(ctx); err != nil {
		report(os.Stderr, err)
		os.Exit(1) //nolint:gocritic // stop only restores signals
	}
}

// report prints every problem on a line of its own.
func report(out io.Writer, err error) {
	for problem := range strings.Lines(err.Error()) {
		fmt.Fprintln(out, "truegrant:", strings.TrimSuffix(problem, "\n"))
	}
}

func rootCommand() *cobra.Command {
	sources := &conf.Sources{}
	root := &cobra.Command{
		Use:   "truegrant",
		Short: "Auth service for Supabase and OAuth 2.1 / OpenID Connect authorization server",
		Long: "Without a sub-command, truegrant brings the database up to date and serves.\n" +
			"It is configured by the environment, see docs/configuration.md.",
		SilenceUsage: true, SilenceErrors: true, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := migrate(cmd.Context(), sources); err != nil {
				return err
			}
			return serve(cmd.Context(), sources)
		},
	}
	root.PersistentFlags().StringVarP(&sources.ConfigFile, "config", "c", "", "`file` with settings, dotenv or .json")
	root.PersistentFlags().StringVarP(&sources.ConfigDir, "config-dir", "d", "", "`folder` of *.env and *.json files")
	root.AddCommand(serveCommand(sources), migrateCommand(sources), devCommand(), configCommand(sources),
		adminCommand(sources), healthcheckCommand(sources), versionCommand())
	return root
}

func versionCommand() *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Print the version", Args: cobra.NoArgs,
		Run: func(cmd *cobra.Command, _ []string) { fmt.Fprintln(cmd.OutOrStdout(), version) },
	}
}
