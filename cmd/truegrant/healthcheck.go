package main

import (
	"cmp"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/spf13/cobra"
)

// healthcheckCommand asks a running server whether it is ready. It serves
// containers, which have no other program to ask with.
func healthcheckCommand() *cobra.Command {
	var url string
	command := &cobra.Command{
		Use: "healthcheck", Short: "Ask a running server whether it is ready", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			client := &http.Client{Timeout: 5 * time.Second}
			request, err := http.NewRequestWithContext(cmd.Context(), http.MethodGet, url, nil)
			if err != nil {
				return fmt.Errorf("healthcheck: %w", err)
			}
			response, err := client.Do(request)
			if err != nil {
				return fmt.Errorf("healthcheck: %w", err)
			}
			defer func() { _ = response.Body.Close() }()
			if response.StatusCode != http.StatusOK {
				return fmt.Errorf("healthcheck: status %d", response.StatusCode)
			}
			return nil
		},
	}
	port := cmp.Or(os.Getenv("GOTRUE_API_PORT"), os.Getenv("PORT"), "8081")
	command.Flags().StringVar(&url, "url", "http://127.0.0.1:"+port+"/health/ready", "what to ask")
	return command
}
