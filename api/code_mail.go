package api

import (
	"errors"
	"net/http"
	"time"

	"github.com/truegrant/truegrant/api/apierror"
	"github.com/truegrant/truegrant/api/web"
	"github.com/truegrant/truegrant/flow"
	"github.com/truegrant/truegrant/models"
	"github.com/truegrant/truegrant/onetime"
	"github.com/truegrant/truegrant/sms"
	"github.com/truegrant/truegrant/storage"
)

// A codeMail is a mail or a text with a code that a request asks for. Every
// route that sends one goes the same way: admitted, drafted, stored, sent.
type codeMail struct {
	kind onetime.Kind
	// channel is how a text reaches the phone; fixed is the code of a test phone,
	// which nobody sends.
	channel, fixed string
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

// textTo is a text to a phone number.
func (s *Server) textTo(kind onetime.Kind, phone, channel string, now time.Time) codeMail {
	fixed, _ := sms.TestCode(s.Config.SMS, phone, now)
	return codeMail{kind: kind, channel: channel, fixed: fixed}
}

// to is the address of a user that the message goes to.
func (m codeMail) to(user *models.User) string {
	switch {
	case m.kind == onetime.SMSPhoneChange:
		return user.PhoneChange
	case m.kind.Text():
		return user.Phone
	}
	return user.Email
}

// request asks whether the message may be sent.
func (m codeMail) request(user *models.User, now time.Time) onetime.Request {
	return onetime.Request{
		Kind: m.kind, To: m.to(user), LastSent: user.SentAt(m.kind.Type()), Unsent: m.fixed != "", Now: now,
	}
}

// answerSent answers a request that asked for a message. Only test phones get
// an id of it.
func answerSent(w http.ResponseWriter, m codeMail) error {
	if m.fixed != "" {
		return web.JSON(w, http.StatusOK, map[string]string{"message_id": sms.TestMessageID})
	}
	return web.JSON(w, http.StatusOK, struct{}{})
}

// draft makes the code, as part of a flow when there is a challenge.
func (s *Server) draft(m codeMail, user *models.User) (code string, token models.OneTimeToken, err error) {
	if m.fixed != "" {
		return m.fixed, s.onetime.DraftOf(m.kind, user.ID, m.to(user), m.fixed), nil
	}
	code, token, err = s.onetime.Draft(m.kind, user.ID, m.to(user))
	if err == nil && m.challenge != nil {
		token = token.InFlow(m.challenge.Begin(s.ids, user.ID, m.startedBy, m.method))
	}
	return code, token, err
}

// sendCode sends a user a code, unless the last one is too young. The audit
// trail tells of it.
func (s *Server) sendCode(r *http.Request, m codeMail, user *models.User, trail models.AuditTrail) error {
	if err := s.onetime.Admit(r.Context(), m.request(user, s.kit.Time(r))); err != nil {
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
	return s.deliver(r, m, issued)
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
	token.Throttled, token.LastSent, token.OnlyPending = mail.throttled, user.SentAt(token.Type), true
	if err := models.SetOneTimeToken(s.DB.Conn(r.Context()), token, trail, now); err != nil {
		return nil, apierror.Failure("Database error saving link", err)
	}
	before := *user
	user.MarkSent(token.Type, now)
	return &issuedCode{user, before, code, token}, nil
}

// deliver hands over a code that is stored.
func (s *Server) deliver(r *http.Request, m codeMail, issued *issuedCode) error {
	switch {
	case m.fixed != "":
		return nil
	case m.kind.Text():
		return s.onetime.SendText(r.Context(), onetime.Text{
			Kind: m.kind, User: issued.user, To: issued.token.Address, Channel: m.channel,
			Code: issued.code, Hash: issued.token.Hash, IP: s.clientIP.Of(r),
		})
	}
	return s.mailCode(r, m.kind, issued)
}

// mailCode hands over a mail whose code is stored.
func (s *Server) mailCode(r *http.Request, kind onetime.Kind, issued *issuedCode) error {
	return s.onetime.Send(r.Context(), onetime.Mail{
		Kind: kind, User: &issued.before, Code: issued.code, Hash: issued.token.Hash,
		LinkBase: s.linkBase(r), RedirectTo: s.redirectTarget(r), IPAddress: s.clientIP.Of(r),
	})
}
