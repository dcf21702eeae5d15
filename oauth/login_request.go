package oauth

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// What a prompt may ask for (OpenID Connect Core §3.1.2.1, Initiating User
// Registration §4).
const (
	PromptNone          = "none"
	PromptLogin         = "login"
	PromptConsent       = "consent"
	PromptSelectAccount = "select_account"
	PromptCreate        = "create"
)

// Prompts lists the prompts that this server knows.
func Prompts() []string {
	return []string{PromptNone, PromptLogin, PromptConsent, PromptSelectAccount, PromptCreate}
}

// What is still required of the user before a request can be approved.
const (
	// RequireLogin asks for a new login.
	RequireLogin = "login"
	// RequireSecondFactor asks for the second factor.
	RequireSecondFactor = "aal2"
)

// maxHintBytes bounds what is passed on to the login page.
const maxHintBytes = 1024

// LoginRequest is what an authorization request says about the user's login
// (OpenID Connect Core §3.1.2.1). The zero value says nothing.
type LoginRequest struct {
	Prompt []string `json:"prompt,omitempty"`
	// MaxAge is how old the login may be, in seconds; nil for any age.
	MaxAge    *int64   `json:"max_age,omitempty"`
	ACRValues []string `json:"acr_values,omitempty"`
	LoginHint string   `json:"login_hint,omitempty"`
	UILocales []string `json:"ui_locales,omitempty"`
	Display   string   `json:"display,omitempty"`
}

// ParseLoginRequest reads the parameters about the login. Prompts that are not
// known or contradict each other and an impossible max_age are invalid_request;
// prompt=none is login_required, since the server keeps no browser session and
// would have to ask.
func ParseLoginRequest(p Params) (LoginRequest, *Error) {
	in := LoginRequest{
		Prompt: strings.Fields(p.Get("prompt")), ACRValues: strings.Fields(p.Get("acr_values")),
		LoginHint: p.Get("login_hint"), UILocales: strings.Fields(p.Get("ui_locales")), Display: p.Get("display"),
	}
	for _, name := range []string{"prompt", "acr_values", "login_hint", "ui_locales", "display"} {
		if len(p.Get(name)) > maxHintBytes {
			return LoginRequest{}, InvalidRequest(name + " is too long")
		}
	}
	if problem := checkPrompts(in.Prompt); problem != nil {
		return LoginRequest{}, problem
	}
	if p.Has("max_age") {
		seconds, err := strconv.ParseInt(p.Get("max_age"), 10, 32)
		if err != nil || seconds < 0 {
			return LoginRequest{}, InvalidRequest("max_age must be a number of seconds")
		}
		in.MaxAge = &seconds
	}
	return in, nil
}

func checkPrompts(prompts []string) *Error {
	for _, prompt := range prompts {
		if !slices.Contains(Prompts(), prompt) {
			return InvalidRequest("prompt is not supported")
		}
	}
	switch {
	case !slices.Contains(prompts, PromptNone):
		return nil
	case len(prompts) > 1:
		return InvalidRequest("prompt=none cannot be combined with other prompts")
	}
	return LoginRequired("the user has to be asked")
}

// SaysNothing reports whether the request leaves the login to the server.
func (l LoginRequest) SaysNothing() bool {
	return len(l.Prompt) == 0 && l.MaxAge == nil && len(l.ACRValues) == 0 && l.LoginHint == "" &&
		len(l.UILocales) == 0 && l.Display == ""
}

// Login is the session in which a user wants to approve a request.
type Login struct {
	// Time is when the user proved who they are, ACR how well.
	Time time.Time
	ACR  string
	// CanStepUp tells that the user has a second factor.
	CanStepUp bool
}

// Missing lists what the login lacks, nothing if the request can be approved.
// Ages count from the arrival of the request, so that thinking about consent
// makes nobody log in twice; logins are known to the second. acr_values is a
// wish (OpenID Connect Core §3.1.2.1): who has no second factor goes on without,
// and the acr of the ID token says so.
func (l LoginRequest) Missing(login Login, requestedAt time.Time) []string {
	var missing []string
	age := requestedAt.Unix() - login.Time.Unix()
	again := slices.Contains(l.Prompt, PromptLogin) || slices.Contains(l.Prompt, PromptCreate)
	if again && age > 0 || l.MaxAge != nil && age > *l.MaxAge {
		missing = append(missing, RequireLogin)
	}
	if slices.Contains(l.ACRValues, RequireSecondFactor) && login.ACR != RequireSecondFactor && login.CanStepUp {
		missing = append(missing, RequireSecondFactor)
	}
	return missing
}

// Asks reports whether the user must see the consent page even if everything
// was granted before.
func (l LoginRequest) Asks() bool {
	return slices.ContainsFunc(l.Prompt, func(prompt string) bool {
		return prompt == PromptConsent || prompt == PromptSelectAccount
	})
}
