package api

import (
	"errors"
	"net/http"

	"github.com/truegrant/truegrant/api/apierror"
	"github.com/truegrant/truegrant/flow"
	"github.com/truegrant/truegrant/models"
	"github.com/truegrant/truegrant/onetime"
	"github.com/truegrant/truegrant/storage"
)

// A codeMail is a mail with a code that a request asks for. Every route that
// sends one goes the same way: admitted, drafted, stored, sent.
type codeMail struct {
	kind onetime.Kind
	// challenge is nil outside the PKCE flow; startedBy is the provider_type of
	// the flow and method its authentication method.
	challenge         *flow.Challenge
	startedBy, method string
	// throttled lets one of several requests of the same moment win.
	throttled bool
}

// What begins a flow that a mail continues: the provider_type that GoTrue
// writes.
const (
	startedBySignUp = "email"
	startedByResend = "email/signup"
)

// confirmationMail confirms the address of a sign-up.
func confirmationMail(challenge *flow.Challenge, startedBy string) codeMail {
	return codeMail{kind: onetime.Confirmation, challenge: challenge, startedBy: startedBy, method: models.FlowEmailSignUp}
}

// recoveryMail helps a user who has forgotten the password.
func recoveryMail(challenge *flow.Challenge) codeMail {
	return codeMail{kind: onetime.Recovery, challenge: challenge, startedBy: models.FlowRecovery, method: models.FlowRecovery}
}

// magicLinkMail signs a user in.
func magicLinkMail(challenge *flow.Challenge) codeMail {
	return codeMail{kind: onetime.MagicLink, challenge: challenge, startedBy: models.FlowMagicLink, method: models.FlowMagicLink}
}

// invitationMail invites a user.
func invitationMail() codeMail { return codeMail{kind: onetime.Invite} }

// draft makes the code, as part of a flow when there is a challenge.
func (s *Server) draft(m codeMail, user *models.User) (code string, token models.OneTimeToken, err error) {
	code, token, err = s.onetime.Draft(m.kind, user.ID, user.Email)
	if err == nil && m.challenge != nil {
		token = token.InFlow(m.challenge.Begin(s.ids, user.ID, m.startedBy, m.method))
	}
	return code, token, err
}

// sendCode sends a user a code, unless the last one is too young. The audit
// trail tells of it.
func (s *Server) sendCode(r *http.Request, m codeMail, user *models.User, trail models.AuditTrail) error {
	request := onetime.Request{Kind: m.kind, To: user.Email, LastSent: user.SentAt(m.kind.Type()), Now: s.kit.Time(r)}
	if err := s.onetime.Admit(r.Context(), request); err != nil {
		return err
	}
	m.throttled = true
	issued, err := s.issueCode(r, m, user, trail)
	switch {
	case errors.Is(err, storage.ErrNotFound):
		return nil // confirmed, gone, or sent a code meanwhile: nothing to send
	case err != nil:
		return err
	}
	return s.mailCode(r, m.kind, issued)
}

// issuedCode is a code that is stored for a user.
type issuedCode struct {
	user *models.User
	// before is the user as the code found it: whoever mails it is not to see it
	// as sent.
	before models.User
	code   string
	token  models.OneTimeToken
}

// issueCode stores a code for an existing user.
func (s *Server) issueCode(r *http.Request, mail codeMail, user *models.User, trail models.AuditTrail) (*issuedCode, error) {
	now := s.kit.Time(r)
	code, token, err := s.draft(mail, user)
	if err != nil {
		return nil, err
	}
	token.Throttled, token.LastSent = mail.throttled, user.SentAt(token.Type)
	if err := models.SetOneTimeToken(s.DB.Conn(r.Context()), token, trail, now); err != nil {
		return nil, apierror.Failure("Database error saving link", err)
	}
	before := *user
	user.MarkSent(token.Type, now)
	return &issuedCode{user, before, code, token}, nil
}

// mailCode hands over a code that is stored.
func (s *Server) mailCode(r *http.Request, kind onetime.Kind, issued *issuedCode) error {
	return s.onetime.Send(r.Context(), onetime.Mail{
		Kind: kind, User: &issued.before, Code: issued.code, Hash: issued.token.Hash,
		LinkBase: s.linkBase(r), RedirectTo: s.redirectTarget(r), IPAddress: s.clientIP.Of(r),
	})
}
