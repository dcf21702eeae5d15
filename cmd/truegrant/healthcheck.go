package main

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/truegrant/truegrant/conf"
)

// healthcheckCommand asks a running server whether it is ready. It serves
// containers, which have no other program to ask with.
func healthcheckCommand(sources *conf.Sources) *cobra.Command {
	var url string
	command := &cobra.Command{
		Use: "healthcheck", Short: "Ask a running server whether it is ready", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if url == "" {
				url = readyURL(sources)
			}
			return healthcheck(cmd.Context(), url)
		},
	}
	command.Flags().StringVar(&url, "url", "", "what to ask (default /health/ready on the configured port)")
	return command
}

// readyURL is where the server of the same configuration listens. What is wrong
// with the configuration otherwise is for the server to say.
func readyURL(sources *conf.Sources) string {
	host, port := os.Getenv("GOTRUE_API_HOST"), cmp.Or(os.Getenv("GOTRUE_API_PORT"), os.Getenv("PORT"), "8081")
	if cfg, _, err := conf.Load(*sources); err == nil {
		host, port = cfg.API.Host, cfg.API.Port
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, port) + "/health/ready"
}

func healthcheck(ctx context.Context, url string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return fmt.Errorf("healthcheck: %w", err)
	}
	response, err := (&http.Client{Timeout: 5 * time.Second}).Do(request)
	if err != nil {
		return fmt.Errorf("healthcheck: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("healthcheck: status %d", response.StatusCode)
	}
	return nil
}
