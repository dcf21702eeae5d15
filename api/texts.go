package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/truegrant/truegrant/api/apierror"
	"github.com/truegrant/truegrant/api/view"
	"github.com/truegrant/truegrant/hooks"
	"github.com/truegrant/truegrant/models"
	"github.com/truegrant/truegrant/onetime"
	"github.com/truegrant/truegrant/sms"
)

// texts sends codes to phones: by the hook, if there is one, else by the
// provider.
type texts struct {
	hooks  *hooks.Hooks
	sender sms.Sender
	text   *sms.Text
	// senderProblem and textProblem are what is wrong with the configuration;
	// it matters once a code is due.
	senderProblem, textProblem error
}

// newTexts returns texts that are written by a template.
func newTexts(s *Server, template string) texts {
	t := texts{hooks: s.Hooks}
	t.sender, t.senderProblem = sms.New(s.Config.SMS, s.Config.Internal.HTTPTimeout, s.Transport)
	t.text, t.textProblem = sms.ParseText(template)
	return t
}

func (t texts) byHook() bool { return t.hooks.Enabled(hooks.PointSendSMS) }

// verifier is the provider that makes and checks codes itself, nil if ours are
// sent.
func (t texts) verifier() sms.Verifier {
	if t.byHook() {
		return nil
	}
	verifier, _ := t.sender.(sms.Verifier)
	return verifier
}

// phoneCode is a code on its way.
type phoneCode struct {
	user                     *models.User
	phone, code, channel, ip string
	// purpose is the sms_type that the hook sees; '' for none.
	purpose string
}

// At which step a text failed; routes have different sentences for them.
var (
	errTextHook     = errors.New("send-sms hook")
	errTextProvider = errors.New("provider of texts")
	errTextTemplate = errors.New("template of texts")
)

// send sends a code. Of its errors, those that name no step are the provider's.
func (t texts) send(ctx context.Context, c phoneCode) error {
	if t.byHook() {
		err := t.hooks.SendSMS(ctx, hooks.SMS{
			User: view.NewUser(c.user), IPAddress: c.ip,
			Data: hooks.SMSData{OTP: c.code, Phone: c.phone, Type: c.purpose},
		})
		if err != nil {
			return fmt.Errorf("%w: %w", errTextHook, err)
		}
		return nil
	}
	if err := t.problem(); err != nil {
		return err
	}
	text, err := t.text.Render(c.code)
	if err != nil {
		return fmt.Errorf("%w: %w", errTextTemplate, err)
	}
	_, err = t.sender.Send(ctx, sms.Message{Phone: c.phone, Code: c.code, Text: text, Channel: c.channel})
	return err
}

// problem is what is wrong with the configuration.
func (t texts) problem() error {
	switch {
	case t.byHook():
		return nil
	case t.senderProblem != nil:
		return fmt.Errorf("%w: %w", errTextProvider, t.senderProblem)
	case t.textProblem != nil:
		return fmt.Errorf("%w: %w", errTextTemplate, t.textProblem)
	}
	return nil
}

// codeTexts hands the texts of package onetime on.
type codeTexts struct{ texts }

// Ready implements onetime.TextSender.
func (c codeTexts) Ready() error { return textFailure("", c.problem()) }

// SendText implements onetime.TextSender.
func (c codeTexts) SendText(ctx context.Context, m onetime.Text) error {
	err := c.send(ctx, phoneCode{user: m.User, phone: m.To, code: m.Code, channel: m.Channel, ip: m.IP})
	if err != nil && ctx.Err() != nil {
		return errors.Join(ctx.Err(), err) // the request's time is up, whatever the provider would have said
	}
	return textFailure(m.Kind, err)
}

// textFailure maps what send and problem report. What the hook says passes.
func textFailure(kind onetime.Kind, err error) error {
	var failure *sms.Failure
	switch {
	case errors.Is(err, errTextProvider):
		return apierror.Failure("Unable to get SMS provider", err)
	case errors.Is(err, errTextTemplate):
		return apierror.Failure("error generating sms template", err)
	case errors.As(err, &failure):
		what := strings.TrimPrefix(string(kind), "sms_")
		return apierror.New(http.StatusUnprocessableEntity, apierror.SMSSendFailed,
			"Error sending "+what+" OTP to provider: "+failure.Reason)
	}
	return err
}

// maxChannel bounds a channel that the hook may know, in bytes.
const maxChannel = 64

// checkChannel permits what the provider can do; a hook may do anything.
func (s *Server) checkChannel(asked string) (string, error) {
	if asked == "" {
		asked = sms.ChannelSMS
	}
	twilio := slices.Contains([]string{"twilio", "twilio_verify"}, s.Config.SMS.Provider)
	switch {
	case s.Hooks.Enabled(hooks.PointSendSMS) && len(asked) <= maxChannel, asked == sms.ChannelSMS, asked == sms.ChannelWhatsApp && twilio:
		return asked, nil
	}
	return "", apierror.Validation("Invalid channel, supported values are 'sms' or 'whatsapp'. " +
		"'whatsapp' is only supported if Twilio or Twilio Verify is used as the provider.")
}
