package api

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/truegrant/truegrant/accounts"
	"github.com/truegrant/truegrant/api/apierror"
	"github.com/truegrant/truegrant/api/web"
	"github.com/truegrant/truegrant/hooks"
	"github.com/truegrant/truegrant/observability"
	"github.com/truegrant/truegrant/onetime"
	"github.com/truegrant/truegrant/password"
	"github.com/truegrant/truegrant/storage"
	"github.com/truegrant/truegrant/tokens"
)

// fail answers a request with an error. The cause of a server error goes to
// the request's event.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	event := observability.EventFrom(r.Context())
	known := toAPIError(err)
	if known.Status >= http.StatusInternalServerError {
		event.Fail(err)
	}
	if public, ok := storage.Public(err); ok && known.Status == http.StatusInternalServerError && !apierror.Versioned(w, r) {
		writePublic(w, public)
		return
	}
	known.Write(w, r, event.RequestID)
}

// toAPIError is the only place where an error of the API becomes a status
// code.
func toAPIError(err error) *apierror.Error {
	var known *apierror.Error
	if errors.As(err, &known) {
		return withAvailability(known, err)
	}
	for _, rule := range []func(error) *apierror.Error{
		availabilityError, bearerError, refreshError, sessionError, hookError, inputError, mailError,
	} {
		if mapped := rule(err); mapped != nil {
			return mapped
		}
	}
	return apierror.Internal(err)
}

// withAvailability lets an outage show as such, whatever sentence a handler
// has for other failures.
func withAvailability(known *apierror.Error, err error) *apierror.Error {
	if known.Status == http.StatusInternalServerError {
		if mapped := availabilityError(err); mapped != nil {
			return mapped
		}
	}
	return known
}

// statusClientGone is what proxies log for a client that did not wait.
const statusClientGone = 499

func availabilityError(err error) *apierror.Error {
	switch {
	case errors.Is(err, storage.ErrUnavailable):
		return apierror.Unavailable(err)
	case errors.Is(err, context.DeadlineExceeded):
		return apierror.New(http.StatusGatewayTimeout, apierror.RequestTimeout,
			"Processing this request timed out, please retry after a moment.")
	case errors.Is(err, context.Canceled):
		// Nobody is left to read this; the status keeps it out of the errors.
		return apierror.New(statusClientGone, apierror.RequestTimeout, "The client closed the request.")
	case errors.Is(err, storage.ErrNotFound): // a row that went between reading and writing
		return apierror.New(http.StatusNotFound, apierror.UserNotFound, "User not found")
	case errors.Is(err, storage.ErrInvalidText):
		return apierror.Validation("The request holds characters or values that cannot be stored")
	}
	return nil
}

// bearerError maps what tokens.Authenticate reports.
func bearerError(err error) *apierror.Error {
	forbidden := func(code apierror.Code, message string) *apierror.Error {
		return apierror.New(http.StatusForbidden, code, message)
	}
	var unverified *tokens.UnverifiedError
	switch {
	case errors.As(err, &unverified):
		return forbidden(apierror.BadJWT, "invalid JWT: unable to parse or verify signature, "+unverified.Error())
	case errors.Is(err, tokens.ErrBearerSubjectMissing):
		return forbidden(apierror.BadJWT, "invalid claim: missing sub claim")
	case errors.Is(err, tokens.ErrBearerSubjectNotUUID):
		return apierror.New(http.StatusBadRequest, apierror.BadJWT, "invalid claim: sub claim must be a UUID")
	case errors.Is(err, tokens.ErrBearerSessionNotUUID):
		return forbidden(apierror.BadJWT, "invalid claim: session_id claim must be a UUID")
	case errors.Is(err, tokens.ErrBearerUserNotFound):
		return forbidden(apierror.UserNotFound, "User from sub claim in JWT does not exist")
	case errors.Is(err, tokens.ErrBearerSessionNotFound):
		return forbidden(apierror.SessionNotFound, "Session from session_id claim in JWT does not exist")
	case errors.Is(err, tokens.ErrBearerBanned):
		return forbidden(apierror.UserBanned, "User is banned")
	case errors.Is(err, tokens.ErrBearerNotAdmin):
		return forbidden(apierror.NotAdmin, "User not allowed")
	case errors.Is(err, tokens.ErrBearerSessionExpired):
		return forbidden(apierror.SessionExpired, "Session is no longer valid")
	}
	return nil
}

