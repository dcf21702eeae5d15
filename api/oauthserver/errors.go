package oauthserver

import (
	"context"
	"errors"
	"net/http"
	"strconv"

	"github.com/truegrant/truegrant/api/apierror"
	"github.com/truegrant/truegrant/api/web"
	"github.com/truegrant/truegrant/hooks"
	"github.com/truegrant/truegrant/oauth"
	"github.com/truegrant/truegrant/observability"
	"github.com/truegrant/truegrant/storage"
	"github.com/truegrant/truegrant/tokens"
)

// errorBody is the answer to a failed request of a client (RFC 6749 §5.2).
type errorBody struct {
	Error       oauth.ErrorCode `json:"error"`
	Description string          `json:"error_description,omitempty"`
}

// statusOf is the status of an error at the endpoints that clients call
// directly (RFC 6749 §5.2, RFC 6750 §3.1).
func statusOf(code oauth.ErrorCode) int {
	switch code {
	case oauth.CodeInvalidClient, oauth.CodeInvalidToken:
		return http.StatusUnauthorized
	case oauth.CodeServerError:
		return http.StatusInternalServerError
	case oauth.CodeTemporarilyUnavailable:
		return http.StatusServiceUnavailable
	}
	return http.StatusBadRequest
}

// fail answers a client's request with an error.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) error {
	var other *apierror.Error
	if errors.As(err, &other) {
		return err // about the request as such, a body too large: no code of RFC 6749
	}
	problem := toOAuthError(err)
	status := statusOf(problem.Code)
	event := observability.EventFrom(r.Context())
	event.Set("error_code", problem.Code)
	if status >= http.StatusInternalServerError {
		event.Fail(err)
	}
	switch problem.Code {
	case oauth.CodeInvalidClient:
		w.Header().Set("WWW-Authenticate", `Basic realm="oauth", charset="UTF-8"`) // RFC 6749 §5.2
	case oauth.CodeInvalidToken:
		w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`) // RFC 6750 §3
	case oauth.CodeTemporarilyUnavailable:
		w.Header().Set("Retry-After", strconv.Itoa(1))
	}
	return web.JSON(w, status, errorBody{problem.Code, problem.Description})
}

// toOAuthError is the only place where an error becomes one of RFC 6749's
// codes.
func toOAuthError(err error) *oauth.Error {
	var known *oauth.Error
	if errors.As(err, &known) {
		return known
	}
	var rejection *hooks.Rejection
	switch {
	case errors.Is(err, storage.ErrUnavailable), errors.Is(err, context.DeadlineExceeded):
		return oauth.TemporarilyUnavailable("The service is temporarily unavailable, please retry after a moment.")
	case errors.Is(err, storage.ErrInvalidText):
		return oauth.InvalidRequest("a parameter holds characters that are not allowed")
	case errors.As(err, &rejection):
		return rejected(rejection)
	}
	if problem := refreshProblem(err); problem != nil {
		return problem
	}
	return oauth.ServerError("The server could not process the request.")
}

// rejected maps a hook's refusal: the user may not have this token.
func rejected(rejection *hooks.Rejection) *oauth.Error {
	if rejection.HTTPCode >= http.StatusInternalServerError {
		return oauth.ServerError(rejection.Message)
	}
	return oauth.InvalidGrant(rejection.Message)
}

// refreshProblem maps what tokens.Refresh reports. Whatever is wrong with a
// refresh token, the client learns that the grant is void (RFC 6749 §5.2).
func refreshProblem(err error) *oauth.Error {
	for _, refusal := range []struct {
		cause       error
		description string
	}{
		{tokens.ErrMalformed, "Invalid Refresh Token: Refresh Token Not Found"},
		{tokens.ErrNotFound, "Invalid Refresh Token: Refresh Token Not Found"},
		{tokens.ErrNotIssuedHere, "Invalid Refresh Token: Refresh Token Not Found"},
		{tokens.ErrNoSession, "Invalid Refresh Token: No Valid Session Found"},
		{tokens.ErrBanned, "Invalid Refresh Token: User Banned"},
		{tokens.ErrReused, "Invalid Refresh Token: Already Used"},
		{tokens.ErrClientMismatch, "Refresh token was issued to another client"},
		{tokens.ErrClientNotAllowed, "Refresh token was not issued to an OAuth client"},
		{tokens.ErrExpired, "Invalid Refresh Token: Session Expired"},
		{tokens.ErrExpiredInactive, "Invalid Refresh Token: Session Expired (Inactivity)"},
		{tokens.ErrExpiredLowAAL, "Invalid Refresh Token: Session Expired (Low AAL: User Needs MFA Verification)"},
		{tokens.ErrExpiredNewerLogin, "Invalid Refresh Token: Session Expired (Revoked by Newer Login)"},
	} {
		if errors.Is(err, refusal.cause) {
			return oauth.InvalidGrant(refusal.description)
		}
	}
	switch {
	case errors.Is(err, tokens.ErrScopeExceeded):
		return oauth.InvalidScope("The scope exceeds what the user has granted")
	case errors.Is(err, tokens.ErrBusy):
		return oauth.TemporarilyUnavailable("Too many concurrent refreshes of one token")
	}
	return nil
}
