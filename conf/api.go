package conf

import "time"

// API describes the HTTP server.
type API struct {
	// Host is the address to listen on; empty means all.
	Host string
	// Port is the port to listen on.
	Port string `envconfig:"PORT" default:"8081"`
	// Endpoint is accepted for compatibility and has no effect.
	Endpoint string
	// RequestIDHeader names the request header that carries the request ID;
	// empty means that each request gets a random one.
	RequestIDHeader string `envconfig:"REQUEST_ID_HEADER"`
	// ExternalURL is the public base URL of the server, absolute.
	ExternalURL string `envconfig:"API_EXTERNAL_URL" required:"true"`
	// MaxRequestDuration limits the handling of a request; zero or less means
	// no limit.
	MaxRequestDuration time.Duration `split_words:"true" default:"10s"`
}

// CORS describes cross-origin access.
type CORS struct {
	// AllowedHeaders are request headers allowed besides the built-in ones.
	AllowedHeaders []string `split_words:"true"`
}

// Internal holds settings of the process that belong to no topic.
type Internal struct {
	// HTTPTimeout limits a call to an OAuth or SMS provider.
	HTTPTimeout time.Duration `split_words:"true" zero:"10s"`
}
