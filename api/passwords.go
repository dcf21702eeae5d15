package api

import (
	"context"
	"net/http"

	"github.com/sirupsen/logrus"

	"github.com/truegrant/truegrant/conf"
	"github.com/truegrant/truegrant/observability"
	"github.com/truegrant/truegrant/password"
)

// newPasswordChecker makes what the configuration asks of new passwords.
func newPasswordChecker(c conf.Password, transport http.RoundTripper, log logrus.FieldLogger) password.Checker {
	checker := password.Checker{
		Policy: password.Policy{MinLength: c.MinLength, Required: c.RequiredCharacters}, FailClosed: c.HIBP.FailClosed,
	}
	if !c.HIBP.Enabled {
		return checker
	}
	asked := password.HIBPConfig{UserAgent: c.HIBP.UserAgent, Transport: transport}
	if c.HIBP.Bloom.Enabled {
		asked.BloomItems, asked.BloomFalsePositives = c.HIBP.Bloom.Items, c.HIBP.Bloom.FalsePositives
	}
	checker.HIBP = password.NewHIBP(asked)
	checker.Failed = func(ctx context.Context, err error) {
		entry := log.WithError(err)
		if event := observability.EventFrom(ctx); event != nil {
			entry = entry.WithField("request_id", event.RequestID)
		}
		entry.Warn("a password was not checked against known breaches")
	}
	return checker
}
