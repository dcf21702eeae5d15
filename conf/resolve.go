package conf

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// resolve fills in the values that are computed from others.
func resolve(c *Config, r *report) {
	resolveSeconds(c, r)
	resolveTexts(c, r)
	resolveTestCodes(c, r)
	resolveRateLimit(c)
	resolveHooks(c)
	resolveLinkingDomains(c, r)
	for _, v := range c.variables() {
		applyBounds(v.value, v.effective.Tag)
	}
	for _, length := range []*int{&c.Mailer.OTPLength, &c.SMS.OTPLength, &c.MFA.Phone.OTPLength} {
		if *length < minOTPLength || *length > maxOTPLength {
			*length = minOTPLength
		}
	}
	if c.Security.RefreshTokenAlgorithmVersion == 0 {
		c.Security.RefreshTokenAlgorithmVersion = 1
	}
}

// Codes of other lengths get the smallest one.
const minOTPLength, maxOTPLength = 6, 10

func resolveSeconds(c *Config, r *report) {
	c.JWT.Exp = seconds(r, "GOTRUE_JWT_EXP", float64(c.JWT.JWTInput.Exp))
	c.Mailer.OTPExp = seconds(r, "GOTRUE_MAILER_OTP_EXP", float64(c.Mailer.MailerInput.OTPExp))
	c.SMS.OTPExp = seconds(r, "GOTRUE_SMS_OTP_EXP", float64(c.SMS.SMSInput.OTPExp))
	c.Security.RefreshTokenReuseInterval = seconds(r, "GOTRUE_SECURITY_REFRESH_TOKEN_REUSE_INTERVAL",
		max(0, float64(c.Security.SecurityInput.RefreshTokenReuseInterval)))
	c.MFA.ChallengeExpiryDuration = seconds(r, "GOTRUE_MFA_CHALLENGE_EXPIRY_DURATION",
		max(0, c.MFA.MFAInput.ChallengeExpiryDuration))
}

// seconds converts a number of seconds that fits a time.Duration.
func seconds(r *report, variable string, n float64) time.Duration {
	if !(n >= 0 && n < math.MaxInt64/float64(time.Second)) {
		r.problem(variable, "number of seconds must not be negative, and less than 292 years")
		return 0
	}
	return time.Duration(n * float64(time.Second))
}

// resolveTexts parses texts with a syntax of their own. A broken JSON text of
// headers or hosts is ignored with a warning, as by GoTrue.
func resolveTexts(c *Config, r *report) {
	c.Password.RequiredCharacters = characterSets(c.Password.PasswordInput.RequiredCharacters)
	parseJSON(r, "GOTRUE_SMTP_HEADERS", c.SMTP.SMTPInput.Headers, &c.SMTP.Headers)
	in := c.Mailer.MailerInput
	parseJSON(r, "GOTRUE_MAILER_EMAIL_VALIDATION_SERVICE_HEADERS", in.EmailValidationServiceHeaders,
		&c.Mailer.EmailValidationServiceHeaders)
	parseJSON(r, "GOTRUE_MAILER_EMAIL_VALIDATION_BLOCKED_MX", in.EmailValidationBlockedMX,
		&c.Mailer.EmailValidationBlockedMX)

	paths := &c.Mailer.URLPaths
	for _, path := range []*string{&paths.Invite, &paths.Confirmation, &paths.Recovery, &paths.EmailChange} {
		*path = cmp.Or(*path, "/verify")
	}
	switch strings.Join(strings.Fields(c.JWT.Keys), "") {
	case "":
		if c.set["GOTRUE_JWT_KEYS"] {
			r.problem("GOTRUE_JWT_KEYS", "must be a JSON array of private JWKs; it is empty")
		}
	case "[]":
		c.JWT.Keys = ""
	}
	c.Mailer.DefaultLanguage = cmp.Or(parseLanguage(c.Mailer.DefaultLanguage), c.Mailer.DefaultLanguage)
	c.Security.Captcha.Secret = strings.TrimSpace(c.Security.Captcha.Secret)

}

// resolveTestCodes prepares the fixed codes of test phones.
func resolveTestCodes(c *Config, r *report) {
	if text := c.SMS.SMSInput.TestOTPValidUntil; text != "" {
		until, err := time.Parse(time.RFC3339, text)
		if err != nil {
			r.problem("GOTRUE_SMS_TEST_OTP_VALID_UNTIL", "%q is not a time like 2006-01-02T15:04:05Z", text)
		}
		c.SMS.TestOTPValidUntil = until
	}
	if c.SMS.TestOTP != nil {
		c.SMS.TestOTP = bareNumbers(c.SMS.TestOTP)
	}
}

