package models

import (
	"encoding/json"
	"time"

	"github.com/gofrs/uuid"

	"github.com/truegrant/truegrant/storage"
)

// SessionStepUp is how a session moves to aal2 and to its next refresh token.
type SessionStepUp struct {
	SessionID uuid.UUID `json:"session_id"`
	// Method is the authentication method that is added, AMRID its new row.
	Method string    `json:"method"`
	AMRID  uuid.UUID `json:"amr_id"`
	// CounterFrom and CounterTo are the generations of counter refresh tokens,
	// nil for the older kind, and HMACKey is the session's key.
	CounterFrom *int64 `json:"counter_from"`
	CounterTo   *int64 `json:"counter_to"`
	HMACKey     string `json:"hmac_key"`
	// Token is the successor of the oldest refresh token of the older kind that
	// is not revoked, '' for counter tokens.
	Token string `json:"token"`
}

// StepUp is a factor that was verified, with all that follows.
type StepUp struct {
	SessionStepUp
	UserID      uuid.UUID `json:"user_id"`
	FactorID    uuid.UUID `json:"factor_id"`
	FactorType  string    `json:"factor_type"`
	ChallengeID uuid.UUID `json:"challenge_id"`
	// FromStatus is the status that the factor had when the answer was judged.
	FromStatus string `json:"from_status"`
	// OnlyFirst demands that no other factor of the user is verified.
	OnlyFirst bool `json:"only_first"`
	// Secret replaces the sealed text of the factor's secret unless ''.
	Secret string `json:"secret"`
	// Step is the time step that a TOTP factor spends, nil for others.
	Step *int64 `json:"step"`
	// SpentSince is as in VerificationKey.
	SpentSince time.Time `json:"-"`
	// WebAuthn is set for WebAuthn factors.
	WebAuthn *WebAuthnUse `json:"webauthn"`
}

// WebAuthnUse is what a ceremony leaves behind.
type WebAuthnUse struct {
	// FactorID is the factor whose credential was used. It may be another one
	// of the user, because any of the user's credentials answers a challenge.
	FactorID   uuid.UUID       `json:"factor_id"`
	Credential json.RawMessage `json:"credential"`
	AAGUID     uuid.UUID       `json:"aaguid"`
	// ChallengeData is last_webauthn_challenge_data of the challenged factor.
	ChallengeData json.RawMessage `json:"challenge_data"`
}

// VerifyFactor spends a challenge and writes what follows from it: the factor
// is verified; its session gains the method, aal2 and a new refresh token; all
// other sessions of the user below aal2 end, but no grants of OAuth clients;
// unverified factors of the type go. It reports false, and the transaction must then be rolled back, when the
// state that the decision was made on has changed.
func VerifyFactor(tx *storage.Conn, up StepUp, trail AuditTrail, now time.Time) (bool, error) {
	if err := lockUser(tx, up.UserID); err != nil {
		return false, err
	}
	return applied(tx, verifyFactorStatement, trail.json(), now, up.FactorID, up.SpentSince, mustJSON(up))
}

