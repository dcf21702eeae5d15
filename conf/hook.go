package conf

// Hook describes the calls that may change what this service does.
type Hook struct {
	MFAVerificationAttempt      HookPoint `split_words:"true"`
	PasswordVerificationAttempt HookPoint `split_words:"true"`
	CustomAccessToken           HookPoint `split_words:"true"`
	SendEmail                   HookPoint `split_words:"true"`
	SendSMS                     HookPoint `split_words:"true"`
	BeforeUserCreated           HookPoint `split_words:"true"`
	AfterUserCreated            HookPoint `split_words:"true"`
}

// HookPoint describes one of those calls.
type HookPoint struct {
	HookInput

	// Enabled turns the call on.
	Enabled bool
	// URI is an http(s) URL, or pg-functions://any/<schema>/<function>.
	URI string
	// Secrets sign HTTP calls (Standard Webhooks), all of them.
	Secrets []string `ignored:"true" secret:"true"`
}

// HookInput holds variables of HookPoint whose written form differs.
type HookInput struct {
	// Secrets separates secrets with '|'. The bare variable SECRETS holds for
	// all hooks without their own.
	Secrets string `envconfig:"SECRETS" secret:"true"`
}

// namedHook is a hook point and the prefix of its variables.
type namedHook struct {
	prefix string
	point  *HookPoint
}

// points lists the hook points for writing.
func (h *Hook) points() []namedHook {
	return []namedHook{
		{"GOTRUE_HOOK_MFA_VERIFICATION_ATTEMPT", &h.MFAVerificationAttempt},
		{"GOTRUE_HOOK_PASSWORD_VERIFICATION_ATTEMPT", &h.PasswordVerificationAttempt},
		{"GOTRUE_HOOK_CUSTOM_ACCESS_TOKEN", &h.CustomAccessToken},
		{"GOTRUE_HOOK_SEND_EMAIL", &h.SendEmail},
		{"GOTRUE_HOOK_SEND_SMS", &h.SendSMS},
		{"GOTRUE_HOOK_BEFORE_USER_CREATED", &h.BeforeUserCreated},
		{"GOTRUE_HOOK_AFTER_USER_CREATED", &h.AfterUserCreated},
	}
}
