package models

import (
	"encoding/json"
	"time"

	"github.com/gofrs/uuid"

	"github.com/truegrant/truegrant/storage"
)

// unknownIP stands for the address of a request whose peer has none: the
// column must not be empty.
const unknownIP = `'0.0.0.0'`

// NewChallenge is a challenge of a factor.
type NewChallenge struct {
	ID       uuid.UUID
	FactorID uuid.UUID
	UserID   uuid.UUID
	// IP is the client's address, empty if unknown. Only it may answer.
	IP string
	// Code is the code sent to a phone, plain or sealed, else ''.
	Code string
	// SessionData is the state of a WebAuthn ceremony, else empty.
	SessionData json.RawMessage
	// LastBefore, if set, is when the factor's last challenge must be over:
	// there is a pause between two messages.
	LastBefore *time.Time
}

// challengeAttempts bounds how often a challenge looks for a free microsecond:
// last_challenged_at is unique over all factors.
const challengeAttempts = 8

// CreateChallenge inserts a challenge. ErrNotFound when the factor is gone or
// was challenged too recently.
func CreateChallenge(c *storage.Conn, ch NewChallenge, trail AuditTrail, now time.Time) error {
	var err error
	for attempt := range challengeAttempts {
		// The id is random, so that two that collide part at once.
		shift := time.Duration(attempt) * (1 + time.Duration(ch.ID[attempt])) * time.Microsecond
		err = createChallenge(c, ch, trail, now, now.Add(shift))
		if !storage.IsUnique(err, "mfa_factors_last_challenged_at_key") {
			return err
		}
	}
	return err
}

func createChallenge(c *storage.Conn, ch NewChallenge, trail AuditTrail, now, challengedAt time.Time) error {
	var session *string
	if len(ch.SessionData) > 0 {
		text := string(ch.SessionData)
		session = &text
	}
	var created uuid.UUID
	return c.Get(&created, `with changed as (
		update mfa_factors set last_challenged_at = $5::timestamptz, updated_at = $2::timestamptz
		 where id = $3 and user_id = $4
		   and ($6::timestamptz is null or last_challenged_at is null or last_challenged_at <= $6) returning id),
		challenge as (
		insert into mfa_challenges (id, factor_id, created_at, ip_address, otp_code, web_authn_session_data)
		select $7, id, $2::timestamptz, coalesce(nullif($8::text, ''), `+unknownIP+`)::inet, $9, $10::text::jsonb
		  from changed),`+insertAudit+` select id from changed`,
		trail.json(), now, ch.FactorID, ch.UserID, challengedAt, ch.LastBefore, ch.ID, ch.IP, ch.Code, session)
}

// Verification is a challenge with the factor it belongs to: all that the
// answer is judged by.
type Verification struct {
	Status           string     `db:"status"`
	FriendlyName     string     `db:"friendly_name"`
	Secret           string     `db:"secret"`
	Phone            string     `db:"phone"`
	LastChallengedAt *time.Time `db:"last_challenged_at"`

	ChallengeID uuid.UUID       `db:"challenge_id"`
	CreatedAt   time.Time       `db:"created_at"`
	VerifiedAt  *time.Time      `db:"verified_at"`
	IP          string          `db:"ip"`
	SameIP      bool            `db:"same_ip"`
	Code        string          `db:"otp_code"`
	SessionData json.RawMessage `db:"session_data"`
	// SpentStep is the newest time step that verified this TOTP factor lately,
	// -1 if none did.
	SpentStep int64 `db:"spent_step"`
	// OthersVerified tells that the user has another verified factor.
	OthersVerified bool `db:"others_verified"`
}

// VerificationKey says which challenge is answered, and from where.
type VerificationKey struct {
	UserID, FactorID, ChallengeID uuid.UUID
	IP                            string
	// SpentSince is the age of the oldest challenge that could have spent a time
	// step that still counts.
	SpentSince time.Time
}

// spentStep is the newest time step that verified the factor $3. The challenge
// keeps it where a phone's keeps its code; GoTrue reads that column for phones
// only. $4 bounds the search by the index on created_at.
const spentStep = `coalesce((select max(p.otp_code::bigint) from mfa_challenges p
	where p.created_at >= $4 and p.factor_id = $3 and p.verified_at is not null and p.otp_code ~ '^[0-9]{1,12}$'), -1)`

// FindVerification returns a challenge of a user's factor. ErrNotFound when
// there is none.
func FindVerification(c *storage.Conn, key VerificationKey) (*Verification, error) {
	v := new(Verification)
	err := c.Get(v, `select f.status::text as status, coalesce(f.friendly_name, '') as friendly_name,
		coalesce(f.secret, '') as secret, coalesce(f.phone, '') as phone, f.last_challenged_at,
		ch.id as challenge_id, ch.created_at, ch.verified_at, host(ch.ip_address) as ip,
		ch.ip_address = coalesce(nullif($5::text, ''), `+unknownIP+`)::inet as same_ip,
		coalesce(ch.otp_code, '') as otp_code, coalesce(ch.web_authn_session_data, 'null') as session_data,
		case when f.factor_type = 'totp' then `+spentStep+` else -1 end as spent_step,
		exists (select from mfa_factors o where o.user_id = f.user_id and o.id <> f.id and o.status = 'verified')
			as others_verified
		from mfa_challenges ch join mfa_factors f on f.id = ch.factor_id
		where f.user_id = $1 and f.id = $3 and ch.id = $2`,
		key.UserID, key.ChallengeID, key.FactorID, key.SpentSince, key.IP)
	return v, err
}

// DeleteChallenge removes a challenge that was not answered in time.
func DeleteChallenge(c *storage.Conn, id uuid.UUID) error {
	_, err := c.Exec(`delete from mfa_challenges where id = $1 and verified_at is null`, id)
	return err
}

// WithdrawChallenge removes a challenge whose code could not be sent, so that
// another can be asked for at once.
func WithdrawChallenge(c *storage.Conn, id uuid.UUID) error {
	_, err := c.Exec(`with withdrawn as (
		delete from mfa_challenges where id = $1 and verified_at is null returning factor_id)
		update mfa_factors set last_challenged_at = null where id = (select factor_id from withdrawn)`, id)
	return err
}

// LastChallengedAt returns when a factor was last challenged, the beginning of
// time if never.
func LastChallengedAt(c *storage.Conn, factor uuid.UUID) (time.Time, error) {
	var at time.Time
	err := c.Get(&at, `select coalesce(last_challenged_at, 'epoch') from mfa_factors where id = $1`, factor)
	return at, err
}
