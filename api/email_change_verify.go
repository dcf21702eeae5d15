package api

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/truegrant/truegrant/accounts"
	"github.com/truegrant/truegrant/api/apierror"
	"github.com/truegrant/truegrant/models"
	"github.com/truegrant/truegrant/onetime"
	"github.com/truegrant/truegrant/storage"
	"github.com/truegrant/truegrant/tokens"
)

// halfConfirmed is the answer to the first of two confirmations.
const halfConfirmed = "Confirmation link accepted. Please proceed to confirm link sent to the other email"

// errHalfConfirmed: the code was the first of two.
var errHalfConfirmed = errors.New("the other address has still to confirm")

// findEmailChange finds the change that a code was typed for. The address is
// the one that got the code.
func (s *Server) findEmailChange(r *http.Request, email, code string) (*models.PendingUser, []string, error) {
	now, hashes := s.kit.Time(r), onetime.Hashes(email, code)
	pending, err := models.FindEmailChange(s.DB.Conn(r.Context()), email, s.audience(r), hashes)
	switch {
	case errors.Is(err, storage.ErrNotFound):
		return nil, nil, errOTPExpired(codeExpired)
	case err != nil:
		return nil, nil, apierror.Failure("Database error finding user", err)
	case pending.Banned(now):
		return nil, nil, errBanned()
	case pending.Type == "" || !s.onetime.Fresh(onetime.EmailChange, pending.EmailChangeSentAt, now):
		return nil, nil, errOTPExpired(codeExpired)
	}
	return pending, hashes, nil
}

// acceptEmailChange takes a confirmation. errHalfConfirmed when it is the first
// of two; otherwise the change can end.
func (s *Server) acceptEmailChange(r *http.Request, pending *models.PendingUser, hashes []string) (models.EmailChangeEnd, error) {
	end := models.EmailChangeEnd{
		UserID: pending.ID, Type: pending.Type, Was: pending.Email, Email: pending.EmailChange, Hashes: hashes,
		Both: s.confirmsTwice(&pending.User) && !s.Config.Mailer.Autoconfirm,
	}
	if pending.EmailChange == "" || pending.Type == models.EmailChangeCurrentToken && !s.confirmsTwice(&pending.User) {
		// Where one confirmation suffices it is that of the new address.
		return end, onetime.ErrExpired
	}
	conn := s.DB.Conn(r.Context())
	if end.Both {
		first, err := models.AcceptHalfEmailChange(conn, pending, hashes, s.kit.Time(r))
		switch {
		case err != nil:
			return end, fmt.Errorf("confirm email change: %w", err)
		case first:
			return end, errHalfConfirmed
		}
	}
	taken, err := models.EmailTaken(conn, end.Email, pending.Aud, pending.ID)
	switch {
	case err != nil:
		return end, apierror.Failure("Database error checking email", err)
	case taken:
		return end, errEmailExists()
	}
	end.Identity = accounts.EmailIdentity(s.ids.New(), pending.ID, end.Email, true, nil)
	end.AppData = providersWith(pending.Identities, accounts.ProviderEmail)
	return end, nil
}

// providersWith is the project's metadata of a user who has an identity at one
// more provider.
func providersWith(identities models.Identities, provider string) map[string]any {
	providers := accounts.ProvidersOf(identities)
	if identities.Of(provider) == nil {
		providers = append(providers, provider)
	}
	return accounts.AppMetadata(providers...)
}

// redeemEmailChange takes a confirmation. The one that ends the change signs
// the user in.
func (s *Server) redeemEmailChange(r *http.Request, pending *models.PendingUser, hashes []string) (*tokens.Issued, error) {
	end, err := s.acceptEmailChange(r, pending, hashes)
	if err != nil {
		return nil, err
	}
	now, user := s.kit.Time(r), &pending.User
	trail := s.audit.By(user, models.AuditUserModified, nil)
	if err := end.Apply(user, now); err != nil {
		return nil, err
	}
	draft, err := s.Tokens.Draft(r.Context(), tokens.SignIn{User: user, Method: methodOTP, Origin: s.origin(r), Now: now})
	if err != nil {
		return nil, err
	}
	finished, err := models.FinishEmailChange(s.DB.Conn(r.Context()), end, draft.Session, trail, now)
	switch {
	case err != nil:
		return nil, changeFailure(err)
	case !finished:
		return nil, onetime.ErrExpired
	}
	s.tellOfEmail(r, user, end.Was)
	return &draft.Issued, nil
}

// continueEmailChange is redeemEmailChange for a link of the PKCE flow.
func (s *Server) continueEmailChange(r *http.Request, pending *models.PendingUser, hashes []string) (*models.ContinuedFlow, error) {
	end, err := s.acceptEmailChange(r, pending, hashes)
	if err != nil {
		return nil, err
	}
	now, user := s.kit.Time(r), &pending.User
	trail := s.audit.By(user, models.AuditUserModified, nil)
	if err := end.Apply(user, now); err != nil {
		return nil, err
	}
	result, err := models.ContinueEmailChange(s.DB.Conn(r.Context()), end, trail, now)
	if err != nil {
		return nil, changeFailure(err)
	}
	if result.Spent {
		s.tellOfEmail(r, user, end.Was)
	}
	return result, nil
}

// changeFailure maps a refused change: another user took the address first.
func changeFailure(err error) error {
	if storage.IsUnique(err, "users_email_partial_key") {
		return errEmailExists()
	}
	return fmt.Errorf("finish email change: %w", err)
}

// halfTarget tells the app that the other address has still to confirm: in the
// fragment, and in the PKCE flow also in the query.
func halfTarget(target string, inFlow bool) (string, error) {
	values := url.Values{"message": {halfConfirmed}}
	if inFlow {
		var err error
		if target, err = withQuery(target, values); err != nil {
			return "", err
		}
	}
	values.Set("sb", "")
	return target + "#" + values.Encode(), nil
}
