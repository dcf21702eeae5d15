package tokens

import "errors"

// Why a refresh token is refused. api and api/oauthserver map these to their
// protocols' errors.
var (
	// ErrMalformed: not a text that any refresh token has.
	ErrMalformed = errors.New("refresh token is malformed")
	// ErrNotFound: unknown token, ended session or wrong signature.
	ErrNotFound = errors.New("refresh token not found")
	// ErrBanned: the user is banned.
	ErrBanned = errors.New("user is banned")
	// ErrNoSession: a relic that belongs to no session.
	ErrNoSession = errors.New("refresh token has no session")
	// ErrNotIssuedHere: a generation that the session has not reached.
	ErrNotIssuedHere = errors.New("refresh token was not issued by this server")
	// ErrReused: a spent token came back; the session is ended if rotation is
	// on (RFC 9700 §4.14.2).
	ErrReused = errors.New("refresh token already used")
	// ErrBusy: too many requests refresh this session at once.
	ErrBusy = errors.New("too many concurrent refreshes")

	// ErrClientRequired: the token is an OAuth client's, the caller is not one.
	ErrClientRequired = errors.New("client authentication required")
	// ErrClientMismatch: the token is another client's (RFC 6749 §5.2).
	ErrClientMismatch = errors.New("refresh token was issued to another client")
	// ErrClientNotAllowed: the token is the project's own, the caller a client.
	ErrClientNotAllowed = errors.New("refresh token was not issued to a client")
	// ErrScopeExceeded: more is asked for than was granted (RFC 6749 §6).
	ErrScopeExceeded = errors.New("scope exceeds what was granted")
)

// Why a session can no longer be refreshed.
var (
	ErrExpired           = errors.New("session expired")
	ErrExpiredInactive   = errors.New("session expired: inactivity")
	ErrExpiredLowAAL     = errors.New("session expired: second factor missing")
	ErrExpiredNewerLogin = errors.New("session expired: newer login")
)
