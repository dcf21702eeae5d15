package relyingparty

import (
	"context"
	"fmt"
	"sync"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// issuer is what discovery tells about the authorization server.
type issuer struct {
	oauth    oauth2.Config
	provider *oidc.Provider
	verifier *oidc.IDTokenVerifier
	// namesItself is true if every authorization response must carry the
	// issuer (authorization_response_iss_parameter_supported, RFC 9207 §3).
	namesItself bool
}

// lazyIssuer discovers the issuer when it is first needed, and again for each
// request until that has worked.
type lazyIssuer struct {
	config Config
	mu     sync.Mutex
	found  *issuer
}

func (l *lazyIssuer) find(ctx context.Context) (*issuer, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.found == nil {
		found, err := discover(ctx, l.config)
		if err != nil {
			return nil, fmt.Errorf("discover the issuer: %w", err)
		}
		l.found = found
	}
	return l.found, nil
}

// discover reads the issuer's metadata (OpenID Connect Discovery §4), whose
// issuer must be the configured one.
func discover(ctx context.Context, config Config) (*issuer, error) {
	provider, err := oidc.NewProvider(oidc.ClientContext(ctx, config.HTTPClient), config.Issuer)
	if err != nil {
		return nil, err
	}
	var metadata struct {
		NamesItself bool `json:"authorization_response_iss_parameter_supported"`
	}
	if err := provider.Claims(&metadata); err != nil {
		return nil, err
	}
	endpoint := provider.Endpoint()
	endpoint.AuthStyle = config.authStyle()
	return &issuer{
		oauth: oauth2.Config{
			ClientID: config.ClientID, ClientSecret: config.ClientSecret, RedirectURL: config.RedirectURL,
			Scopes: config.Scopes, Endpoint: endpoint,
		},
		provider:    provider,
		verifier:    provider.Verifier(&oidc.Config{ClientID: config.ClientID, Now: config.Now}),
		namesItself: metadata.NamesItself,
	}, nil
}
