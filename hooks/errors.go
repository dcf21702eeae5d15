package hooks

import "fmt"

// Failure is one way in which a hook can fail. The constants of this type are
// the sentinels of the package: compare with errors.Is.
type Failure string

// Error is the text of the failure as GoTrue words it, without details.
func (f Failure) Error() string { return string(f) }

// The ways in which calling a hook fails.
const (
	// ErrTimeout: the time for all attempts was used up.
	ErrTimeout = Failure("Failed to reach hook within maximum time of 5.000000 seconds")
	// ErrUnreachable: every attempt failed to connect or got no HTTP answer.
	ErrUnreachable = Failure("Failed to reach hook after maximum retries")
	// ErrTooLarge: the answer is longer than 200 KiB.
	ErrTooLarge = Failure("Payload size exceeded size limit of 204800 bytes")
	// ErrContentType: the answer is not declared to be application/json.
	ErrContentType = Failure("Invalid Content-Type")
	// ErrUnavailable: the hook answered 429 or 503, also when asked again.
	ErrUnavailable = Failure("Service currently unavailable due to hook")
	// ErrPayloadRefused: the hook answered 400.
	ErrPayloadRefused = Failure("Invalid payload sent to hook")
	// ErrUnauthorized: the hook answered 401.
	ErrUnauthorized = Failure("Hook requires authorization token")
	// ErrUnexpectedStatus: the hook answered a status that has no meaning here.
	ErrUnexpectedStatus = Failure("Unexpected status code returned from hook")
	// ErrBadReply: the answer is not the JSON that was asked for.
	ErrBadReply = Failure("Error unmarshaling JSON output.")
	// ErrMarshal: the input cannot be written as JSON.
	ErrMarshal = Failure("Error marshaling JSON input.")
	// ErrSignature: a configured secret cannot be used to sign.
	ErrSignature = Failure("Error generating signatures")
	// ErrRequest: the HTTP request could not be built.
	ErrRequest = Failure("Hook failed to make request object")
	// ErrFunction: the PostgreSQL function failed, timed out or is missing. The
	// driver's error is in the chain, for callers that show its SQLSTATE.
	ErrFunction = Failure("Error running hook URI")
	// ErrClaimsMissing: the access token hook returned no claims.
	ErrClaimsMissing = Failure("output claims field is missing")
	// ErrClaims: the returned claims do not fit the schema.
	ErrClaims = Failure("output claims do not conform to the expected schema: ")
	// ErrNoAddress: the hook is enabled but its URI is empty. The text is ours.
	ErrNoAddress = Failure("hook is enabled without a URI")
	// ErrDisabled: the hook is not enabled and must not be invoked.
	ErrDisabled = Failure("hook is not enabled")
)

// Error is a failed call. It is immutable.
type Error struct {
	// Kind is the sentinel; errors.Is finds it.
	Kind Failure
	// Message is the complete text GoTrue shows, details included.
	Message string
	// Cause, which may be nil, is for logs only; errors.Is and As find it.
	Cause error
}

// Error returns the message. The cause is not part of it.
func (e *Error) Error() string { return e.Message }

// Unwrap returns the kind and the cause.
func (e *Error) Unwrap() []error {
	if e.Cause == nil {
		return []error{e.Kind}
	}
	return []error{e.Kind, e.Cause}
}

// fail is the error of a kind that needs no details.
func fail(kind Failure, cause error) *Error {
	return &Error{Kind: kind, Message: string(kind), Cause: cause}
}

// failf is the error of a kind with the message spelled out.
func failf(kind Failure, cause error, format string, args ...any) *Error {
	return &Error{Kind: kind, Message: fmt.Sprintf(format, args...), Cause: cause}
}

// Rejection is a hook's own refusal: it worked, and says no.
type Rejection struct {
	// HTTPCode is the status the hook asks for, always 400 to 599. It is 500
	// if the hook named none, or one that is no error: a refusal must never
	// look like a success to the app.
	HTTPCode int
	// Message is the hook's text for the user, never empty.
	Message string
}

// Error tells the status only: the message is for the user and may name an
// address, which no log may hold.
func (r *Rejection) Error() string { return fmt.Sprintf("the hook refused with status %d", r.HTTPCode) }
