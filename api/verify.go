package api

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/truegrant/truegrant/accounts"
	"github.com/truegrant/truegrant/api/apierror"
	"github.com/truegrant/truegrant/api/web"
	"github.com/truegrant/truegrant/models"
	"github.com/truegrant/truegrant/onetime"
	"github.com/truegrant/truegrant/storage"
	"github.com/truegrant/truegrant/tokens"
)

// codeExpired is all that whoever types a code learns when it does not work.
const codeExpired = "Token has expired or is invalid"

// methodOTP is the amr method of everything that is verified by a code.
const methodOTP = "otp"

type verifyRequest struct {
	Type       string `json:"type"`
	Token      string `json:"token"`
	TokenHash  string `json:"token_hash"`
	Email      string `json:"email"`
	Phone      string `json:"phone"`
	RedirectTo string `json:"redirect_to"`
}

// POST /verify
func (s *Server) verifyCode(w http.ResponseWriter, r *http.Request) error {
	in, err := web.Decode[verifyRequest](r)
	if err != nil {
		return err
	}
	if err := in.check(); err != nil {
		return err
	}
	redeem := s.redeemTyped
	if in.Phone != "" {
		redeem = s.redeemPhoneCode
	}
	issued, user, err := redeem(r, in)
	switch {
	case errors.Is(err, errHalfConfirmed):
		return web.JSON(w, http.StatusOK, map[string]string{"code": "200", "msg": halfConfirmed})
	case errors.Is(err, onetime.ErrExpired):
		return errOTPExpired(codeExpired)
	case err != nil:
		return err
	}
	return s.answerSession(w, *issued, user, s.kit.Time(r))
}

// redeemTyped spends a code that came by mail.
func (s *Server) redeemTyped(r *http.Request, in *verifyRequest) (*tokens.Issued, *models.User, error) {
	pending, hashes, err := s.findPending(r, in)
	if err != nil {
		return nil, nil, err
	}
	issued, err := s.redeem(r, pending, hashes)
	return issued, &pending.User, err
}

// findPending finds the user and the kind of code that a request is about.
func (s *Server) findPending(r *http.Request, in *verifyRequest) (*models.PendingUser, []string, error) {
	if in.TokenHash != "" {
		return s.findByLink(r, in.Type, in.TokenHash)
	}
	return s.findByCode(r, in)
}

// check applies the rules on which members go together.
func (in *verifyRequest) check() error {
	switch {
	case in.Type == "":
		return apierror.Validation("Verify requires a verification type")
	case (in.Token == "") == (in.TokenHash == ""):
		return apierror.Validation("Verify requires either a token or a token hash")
	case in.Token != "" && (in.Email == "") == (in.Phone == ""):
		return apierror.Validation("Only an email address or phone number should be provided on verify")
	case in.TokenHash != "" && (in.Email != "" || in.Phone != "" || in.RedirectTo != ""):
		return apierror.Validation("Only the token_hash and type should be provided")
	case in.TokenHash != "" && kindsOf(in.Type) == nil:
		return apierror.Validation("Invalid email verification type")
	}
	return nil
}

// kindsOf are the kinds of codes that a verification type redeems, none for a
// type that is not known.
func kindsOf(verificationType string) []models.OneTimeType {
	switch verificationType {
	case "signup", "invite":
		return []models.OneTimeType{models.ConfirmationToken}
	case "recovery", "magiclink":
		return []models.OneTimeType{models.RecoveryToken}
	case "email_change":
		return []models.OneTimeType{models.EmailChangeNewToken, models.EmailChangeCurrentToken}
	case "email":
		return []models.OneTimeType{models.ConfirmationToken, models.RecoveryToken}
	}
	return nil
}

// findByLink finds whom a link was sent to.
func (s *Server) findByLink(r *http.Request, verificationType, hash string) (*models.PendingUser, []string, error) {
	pending, err := models.FindUserByLink(s.DB.Conn(r.Context()), kindsOf(verificationType), hash)
	if errors.Is(err, storage.ErrNotFound) {
		return nil, nil, errOTPExpired(linkExpired)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("find link: %w", err)
	}
	if pending.Banned(s.kit.Time(r)) {
		return nil, nil, errBanned()
	}
	if !s.onetime.Fresh(onetime.Confirmation, pending.SentAt(pending.Type), s.kit.Time(r)) {
		return nil, nil, errOTPExpired(linkExpired)
	}
	return pending, []string{hash}, nil
}

