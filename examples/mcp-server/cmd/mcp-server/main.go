// Command mcp-server runs the example MCP server:
//
//	mcp-server -issuer http://localhost:9999/auth/v1 -resource http://localhost:8087/mcp
package main

import (
	"flag"
	"fmt"
	"net/http"
	"os"
	"time"

	mcpserver "github.com/truegrant/truegrant/examples/mcp-server"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "mcp-server:", err)
		os.Exit(1)
	}
}

func run() error {
	issuer := flag.String("issuer", "http://localhost:9999/auth/v1", "issuer identifier")
	resource := flag.String("resource", "http://localhost:8087/mcp", "URL of the MCP endpoint as clients reach it")
	audience := flag.String("audience", "", "audience that tokens must have, normally the resource; empty: any")
	listen := flag.String("listen", "localhost:8087", "address to listen on")
	flag.Parse()

	handler := mcpserver.New(mcpserver.Config{
		Issuer: *issuer, Resource: *resource, Audience: *audience, Now: time.Now,
	})
	fmt.Println("MCP endpoint:", *resource)
	server := &http.Server{Addr: *listen, Handler: handler, ReadHeaderTimeout: 5 * time.Second}
	return server.ListenAndServe()
}
