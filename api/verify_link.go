package api

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/truegrant/truegrant/api/apierror"
	"github.com/truegrant/truegrant/api/view"
	"github.com/truegrant/truegrant/models"
	"github.com/truegrant/truegrant/observability"
	"github.com/truegrant/truegrant/onetime"
)

// linkExpired is all that the holder of a link learns when it does not work.
const linkExpired = "Email link is invalid or has expired"

// GET /verify is the link in the mail. It answers a browser: with a redirect,
// whatever happens after the link has been understood.
func (s *Server) verifyLink(w http.ResponseWriter, r *http.Request) error {
	query := r.URL.Query()
	kind, hash := query.Get("type"), query.Get("token")
	switch {
	case kind == "":
		return apierror.Validation("Verify requires a verification type")
	case hash == "":
		return apierror.Validation("Verify requires a token or a token hash")
	}
	follow, inFlow := s.followLink, strings.HasPrefix(hash, models.PKCEPrefix)
	if inFlow {
		follow = s.followInFlow
	}
	target := s.redirectTarget(r)
	next, err := follow(r, kind, hash, target)
	if err != nil {
		known := toAPIError(err)
		if known.Status >= http.StatusInternalServerError {
			observability.EventFrom(r.Context()).Fail(err)
		}
		next = errorTarget(target, known, inFlow)
	}
	http.Redirect(w, r, next, http.StatusSeeOther)
	return nil
}

// followLink redeems a link and returns where the browser goes: the fragment
// hands the session to the app.
func (s *Server) followLink(r *http.Request, kind, hash, target string) (string, error) {
	if kindsOf(kind) == nil {
		return "", errUnknownKind()
	}
	pending, hashes, err := s.findByLink(r, kind, hash)
	if err != nil {
		return "", err
	}
	issued, err := s.redeem(r, pending, hashes)
	switch {
	case errors.Is(err, errHalfConfirmed):
		return halfTarget(target, false)
	case errors.Is(err, onetime.ErrExpired):
		return "", errOTPExpired(linkExpired)
	case err != nil:
		return "", err
	}
	now := s.kit.Time(r)
	return target + "#" + url.Values{
		"access_token": {issued.AccessToken}, "token_type": {"bearer"}, "type": {kind}, "sb": {""},
		"expires_in":    {strconv.FormatInt(view.ExpiresIn(*issued, now), 10)},
		"expires_at":    {strconv.FormatInt(issued.ExpiresAt.Unix(), 10)},
		"refresh_token": {issued.RefreshToken},
	}.Encode(), nil
}

// followInFlow redeems a link of the PKCE flow: the address is confirmed, and
// the query hands the app a code, which is worth nothing without the verifier.
func (s *Server) followInFlow(r *http.Request, kind, hash, target string) (string, error) {
	if kindsOf(kind) == nil {
		return "", errUnknownKind()
	}
	pending, hashes, err := s.findByLink(r, kind, hash)
	if err != nil {
		return "", err
	}
	result, err := s.continueFlow(r, kind, pending, hashes)
	switch {
	case errors.Is(err, errHalfConfirmed):
		return halfTarget(target, true)
	case errors.Is(err, onetime.ErrExpired):
		return "", errOTPExpired(linkExpired)
	case err != nil:
		return "", fmt.Errorf("continue flow: %w", err)
	case result.AuthCode == "":
		return "", apierror.New(http.StatusBadRequest, apierror.FlowStateNotFound,
			"No associated flow state found. 422: No valid flow state found for user.")
	case !result.Spent:
		return "", errOTPExpired(linkExpired)
	}
	return withQuery(target, url.Values{"code": {result.AuthCode}})
}

// continueFlow spends a link of a flow.
func (s *Server) continueFlow(r *http.Request, kind string, pending *models.PendingUser, hashes []string) (*models.ContinuedFlow, error) {
	if pending.Type.EmailChange() {
		return s.continueEmailChange(r, pending, hashes)
	}
	redemption, err := s.redemption(pending, hashes)
	if err != nil {
		return nil, err
	}
	trail := s.verifiedTrail(&pending.User)
	return models.ContinueFlow(s.DB.Conn(r.Context()), redemption, flowMethod(kind, pending.Type), trail, s.kit.Time(r))
}

// flowMethod is the authentication method of the flow that a link continues.
func flowMethod(kind string, pending models.OneTimeType) string {
	switch {
	case pending == models.ConfirmationToken:
		return models.FlowEmailSignUp
	case kind == "recovery":
		return models.FlowRecovery
	}
	return models.FlowMagicLink
}

// withQuery sets parameters in the query of a URL, which is encoded anew.
func withQuery(target string, values url.Values) (string, error) {
	u, err := url.Parse(target)
	if err != nil {
		return "", fmt.Errorf("redirect target: %w", err)
	}
	query := u.Query()
	maps.Copy(query, values)
	u.RawQuery = query.Encode()
	return u.String(), nil
}

// errorTarget tells the app what went wrong: in the fragment, which GoTrue
// escapes twice, and in the PKCE flow also in the query.
func errorTarget(target string, e *apierror.Error, inFlow bool) string {
	target, _, _ = strings.Cut(target, "#")
	values := url.Values{"error_description": {e.Message}, "error_code": {string(e.Code)}}
	if name := redirectError(e.Status); name != "" {
		values.Set("error", name)
	}
	if inFlow {
		if next, err := withQuery(target, values); err == nil {
			target = next
		}
	}
	values.Set("sb", "")
	return target + "#" + (&url.URL{Fragment: values.Encode()}).EscapedFragment()
}

// redirectError is the value of error for a status, "" for those without one
// (RFC 6749 §4.1.2.1 has the words).
func redirectError(status int) string {
	switch status {
	case http.StatusBadRequest:
		return "invalid_request"
	case http.StatusUnauthorized:
		return "unauthorized_client"
	case http.StatusForbidden:
		return "access_denied"
	case http.StatusInternalServerError:
		return "server_error"
	case http.StatusServiceUnavailable:
		return "temporarily_unavailable"
	}
	return ""
}

func errUnknownKind() error { return apierror.Validation("Invalid email verification type") }