// refreshError maps what tokens.Refresh reports about the token.
func refreshError(err error) *apierror.Error {
	bad := func(code apierror.Code, message string) *apierror.Error {
		return apierror.New(http.StatusBadRequest, code, message)
	}
	switch {
	case errors.Is(err, tokens.ErrMalformed):
		return apierror.Validation("Refresh token is not valid")
	case errors.Is(err, tokens.ErrNotFound):
		return bad(apierror.RefreshTokenNotFound, "Invalid Refresh Token: Refresh Token Not Found")
	case errors.Is(err, tokens.ErrBanned):
		return bad(apierror.UserBanned, "Invalid Refresh Token: User Banned")
	case errors.Is(err, tokens.ErrNoSession):
		return bad(apierror.SessionNotFound, "Invalid Refresh Token: No Valid Session Found")
	case errors.Is(err, tokens.ErrNotIssuedHere):
		return apierror.Validation("Invalid Refresh Token: Not Issued By This Server")
	case errors.Is(err, tokens.ErrReused):
		return bad(apierror.RefreshTokenAlreadyUsed, "Invalid Refresh Token: Already Used")
	case errors.Is(err, tokens.ErrBusy):
		return apierror.New(http.StatusConflict, apierror.Conflict,
			"Too many concurrent token refresh requests on the same session or refresh token")
	}
	return nil
}

// sessionError maps what tokens.Refresh reports about the session.
func sessionError(err error) *apierror.Error {
	expired := func(why string) *apierror.Error {
		return apierror.New(http.StatusBadRequest, apierror.SessionExpired, "Invalid Refresh Token: Session Expired"+why)
	}
	switch {
	case errors.Is(err, tokens.ErrExpired):
		return expired("")
	case errors.Is(err, tokens.ErrExpiredInactive):
		return expired(" (Inactivity)")
	case errors.Is(err, tokens.ErrExpiredLowAAL):
		return expired(" (Low AAL: User Needs MFA Verification)")
	case errors.Is(err, tokens.ErrExpiredNewerLogin):
		return expired(" (Revoked by Newer Login)")
	}
	return nil
}

func hookError(err error) *apierror.Error {
	var rejection *hooks.Rejection
	if errors.As(err, &rejection) {
		return apierror.Uncoded(rejection.HTTPCode, rejection.Message)
	}
	var failed *hooks.Error
	if !errors.As(err, &failed) {
		return nil
	}
	switch failed.Kind {
	case hooks.ErrTimeout:
		return apierror.New(http.StatusUnprocessableEntity, apierror.HookTimeout, failed.Message)
	case hooks.ErrUnreachable:
		return apierror.New(http.StatusUnprocessableEntity, apierror.HookTimeoutAfterRetry, failed.Message)
	case hooks.ErrTooLarge:
		return apierror.New(http.StatusUnprocessableEntity, apierror.HookPayloadOverSizeLimit, failed.Message)
	case hooks.ErrContentType:
		return apierror.New(http.StatusBadRequest, apierror.HookPayloadInvalidContentType, failed.Message)
	case hooks.ErrClaims, hooks.ErrClaimsMissing:
		return apierror.Uncoded(http.StatusInternalServerError, failed.Message)
	case hooks.ErrNoAddress:
		return apierror.Internal(err)
	}
	return apierror.Failure(failed.Message, err)
}

func inputError(err error) *apierror.Error {
	var input *accounts.InputError
	switch {
	case errors.As(err, &input):
		return apierror.Validation(input.Message)
	case errors.Is(err, password.ErrTooLong):
		return apierror.Validation("Password cannot be longer than 72 characters")
	}
	return nil
}

func mailError(err error) *apierror.Error {
	var tooSoon *onetime.TooSoonError
	var unsent *onetime.SendError
	switch {
	case errors.As(err, &tooSoon):
		code := apierror.OverEmailSendRateLimit
		if tooSoon.Text {
			code = apierror.OverSMSSendRateLimit
		}
		seconds := strconv.Itoa(int(tooSoon.Wait / time.Second))
		return apierror.New(http.StatusTooManyRequests, code,
			"For security purposes, you can only request this after "+seconds+" seconds.")
	case errors.Is(err, onetime.ErrOverBudget):
		return apierror.New(http.StatusTooManyRequests, apierror.OverEmailSendRateLimit, "email rate limit exceeded")
	case errors.Is(err, onetime.ErrOverTextBudget):
		return apierror.New(http.StatusTooManyRequests, apierror.OverSMSSendRateLimit, "SMS rate limit exceeded")
	case errors.As(err, &unsent) && !unsent.Kind.Text():
		return apierror.Failure("Error sending "+strings.ReplaceAll(string(unsent.Kind), "_", " ")+" email", err)
	}
	return nil
}

// writePublic answers with an error that the operator's SQL raised for the
// client, in PostgREST's shape. SQLSTATE PTnnn chooses the status.
func writePublic(w http.ResponseWriter, e *storage.PublicError) {
	status := http.StatusInternalServerError
	if digits, ok := strings.CutPrefix(e.SQLState, "PT"); ok {
		if n, err := strconv.Atoi(digits); err == nil && n >= 400 && n <= 599 {
			status = n
		}
	}
	body := struct {
		Code    string `json:"code"`
		Message string `json:"message"`
		Hint    string `json:"hint,omitempty"`
		Detail  string `json:"detail,omitempty"`
	}{e.SQLState, e.Message, e.Hint, e.Detail}
	w.Header().Set("X-Sb-Error-Code", string(apierror.UnexpectedFailure))
	_ = web.JSON(w, status, body)
}
