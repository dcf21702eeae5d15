package conf

import "time"

// SMS describes when text messages are sent, and by whom.
type SMS struct {
	SMSInput

	// Autoconfirm confirms phone numbers without a message.
	Autoconfirm bool
	// MaxFrequency is the least time between two messages of a kind to a user.
	MaxFrequency time.Duration `split_words:"true" zero:"1m"`
	// OTPExp is the life of a code.
	OTPExp time.Duration `ignored:"true" zero:"1m"`
	// OTPLength is the number of digits of a code, 6 to 10.
	OTPLength int `split_words:"true" zero:"6"`
	// Provider is twilio, twilio_verify, messagebird, textlocal or vonage.
	Provider string
	// Template is the message, a text/template with .Code.
	Template string `zero:"Your code is {{ .Code }}"`
	// TestOTP maps phone numbers, without leading + and blanks, to fixed codes.
	TestOTP map[string]string `split_words:"true" secret:"true"`
	// TestOTPValidUntil is the end of the fixed codes; zero means never.
	TestOTPValidUntil time.Time `ignored:"true"`

	Twilio       Twilio
	TwilioVerify TwilioVerify `split_words:"true"`
	Messagebird  Messagebird
	Textlocal    Textlocal
	Vonage       Vonage
}

// SMSInput holds variables of SMS whose written form differs.
type SMSInput struct {
	// OTPExp is in seconds.
	OTPExp uint `split_words:"true"`
	// TestOTPValidUntil is an RFC 3339 time, or empty.
	TestOTPValidUntil string `split_words:"true"`
}

// Twilio is an account at Twilio's messaging service.
type Twilio struct {
	AccountSID        string `split_words:"true"`
	AuthToken         string `split_words:"true" secret:"true"`
	MessageServiceSID string `split_words:"true"`
	// ContentSID is for WhatsApp only.
	ContentSID string `split_words:"true"`
}

// TwilioVerify is an account at Twilio Verify, which makes and checks the
// codes itself.
type TwilioVerify struct {
	AccountSID        string `split_words:"true"`
	AuthToken         string `split_words:"true" secret:"true"`
	MessageServiceSID string `split_words:"true"`
}

// Messagebird is an account at MessageBird.
type Messagebird struct {
	AccessKey  string `split_words:"true" secret:"true"`
	Originator string
}

// Textlocal is an account at Textlocal.
type Textlocal struct {
	APIKey string `split_words:"true" secret:"true"`
	Sender string
}

// Vonage is an account at Vonage.
type Vonage struct {
	APIKey    string `split_words:"true" secret:"true"`
	APISecret string `split_words:"true" secret:"true"`
	From      string
}