// "outlived" are recovery codes whose factors GoTrue removed, which does not
// know of them: what is verified first begins without codes.
const verifyFactorStatement = `with
n as (
	select * from json_to_record($5) as n(session_id uuid, method text, amr_id uuid, counter_from bigint,
		counter_to bigint, hmac_key text, token text, user_id uuid, factor_id uuid, factor_type text,
		challenge_id uuid, from_status text, only_first bool, secret text, step bigint, webauthn json)),
w as (
	select * from json_to_record((select webauthn from n)) as w(factor_id uuid, credential jsonb, aaguid uuid, challenge_data jsonb)
	 where w.factor_id is not null),
proven as (
	update mfa_factors f set status = 'verified', updated_at = $2::timestamptz,
		secret = coalesce(nullif(n.secret, ''), f.secret),
		web_authn_credential = coalesce((select credential from w where w.factor_id = f.id), f.web_authn_credential),
		web_authn_aaguid = coalesce((select aaguid from w where w.factor_id = f.id), f.web_authn_aaguid),
		last_webauthn_challenge_data = coalesce((select challenge_data from w), f.last_webauthn_challenge_data)
	  from n where f.id = $3 and f.user_id = n.user_id and f.status::text = n.from_status
	   and exists (select from mfa_challenges c where c.id = n.challenge_id and c.factor_id = f.id and c.verified_at is null)
	   and (n.step is null or n.step > ` + spentStep + `)
	   and not (n.only_first and exists (
		select from mfa_factors o where o.user_id = n.user_id and o.id <> f.id and o.status = 'verified'))
	returning f.id),
spent as (
	update mfa_challenges c set verified_at = $2::timestamptz, otp_code = coalesce(n.step::text, c.otp_code)
	  from n, proven where c.id = n.challenge_id and c.verified_at is null and n.webauthn is null returning c.id),
consumed as (
	delete from mfa_challenges c using n, proven
	 where c.id = n.challenge_id and c.verified_at is null and n.webauthn is not null returning c.id),
used as (
	update mfa_factors f set web_authn_credential = w.credential, updated_at = $2::timestamptz
	  from w, n where f.id = w.factor_id and f.user_id = n.user_id and f.id <> $3 and exists (select from proven)),` +
	stepUpSession + `,
changed as (
	select session.id from session where exists (select from spent) or exists (select from consumed)),` +
	settleStepUp + `,
siblings as (
	delete from mfa_factors f using n, changed
	 where f.user_id = n.user_id and f.id <> n.factor_id and f.status = 'unverified'
	   and f.factor_type::text = n.factor_type),
outlived as (
	delete from truegrant_mfa_recovery_codes r using n, changed
	 where r.user_id = n.user_id and n.from_status <> 'verified' and not exists (
		select from mfa_factors o where o.user_id = n.user_id and o.id <> n.factor_id and o.status = 'verified')),` +
	insertAudit + `
select 1 from changed limit 1`

// stepUpSession are the common table expressions that move a session to aal2
// and to its next refresh token, once "proven" has a row; "n" holds the members
// of SessionStepUp, the user and the factor. "session" has a row unless the
// session was refreshed or ended meanwhile. The order of the locks is that of a
// refresh: refresh token, then session.
const stepUpSession = `
swapped as (
	update refresh_tokens t set revoked = true, updated_at = $2::timestamptz from n
	 where n.token <> '' and not t.revoked and t.id = (
		select r.id from refresh_tokens r where r.session_id = n.session_id and not r.revoked order by r.id limit 1)
	   and exists (select from proven) returning t.token, t.user_id, t.session_id),
successor as (
	insert into refresh_tokens (instance_id, token, user_id, revoked, created_at, updated_at, session_id, parent)
	select '` + instanceID + `', n.token, s.user_id, false, $2::timestamptz, $2::timestamptz, s.session_id, s.token
	  from swapped s, n),
session as (
	update sessions s set aal = 'aal2', factor_id = n.factor_id, updated_at = $2::timestamptz,
		refresh_token_counter = coalesce(n.counter_to, s.refresh_token_counter),
		refresh_token_hmac_key = coalesce(nullif(n.hmac_key, ''), s.refresh_token_hmac_key)
	  from n where s.id = n.session_id and s.user_id = n.user_id and exists (select from proven)
	   and (s.refresh_token_counter = n.counter_from or exists (select from swapped)) returning s.id)`

// settleStepUp are the expressions that follow once "changed" has the session's
// row: the method is written down, and the user's sessions below aal2 end. The
// grants of OAuth clients go on: they cannot step up, and the user ends them
// one by one.
const settleStepUp = `
amr as (
	insert into mfa_amr_claims (id, session_id, created_at, updated_at, authentication_method)
	select n.amr_id, changed.id, $2::timestamptz, $2::timestamptz, n.method from changed, n
	on conflict (session_id, authentication_method) do update set updated_at = excluded.updated_at),
ended as (
	delete from sessions o using n, changed
	 where o.user_id = n.user_id and o.id <> changed.id and coalesce(o.aal, 'aal1') < 'aal2'
	   and o.oauth_client_id is null)`
