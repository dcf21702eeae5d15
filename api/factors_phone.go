package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/truegrant/truegrant/api/apierror"
	"github.com/truegrant/truegrant/api/view"
	"github.com/truegrant/truegrant/api/web"
	"github.com/truegrant/truegrant/hooks"
	"github.com/truegrant/truegrant/models"
	"github.com/truegrant/truegrant/secret"
	"github.com/truegrant/truegrant/sms"
	"github.com/truegrant/truegrant/storage"
)

// smsTimeout bounds a call to the provider of text messages.
const smsTimeout = 10 * time.Second

// phoneCodes sends the codes of phone factors: by the hook, if there is one,
// else by the provider.
type phoneCodes struct {
	hooks  *hooks.Hooks
	sender sms.Sender
	text   *sms.Text
	// senderProblem and textProblem are what is wrong with the configuration;
	// it matters once a code is due.
	senderProblem, textProblem error
}

func (s *Server) newPhoneCodes(h *hooks.Hooks) phoneCodes {
	codes := phoneCodes{hooks: h}
	codes.sender, codes.senderProblem = sms.New(s.Config.SMS, smsTimeout, nil)
	codes.text, codes.textProblem = sms.ParseText(s.Config.MFA.Phone.Template)
	return codes
}

func (p phoneCodes) byHook() bool { return p.hooks.Enabled(hooks.PointSendSMS) }

// verifier is the provider that makes and checks codes itself, nil if ours are
// sent.
func (p phoneCodes) verifier() sms.Verifier {
	if p.byHook() {
		return nil
	}
	verifier, _ := p.sender.(sms.Verifier)
	return verifier
}

// phoneCode is a code on its way.
type phoneCode struct {
	user                     *models.User
	phone, code, channel, ip string
}

// send sends a code. Its errors are those of GoTrue, which do not tell what
// the hook or the provider said.
func (p phoneCodes) send(ctx context.Context, c phoneCode) error {
	if p.byHook() {
		err := p.hooks.SendSMS(ctx, hooks.SMS{
			User: view.NewUser(c.user), IPAddress: c.ip,
			Data: hooks.SMSData{OTP: c.code, Phone: c.phone, Type: hooks.SMSTypeMFA},
		})
		if err != nil {
			return apierror.Failure("error invoking hook", err)
		}
		return nil
	}
	switch {
	case p.senderProblem != nil:
		return apierror.Failure("Failed to get SMS provider", p.senderProblem)
	case p.textProblem != nil:
		return apierror.Failure("error generating sms template", p.textProblem)
	}
	text, err := p.text.Render(c.code)
	if err != nil {
		return apierror.Failure("error generating sms template", err)
	}
	if _, err := p.sender.Send(ctx, sms.Message{Phone: c.phone, Code: c.code, Text: text, Channel: c.channel}); err != nil {
		return apierror.Failure("error sending message", err)
	}
	return nil
}

type phoneChallengeRequest struct {
	Channel string `json:"channel"`
}

// challengePhone writes the challenge, then sends the code, with no lock held.
// A code that could not be sent leaves no challenge and no pause behind.
func (f *factors) challengePhone(w http.ResponseWriter, r *http.Request, caller *web.Caller, factor *models.Factor) error {
	in, err := web.Decode[phoneChallengeRequest](r)
	if err != nil {
		return err
	}
	if err := f.checkChannel(in); err != nil {
		return err
	}
	now := f.kit.Time(r)
	code, fixed := sms.TestCode(f.Config.SMS, factor.Phone, now)
	if !fixed {
		if code, err = secret.Digits(f.Random, f.Config.MFA.Phone.OTPLength); err != nil {
			return err
		}
	}
	pause := now.Add(-f.Config.MFA.Phone.MaxFrequency)
	challenge := models.NewChallenge{ID: f.ids.New(), LastBefore: &pause}
	if challenge.Code, err = f.Box.Seal(challenge.ID.String(), code); err != nil {
		return fmt.Errorf("seal phone code: %w", err)
	}
	if err := f.saveChallenge(r, caller, factor, &challenge); err != nil {
		return f.tooSoon(r, factor, err, now)
	}
	if !fixed {
		err = f.phones.send(r.Context(), phoneCode{&caller.User, factor.Phone, code, in.Channel, f.clientIP.Of(r)})
	}
	if err != nil {
		ctx := context.WithoutCancel(r.Context()) // the caller may have given up waiting
		return errors.Join(err, models.WithdrawChallenge(f.DB.Conn(ctx), challenge.ID))
	}
	return f.showChallenge(w, r, factor, challenge, nil)
}

// checkChannel permits what the provider can do; a hook may do anything.
func (f *factors) checkChannel(in *phoneChallengeRequest) error {
	if in.Channel == "" {
		in.Channel = sms.ChannelSMS
	}
	twilio := slices.Contains([]string{"twilio", "twilio_verify"}, f.Config.SMS.Provider)
	switch {
	case f.phones.byHook(), in.Channel == sms.ChannelSMS, in.Channel == sms.ChannelWhatsApp && twilio:
		return nil
	}
	return apierror.Validation("Invalid channel, supported values are 'sms' or 'whatsapp'. " +
		"'whatsapp' is only supported if Twilio or Twilio Verify is used as the provider.")
}

// tooSoon explains a challenge that was not written.
func (f *factors) tooSoon(r *http.Request, factor *models.Factor, cause error, now time.Time) error {
	if !errors.Is(cause, storage.ErrNotFound) {
		return cause
	}
	last, err := models.LastChallengedAt(f.DB.Conn(r.Context()), factor.ID)
	switch {
	case errors.Is(err, storage.ErrNotFound):
		return errFactorNotFound()
	case err != nil:
		return fmt.Errorf("read last challenge: %w", err)
	}
	seconds := int(last.Add(f.Config.MFA.Phone.MaxFrequency).Sub(now) / time.Second)
	return apierror.New(http.StatusTooManyRequests, "over_sms_send_rate_limit",
		"For security purposes, you can only request this after "+strconv.Itoa(max(seconds, 0))+" seconds.")
}
