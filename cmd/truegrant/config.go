package main

import (
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/truegrant/truegrant/conf"
)

func configCommand(sources *conf.Sources) *cobra.Command {
	var all bool
	command := &cobra.Command{
		Use: "config", Short: "Print the effective settings, secrets masked", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, warnings, err := conf.Load(*sources)
			if err != nil {
				return err
			}
			table := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
			for _, setting := range cfg.Effective() {
				if setting.Set || all {
					fmt.Fprintf(table, "%s\t%s\n", setting.Name, setting.Value)
				}
			}
			for _, warning := range warnings {
				fmt.Fprintln(cmd.ErrOrStderr(), "warning:", warning)
			}
			return table.Flush()
		},
	}
	command.Flags().BoolVar(&all, "all", false, "also the settings that have their default")
	return command
}
