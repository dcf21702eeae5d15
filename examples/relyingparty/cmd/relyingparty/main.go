// Command relyingparty runs the demo client on its own:
//
//	CLIENT_SECRET=… relyingparty -issuer http://localhost:9999/auth/v1 -client-id …
//
// The secret comes from the environment because other users of a machine can
// read the arguments of a process.
package main

import (
	"errors"
	"flag"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/truegrant/truegrant/examples/relyingparty"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "relyingparty:", err)
		os.Exit(1)
	}
}

func run() error {
	issuer := flag.String("issuer", "http://localhost:9999/auth/v1", "issuer identifier")
	clientID := flag.String("client-id", "", "client_id of the registered client")
	redirect := flag.String("redirect-url", "http://localhost:8086/demo/callback", "registered redirect URI")
	listen := flag.String("listen", "localhost:8086", "address to listen on")
	flag.Parse()
	if *clientID == "" {
		return errors.New("-client-id is required")
	}
	start, err := url.Parse(*redirect)
	if err != nil {
		return fmt.Errorf("-redirect-url: %w", err)
	}
	handler := relyingparty.New(relyingparty.Config{
		Issuer: *issuer, ClientID: *clientID, ClientSecret: os.Getenv("CLIENT_SECRET"), RedirectURL: *redirect,
		Now: time.Now,
	})
	fmt.Println("open", start.ResolveReference(&url.URL{Path: "."}))
	server := &http.Server{Addr: *listen, Handler: handler, ReadHeaderTimeout: 5 * time.Second}
	return server.ListenAndServe()
}
