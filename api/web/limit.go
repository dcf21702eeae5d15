package web

import (
	"context"
	"net/http"
	"time"

	"github.com/truegrant/truegrant/api/apierror"
)

// Limiter counts a client's requests.
type Limiter interface {
	Allow(ctx context.Context, key string, now time.Time) (bool, error)
}

// Admit counts a request under key and refuses it beyond the limit. The empty
// key is not limited.
func Admit(r *http.Request, limiter Limiter, key string, now time.Time) error {
	if key == "" {
		return nil
	}
	allowed, err := limiter.Allow(r.Context(), key, now)
	if err != nil {
		return err
	}
	if !allowed {
		return apierror.New(http.StatusTooManyRequests, apierror.OverRequestRateLimit, "Request rate limit reached")
	}
	return nil
}
