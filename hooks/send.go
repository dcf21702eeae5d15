package hooks

import "context"

// Email is a mail that the hook sends instead of us.
type Email struct {
	// User is the public JSON view of the user whom it is for.
	User any
	Data EmailData
	// IPAddress is the end user's, '' if unknown.
	IPAddress string
}

// EmailData says what the mail is about. What a kind of mail has no use for
// stays empty.
type EmailData struct {
	// Token is the code to type, TokenHash what the link carries. Where a new
	// address and the present one both confirm a change, GoTrue crosses them:
	// Token is the present address's code and TokenHash the new one's, TokenNew
	// the new address's code and TokenHashNew the present one's.
	Token        string `json:"token"`
	TokenHash    string `json:"token_hash"`
	RedirectTo   string `json:"redirect_to"`
	ActionType   string `json:"email_action_type"`
	SiteURL      string `json:"site_url"` // this server's, despite the name
	TokenNew     string `json:"token_new"`
	TokenHashNew string `json:"token_hash_new"`
	OldEmail     string `json:"old_email"`
	OldPhone     string `json:"old_phone"`
	Provider     string `json:"provider"`
	FactorType   string `json:"factor_type"`
}

// SendEmail lets the hook send a mail. It must be enabled.
func (h *Hooks) SendEmail(ctx context.Context, mail Email) error {
	metadata, err := h.NewMetadata(PointSendEmail, mail.IPAddress)
	if err != nil {
		return err
	}
	return h.Invoke(ctx, PointSendEmail, struct {
		Metadata Metadata  `json:"metadata"`
		User     any       `json:"user"`
		Data     EmailData `json:"email_data"`
	}{metadata, mail.User, mail.Data}, nil)
}

// SMSTypeMFA tells the code of a second factor from the others.
const SMSTypeMFA = "mfa"

// SMS is a text message that the hook sends instead of us.
type SMS struct {
	// User is the public JSON view of the user whom it is for.
	User any
	Data SMSData
	// IPAddress is the end user's, '' if unknown.
	IPAddress string
}

// SMSData is the code and where it goes.
type SMSData struct {
	OTP string `json:"otp"`
	// Phone is the number without the plus sign; the new one when it changes.
	Phone string `json:"phone"`
	// Type is SMSTypeMFA or empty.
	Type string `json:"sms_type,omitempty"`
}

// SendSMS lets the hook send a text message. It must be enabled.
func (h *Hooks) SendSMS(ctx context.Context, message SMS) error {
	metadata, err := h.NewMetadata(PointSendSMS, message.IPAddress)
	if err != nil {
		return err
	}
	return h.Invoke(ctx, PointSendSMS, struct {
		Metadata Metadata `json:"metadata"`
		User     any      `json:"user"`
		Data     SMSData  `json:"sms"`
	}{metadata, message.User, message.Data}, nil)
}