// parseJSON parses a text into target, which stays nil if that fails.
func parseJSON[T any](r *report, variable, text string, target *T) {
	if text == "" {
		return
	}
	var parsed T
	if err := json.Unmarshal([]byte(text), &parsed); err != nil {
		r.warn(variable, "ignored, because it is not %s", map[reflect.Kind]string{
			reflect.Map:   "a JSON object of lists of strings",
			reflect.Slice: "a JSON list of strings",
		}[reflect.TypeFor[T]().Kind()])
		return
	}
	*target = parsed
}

// characterSets splits a text at ':', except where a backslash precedes it.
// Empty sets are dropped: no password could have a character of them.
func characterSets(text string) []string {
	const colon = "\x00"
	var sets []string
	for set := range strings.SplitSeq(strings.ReplaceAll(text, `\:`, colon), ":") {
		if set != "" {
			sets = append(sets, strings.ReplaceAll(set, colon, ":"))
		}
	}
	return sets
}

// bareNumbers removes one leading + and all blanks from phone numbers.
func bareNumbers(codes map[string]string) map[string]string {
	bare := make(map[string]string, len(codes))
	for phone, code := range codes {
		phone = strings.TrimPrefix(strings.ReplaceAll(phone, " ", ""), "+")
		bare[phone] = code
	}
	return bare
}

// resolveRateLimit lets the plain spelling OAUTH stand in for O_AUTH.
func resolveRateLimit(c *Config) {
	plain := c.RateLimit.OAUTHDynamicClientRegister
	if plain != nil && !c.set["GOTRUE_RATE_LIMIT_O_AUTH_DYNAMIC_CLIENT_REGISTER"] {
		c.RateLimit.OAuthDynamicClientRegister = *plain
	}
}

func resolveHooks(c *Config) {
	for _, hook := range c.Hook.points() {
		if text := hook.point.HookInput.Secrets; text != "" {
			hook.point.Secrets = strings.Split(text, "|")
		}
	}
}

// resolveLinkingDomains merges the list of pairs with its older form.
func resolveLinkingDomains(c *Config, r *report) {
	const variable = "GOTRUE_EXPERIMENTAL_PROVIDER_LINKING_DOMAINS"
	domains := map[string]string{}
	for _, provider := range c.Experimental.ProvidersWithOwnLinkingDomain {
		domains[provider] = provider
	}
	text := c.Experimental.ExperimentalInput.ProviderLinkingDomains
	if strings.TrimSpace(text) != "" {
		for pair := range strings.SplitSeq(text, ",") {
			provider, domain, found := strings.Cut(pair, "=")
			provider, domain = strings.TrimSpace(provider), strings.TrimSpace(domain)
			switch {
			case !found:
				r.problem(variable, `conf: invalid provider linking domain %q, expected format "provider=domain"`, pair)
			case provider == "" || domain == "":
				r.problem(variable, "conf: invalid provider linking domain %q, provider and domain must be non-empty", pair)
			default:
				domains[provider] = domain
			}
		}
	}
	if len(domains) > 0 {
		c.Experimental.ProviderLinkingDomains = domains
	}
}

// applyBounds replaces a zero value by that of the tag "zero", and a value
// below that of the tag "min" by it.
func applyBounds(value reflect.Value, tag reflect.StructTag) {
	if text := tag.Get("zero"); text != "" && isEmpty(value) {
		switch value.Kind() {
		case reflect.String:
			value.SetString(text)
		case reflect.Slice:
			value.Set(reflect.ValueOf(strings.Split(text, ",")))
		default:
			value.SetInt(integer(value.Type(), text))
		}
	}
	if text := tag.Get("min"); text != "" {
		value.SetInt(max(value.Int(), integer(value.Type(), text)))
	}
}

func isEmpty(value reflect.Value) bool {
	return value.IsZero() || value.Kind() == reflect.Slice && value.Len() == 0
}

// integer reads the number or duration of a tag; a bad one is a mistake in
// this package.
func integer(t reflect.Type, text string) int64 {
	var n int64
	var err error
	if t == reflect.TypeFor[time.Duration]() {
		var d time.Duration
		d, err = time.ParseDuration(text)
		n = int64(d)
	} else {
		n, err = strconv.ParseInt(text, 10, 64)
	}
	if err != nil {
		panic(fmt.Sprintf("conf: bad tag: %v", err))
	}
	return n
}
