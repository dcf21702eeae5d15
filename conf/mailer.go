package conf

import "time"

// Mailer describes when mail is sent and what it says.
type Mailer struct {
	MailerInput

	// Autoconfirm confirms addresses without a mail.
	Autoconfirm bool
	// AllowUnverifiedEmailSignIns allows a login before the confirmation.
	AllowUnverifiedEmailSignIns bool `split_words:"true"`
	// SecureEmailChangeEnabled asks both addresses to confirm a change.
	SecureEmailChangeEnabled bool `split_words:"true" default:"true"`
	// OTPExp is the life of codes and links.
	OTPExp time.Duration `ignored:"true" zero:"24h"`
	// OTPLength is the number of digits of a code, 6 to 10.
	OTPLength int `split_words:"true" zero:"6"`
	// ExternalHosts are the values of X-Forwarded-Host that links may carry.
	ExternalHosts []string `split_words:"true"`
	// EmailBackgroundSending sends after the answer; failures are only logged.
	EmailBackgroundSending bool `split_words:"true"`

	// URLPaths are the paths or URLs that links lead to. Only those of invite,
	// confirmation, recovery (magic links too) and email_change are used.
	URLPaths MailTexts
	// Subjects are html/template texts; empty means the built-in one.
	Subjects MailTexts
	// Templates are URLs of bodies, relative to SiteURL unless they start with
	// "http", or files ("file:///…", ours); empty means the built-in body.
	Templates MailTexts
	// Translations are subjects and templates in further languages, sorted by
	// language; ours.
	Translations []MailTranslation `ignored:"true"`
	// DefaultLanguage is the BCP 47 tag of the language for users who ask for
	// none that there is; empty means the texts without a language. Ours.
	DefaultLanguage string `split_words:"true"`
	// Notifications turns mails about changes of an account on.
	Notifications MailNotifications

	// TemplateDirectory holds bodies in files, "invite.html" and
	// "de/invite.html"; empty means there is none. Ours.
	TemplateDirectory string `split_words:"true"`
	// TemplateMaxSize limits the body fetched from a template URL, in bytes.
	TemplateMaxSize int `split_words:"true" default:"1000000"`
	// TemplateMaxAge is the time a fetched body is kept.
	TemplateMaxAge time.Duration `split_words:"true" default:"10m"`
	// TemplateRetryInterval is the pause after a failed fetch.
	TemplateRetryInterval time.Duration `split_words:"true" default:"10s"`
	// TemplateReloadingEnabled fetches bodies again in the background.
	TemplateReloadingEnabled bool `split_words:"true"`
	// TemplateReloadingMaxIdle ends background fetching when no mail is sent.
	TemplateReloadingMaxIdle time.Duration `split_words:"true" default:"20m"`

	// EmailValidationExtended refuses addresses that cannot work, by static
	// lists and DNS.
	EmailValidationExtended bool `split_words:"true"`
	// EmailValidationServiceURL is asked about each address, if not empty.
	EmailValidationServiceURL string `split_words:"true"`
	// EmailValidationServiceHeaders are sent to that service.
	EmailValidationServiceHeaders map[string][]string `ignored:"true"`
	// EmailValidationBlockedMX are mail hosts whose addresses are refused.
	EmailValidationBlockedMX []string `ignored:"true"`
}

// MailerInput holds variables of Mailer whose written form differs.
type MailerInput struct {
	// OTPExp is in seconds.
	OTPExp uint `split_words:"true"`
	// EmailValidationServiceHeaders is a JSON object, header to list of values.
	EmailValidationServiceHeaders string `split_words:"true" secret:"true"`
	// EmailValidationBlockedMX is a JSON list of hosts.
	EmailValidationBlockedMX string `split_words:"true"`
}

// MailTexts holds one text for each kind of mail.
type MailTexts struct {
	Invite                          string
	Confirmation                    string
	Recovery                        string
	EmailChange                     string `split_words:"true"`
	MagicLink                       string `split_words:"true"`
	Reauthentication                string
	PasswordChangedNotification     string `split_words:"true"`
	EmailChangedNotification        string `split_words:"true"`
	PhoneChangedNotification        string `split_words:"true"`
	IdentityLinkedNotification      string `split_words:"true"`
	IdentityUnlinkedNotification    string `split_words:"true"`
	MFAFactorEnrolledNotification   string `split_words:"true"`
	MFAFactorUnenrolledNotification string `split_words:"true"`
}

// MailTranslation holds the texts of a language.
type MailTranslation struct {
	// Language is a BCP 47 tag.
	Language string
	// Subjects and Templates are what Mailer calls so.
	Subjects, Templates MailTexts

	suffix string // of the variables
}

// Text returns the text of a kind, such as "email_change"; empty for a kind
// that is not configured or does not exist.
func (t MailTexts) Text(kind string) string {
	texts := map[string]string{
		"invite":                             t.Invite,
		"confirmation":                       t.Confirmation,
		"recovery":                           t.Recovery,
		"email_change":                       t.EmailChange,
		"magic_link":                         t.MagicLink,
		"reauthentication":                   t.Reauthentication,
		"password_changed_notification":      t.PasswordChangedNotification,
		"email_changed_notification":         t.EmailChangedNotification,
		"phone_changed_notification":         t.PhoneChangedNotification,
		"identity_linked_notification":       t.IdentityLinkedNotification,
		"identity_unlinked_notification":     t.IdentityUnlinkedNotification,
		"mfa_factor_enrolled_notification":   t.MFAFactorEnrolledNotification,
		"mfa_factor_unenrolled_notification": t.MFAFactorUnenrolledNotification,
	}
	return texts[kind]
}

// MailNotifications tells which changes of an account are mailed to its owner.
type MailNotifications struct {
	PasswordChangedEnabled     bool `split_words:"true"`
	EmailChangedEnabled        bool `split_words:"true"`
	PhoneChangedEnabled        bool `split_words:"true"`
	IdentityLinkedEnabled      bool `split_words:"true"`
	IdentityUnlinkedEnabled    bool `split_words:"true"`
	MFAFactorEnrolledEnabled   bool `split_words:"true"`
	MFAFactorUnenrolledEnabled bool `split_words:"true"`
}

// Enabled reports whether mails of a kind, such as
// "password_changed_notification", are sent.
func (n MailNotifications) Enabled(kind string) bool {
	enabled := map[string]bool{
		"password_changed_notification":      n.PasswordChangedEnabled,
		"email_changed_notification":         n.EmailChangedEnabled,
		"phone_changed_notification":         n.PhoneChangedEnabled,
		"identity_linked_notification":       n.IdentityLinkedEnabled,
		"identity_unlinked_notification":     n.IdentityUnlinkedEnabled,
		"mfa_factor_enrolled_notification":   n.MFAFactorEnrolledEnabled,
		"mfa_factor_unenrolled_notification": n.MFAFactorUnenrolledEnabled,
	}
	return enabled[kind]
}