// findByCode finds the user of an address and which of the user's pending
// codes was typed. The statement that spends the code checks it once more.
func (s *Server) findByCode(r *http.Request, in *verifyRequest) (*models.PendingUser, []string, error) {
	email, err := s.addresses.Email(in.Email)
	if err != nil {
		return nil, nil, apierror.New(http.StatusUnprocessableEntity, apierror.ValidationFailed, "Invalid email format")
	}
	if in.Type == "email_change" {
		return s.findEmailChange(r, email, in.Token)
	}
	conn, now := s.DB.Conn(r.Context()), s.kit.Time(r)
	user, err := models.FindUserByEmail(conn, email, s.audience(r))
	switch {
	case errors.Is(err, storage.ErrNotFound):
		return nil, nil, errOTPExpired(codeExpired)
	case err != nil:
		return nil, nil, apierror.Failure("Database error finding user", err)
	case user.Banned(now):
		return nil, nil, errBanned()
	}
	hashes := onetime.Hashes(email, in.Token)
	found, err := models.PendingType(conn, user.ID, kindsOf(in.Type), hashes)
	if err != nil {
		return nil, nil, fmt.Errorf("find code: %w", err)
	}
	if found == "" || !s.onetime.Fresh(onetime.Confirmation, user.SentAt(found), now) {
		return nil, nil, errOTPExpired(codeExpired)
	}
	return &models.PendingUser{User: *user, Type: found}, hashes, nil
}

// redeem spends a code and signs the user in.
func (s *Server) redeem(r *http.Request, pending *models.PendingUser, hashes []string) (*tokens.Issued, error) {
	if pending.Type.EmailChange() {
		return s.redeemEmailChange(r, pending, hashes)
	}
	return s.redeemCode(r, pending, hashes)
}

// redeemCode spends a code: the address is confirmed if it was not yet, and
// the user signed in.
func (s *Server) redeemCode(r *http.Request, pending *models.PendingUser, hashes []string) (*tokens.Issued, error) {
	now := s.kit.Time(r)
	trail := s.verifiedTrail(&pending.User)
	if err := pending.Confirm(now); err != nil {
		return nil, err
	}
	draft, err := s.Tokens.Draft(r.Context(), tokens.SignIn{User: &pending.User, Method: methodOTP, Origin: s.origin(r), Now: now})
	if err != nil {
		return nil, err
	}
	redemption, err := s.redemption(pending, hashes)
	if err != nil {
		return nil, err
	}
	redeemed, err := models.RedeemOneTimeToken(s.DB.Conn(r.Context()), redemption, draft.Session, trail, now)
	if err != nil {
		return nil, fmt.Errorf("redeem code: %w", err)
	}
	if !redeemed {
		return nil, onetime.ErrExpired
	}
	return &draft.Issued, nil
}

// redemption is what spends a code. Who accepts an invitation gets a password
// that nobody knows: the confirmed account must not wait for a first one that
// anybody could set by asking for it.
func (s *Server) redemption(pending *models.PendingUser, hashes []string) (models.Redemption, error) {
	redemption := models.Redemption{UserID: pending.ID, Type: pending.Type, Hashes: hashes}
	if pending.InvitedAt == nil || pending.EncryptedPassword != "" {
		return redemption, nil
	}
	var err error
	redemption.PasswordHash, err = s.Hasher.Unguessable()
	return redemption, err
}

// verifiedTrail tells of a code that was redeemed: the end of a sign-up, or a
// login.
func (s *Server) verifiedTrail(user *models.User) models.AuditTrail {
	if user.EmailConfirmedAt == nil {
		return s.audit.By(user, models.AuditUserSignedUp, map[string]any{"provider": accounts.ProviderEmail})
	}
	return s.audit.By(user, models.AuditLogin, nil)
}

func errBanned() error {
	return apierror.New(http.StatusForbidden, apierror.UserBanned, "User is banned")
}

func errOTPExpired(message string) error {
	return apierror.New(http.StatusForbidden, apierror.OTPExpired, message)
}
