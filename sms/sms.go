package sms

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/truegrant/truegrant/conf"
	"github.com/truegrant/truegrant/observability"
)

// Channels of a [Message].
const (
	ChannelSMS      = "sms"
	ChannelWhatsApp = "whatsapp"
)

// ErrProvider is in the chain of every error of [New]: the configured provider
// does not exist, or lacks a setting. GoTrue answers it with "Unable to get SMS
// provider".
var ErrProvider = errors.New("no usable SMS provider")

// A Message is a code on its way to a phone.
type Message struct {
	// Phone is the number in E.164 form without the "+".
	Phone string
	// Code is the one-time code, for providers that have a text of their own.
	Code string
	// Text is the whole message, with the code in it.
	Text string
	// Channel is [ChannelSMS] or [ChannelWhatsApp]; empty means SMS.
	Channel string
}

// A Sender hands messages to a provider. It is safe for concurrent use.
type Sender interface {
	// Send returns the provider's id of the message when the provider has
	// accepted it. Every error is a [*Failure].
	Send(ctx context.Context, m Message) (messageID string, err error)
}

// A Verifier is a [Sender] whose provider makes the codes: what a message says
// is not sent, and only Check knows whether a code is right.
type Verifier interface {
	Sender
	// Check returns nil if code is the one that was sent to phone, and spends
	// it. It returns [ErrCode] if not, and a [*Failure] if the provider does not
	// say.
	Check(ctx context.Context, phone, code string) error
}

// New makes the sender of the configured provider. Each call to the provider
// is limited by timeout, and goes through transport; nil means one that honours
// HTTPS_PROXY. Every error wraps [ErrProvider] and names what is missing.
// GoTrue starts without a usable provider and fails when a message is due, so a
// caller may want to keep the error until then.
func New(c conf.SMS, timeout time.Duration, transport http.RoundTripper) (Sender, error) {
	client := newClient(timeout, transport)
	switch c.Provider {
	case "twilio":
		g := twilio{c.Twilio}
		return newSender(client, "Twilio", g, twilioSettings(c.Twilio.AccountSID, c.Twilio.AuthToken, c.Twilio.MessageServiceSID),
			ChannelSMS, ChannelWhatsApp)
	case "twilio_verify":
		g := twilioVerify{c.TwilioVerify}
		s, err := newSender(client, "Twilio", g,
			twilioSettings(c.TwilioVerify.AccountSID, c.TwilioVerify.AuthToken, c.TwilioVerify.MessageServiceSID),
			ChannelSMS, ChannelWhatsApp)
		if err != nil {
			return nil, err
		}
		return verifier{Sender: s, client: client, gateway: g}, nil
	case "messagebird":
		return newSender(client, "Messagebird", messagebird{c.Messagebird}, []setting{
			{"Messagebird access key", c.Messagebird.AccessKey},
			{"Messagebird originator", c.Messagebird.Originator},
		}, ChannelSMS)
	case "textlocal":
		return newSender(client, "Textlocal", textlocal{c.Textlocal}, []setting{
			{"Textlocal API key", c.Textlocal.APIKey},
			{"Textlocal sender", c.Textlocal.Sender},
		}, ChannelSMS)
	case "vonage":
		return newSender(client, "Vonage", vonage{c.Vonage}, []setting{
			{"Vonage API key", c.Vonage.APIKey},
			{"Vonage API secret", c.Vonage.APISecret},
			{"Vonage 'from' parameter", c.Vonage.From},
		}, ChannelSMS)
	}
	return nil, fmt.Errorf("%w: SMS provider %q is not supported", ErrProvider, c.Provider)
}

// A setting is one that its provider cannot do without.
type setting struct{ name, value string }

// A gateway is what tells the providers apart.
type gateway interface {
	// request writes what is posted for a message.
	request(m Message) request
	// read returns the id of an accepted message, or why it was not accepted.
	read(a answer) (id, refusal string)
}

// sender is a Sender for any gateway.
type sender struct {
	client
	gateway
	name     string // as errors call the provider
	channels []string
}

func newSender(c client, name string, g gateway, required []setting, channels ...string) (Sender, error) {
	for _, s := range required {
		if s.value == "" {
			return nil, fmt.Errorf("%w: missing %s", ErrProvider, s.name)
		}
	}
	return &sender{client: c, gateway: g, name: name, channels: channels}, nil
}

// Send implements [Sender].
func (s *sender) Send(ctx context.Context, m Message) (string, error) {
	m.Phone = strings.TrimPrefix(m.Phone, "+")
	m.Channel = cmp.Or(m.Channel, ChannelSMS)
	if !slices.Contains(s.channels, m.Channel) {
		return "", refused(fmt.Sprintf("channel type %q is not supported for %s", m.Channel, s.name), m.Code)
	}
	ctx, done := observability.Call(ctx, "sms", m.Channel)
	id, err := s.send(ctx, m)
	done(err)
	return id, err
}

func (s *sender) send(ctx context.Context, m Message) (string, error) {
	a, err := s.post(ctx, s.request(m))
	if err != nil {
		return "", unreachable(err)
	}
	id, refusal := s.read(a)
	if refusal != "" {
		return "", refused(refusal, m.Code)
	}
	return id, nil
}
