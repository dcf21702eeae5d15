package apierror

import (
	"errors"
	"net/http"
)

// Code is GoTrue's error_code.
type Code string

// Error codes. GoTrue's documentation lists them; service_unavailable is ours.
const (
	AnonymousProviderDisabled        Code = "anonymous_provider_disabled"
	BadCodeVerifier                  Code = "bad_code_verifier"
	FlowStateNotFound                Code = "flow_state_not_found"
	FlowStateExpired                 Code = "flow_state_expired"
	OTPDisabled                      Code = "otp_disabled"
	ReauthenticationNeeded           Code = "reauthentication_needed"
	ReauthenticationNotValid         Code = "reauthentication_not_valid"
	BadJSON                          Code = "bad_json"
	BadJWT                           Code = "bad_jwt"
	CaptchaFailed                    Code = "captcha_failed"
	Conflict                         Code = "conflict"
	CurrentPasswordInvalid           Code = "current_password_invalid"
	CurrentPasswordRequired          Code = "current_password_required"
	EmailAddressInvalid              Code = "email_address_invalid"
	EmailAddressNotAuthorized        Code = "email_address_not_authorized"
	EmailExists                      Code = "email_exists"
	EmailNotConfirmed                Code = "email_not_confirmed"
	EmailProviderDisabled            Code = "email_provider_disabled"
	FeatureDisabled                  Code = "feature_disabled"
	HookPayloadInvalidContentType    Code = "hook_payload_invalid_content_type"
	HookPayloadOverSizeLimit         Code = "hook_payload_over_size_limit"
	HookTimeout                      Code = "hook_timeout"
	HookTimeoutAfterRetry            Code = "hook_timeout_after_retry"
	InsufficientAAL                  Code = "insufficient_aal"
	InvalidCredentials               Code = "invalid_credentials"
	NoAuthorization                  Code = "no_authorization"
	NotAdmin                         Code = "not_admin"
	OAuthAuthorizationNotFound       Code = "oauth_authorization_not_found"
	OAuthClientNotFound              Code = "oauth_client_not_found"
	OAuthConsentNotFound             Code = "oauth_consent_not_found"
	OAuthDynamicRegistrationDisabled Code = "oauth_dynamic_client_registration_disabled"
	OTPExpired                       Code = "otp_expired"
	OverEmailSendRateLimit           Code = "over_email_send_rate_limit"
	OverRequestRateLimit             Code = "over_request_rate_limit"
	OverSMSSendRateLimit             Code = "over_sms_send_rate_limit"
	PhoneExists                      Code = "phone_exists"
	PhoneNotConfirmed                Code = "phone_not_confirmed"
	PhoneProviderDisabled            Code = "phone_provider_disabled"
	RefreshTokenAlreadyUsed          Code = "refresh_token_already_used"
	RefreshTokenNotFound             Code = "refresh_token_not_found"
	RequestEntityTooLarge            Code = "request_entity_too_large"
	RequestTimeout                   Code = "request_timeout"
	SamePassword                     Code = "same_password"
	ServiceUnavailable               Code = "service_unavailable"
	SessionExpired                   Code = "session_expired"
	SessionNotFound                  Code = "session_not_found"
	SignupDisabled                   Code = "signup_disabled"
	SMSSendFailed                    Code = "sms_send_failed"
	Unknown                          Code = "unknown"
	UnexpectedFailure                Code = "unexpected_failure"
	UserAlreadyExists                Code = "user_already_exists"
	UserBanned                       Code = "user_banned"
	UserNotFound                     Code = "user_not_found"
	UserSSOManaged                   Code = "user_sso_managed"
	ValidationFailed                 Code = "validation_failed"
	WeakPassword                     Code = "weak_password"
)

// Error is an answer of the API. Values are not changed after they are made.
type Error struct {
	Status  int
	Code    Code // '' for errors that carry none, see Uncoded and Internal
	Message string
	// Reasons are why a password is weak, for WeakPassword only.
	Reasons []string
	// RetryAfterSeconds is sent as Retry-After when positive.
	RetryAfterSeconds int
	cause             error
	// uncoded marks an explicit error without Code: it has an error_id, which
	// the default sentence has not.
	uncoded bool
}

// New returns an error for the caller.
func New(status int, code Code, message string) *Error {
	return &Error{Status: status, Code: code, Message: message}
}

// Uncoded returns an error that an operator's hook worded: it carries no code.
func Uncoded(status int, message string) *Error {
	return &Error{Status: status, Message: message, uncoded: true}
}

// Internal returns a 500 with the default sentence; cause reaches the log,
// never the body.
func Internal(cause error) *Error {
	return &Error{
		Status:  http.StatusInternalServerError,
		Message: "Unexpected failure, please check server logs for more information",
		cause:   cause,
	}
}

// Failure returns a 500 with a sentence that names what failed.
func Failure(message string, cause error) *Error {
	return &Error{Status: http.StatusInternalServerError, Code: UnexpectedFailure, Message: message, cause: cause}
}

// Elsewhere is Failure for a service elsewhere that did not do its part. The
// log gets the words of cause only: a deadline in its chain was that service's,
// and must not be taken for the request's own.
func Elsewhere(message string, cause error) *Error {
	return Failure(message, errors.New(cause.Error()))
}

// Unavailable returns the answer for a database that is away for the moment.
func Unavailable(cause error) *Error {
	return &Error{
		Status: http.StatusServiceUnavailable, Code: ServiceUnavailable, RetryAfterSeconds: 1,
		Message: "The service is temporarily unavailable, please retry after a moment.", cause: cause,
	}
}

// Weak returns the answer to a password that the policy refuses.
func Weak(message string, reasons []string) *Error {
	return &Error{Status: http.StatusUnprocessableEntity, Code: WeakPassword, Message: message, Reasons: reasons}
}

// Validation returns a 400 validation_failed, the most frequent error.
func Validation(message string) *Error {
	return New(http.StatusBadRequest, ValidationFailed, message)
}

// Error returns the sentence for the caller.
func (e *Error) Error() string { return e.Message }

// Unwrap returns what the log should tell, or nil.
func (e *Error) Unwrap() error { return e.cause }
