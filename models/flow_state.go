package models

import (
	"time"

	"github.com/gofrs/uuid"

	"github.com/truegrant/truegrant/storage"
)

// The authentication methods of flows that a mail continues; the session they
// end in carries them as its amr method.
const (
	FlowEmailSignUp = "email/signup"
	FlowRecovery    = "recovery"
	FlowMagicLink   = "magiclink"
)

// FlowState is a row of flow_state: a sign-in on its way. Its code ends it, in
// the hands of the app that began it.
type FlowState struct {
	ID uuid.UUID `json:"id"`
	// AuthCode is a UUID in plain text, as GoTrue reads it.
	AuthCode string `json:"auth_code"`
	// CodeChallengeMethod is lower-case: "s256" or "plain" (RFC 7636 §4.3).
	CodeChallengeMethod string `json:"code_challenge_method"`
	CodeChallenge       string `json:"code_challenge"`
	// ProviderType is what began the flow: a provider, or the kind of mail.
	ProviderType string `json:"provider_type"`
	// AuthenticationMethod becomes the amr method of the session.
	AuthenticationMethod string `json:"authentication_method"`
	// ProviderAccessToken and ProviderRefreshToken are what an external
	// provider gave, '' when there is none.
	ProviderAccessToken  string    `json:"provider_access_token"`
	ProviderRefreshToken string    `json:"provider_refresh_token"`
	CreatedAt            time.Time `json:"created_at"`
	// AuthCodeIssuedAt is nil until a link hands the code out.
	AuthCodeIssuedAt *time.Time `json:"auth_code_issued_at"`
}

// Scan reads the JSON that flowStateJSON builds.
func (f *FlowState) Scan(src any) error { return storage.ScanJSON(src, f) }

// flowStateJSON builds a FlowState for the table alias f.
const flowStateJSON = `
	json_build_object('id', f.id, 'auth_code', f.auth_code,
		'code_challenge_method', coalesce(f.code_challenge_method::text, ''),
		'code_challenge', coalesce(f.code_challenge, ''), 'provider_type', f.provider_type,
		'authentication_method', f.authentication_method,
		'provider_access_token', coalesce(f.provider_access_token, ''),
		'provider_refresh_token', coalesce(f.provider_refresh_token, ''),
		'created_at', coalesce(f.created_at, 'epoch'), 'auth_code_issued_at', f.auth_code_issued_at)`

// NewFlow is the row that begins a flow of a known user. Its code exists from
// the start and is handed out later.
type NewFlow struct {
	ID                   uuid.UUID `json:"id"`
	UserID               uuid.UUID `json:"user_id"`
	AuthCode             uuid.UUID `json:"auth_code"`
	CodeChallengeMethod  string    `json:"code_challenge_method"`
	CodeChallenge        string    `json:"code_challenge"`
	ProviderType         string    `json:"provider_type"`
	AuthenticationMethod string    `json:"authentication_method"`
}

// json renders the flow for insertFlow; nil is "no flow".
func (f *NewFlow) json() string {
	if f == nil {
		return "[]"
	}
	return mustJSON([]*NewFlow{f})
}

// insertFlow is the common table expression that writes NewFlow.json ($4) at a
// time ($2), once the expression "changed" has a row. GoTrue cannot read a
// flow whose provider tokens are NULL.
const insertFlow = `
insert_flow as (
	insert into flow_state (id, user_id, auth_code, code_challenge_method, code_challenge, provider_type,
		authentication_method, provider_access_token, provider_refresh_token, created_at, updated_at)
	select f.id, f.user_id, f.auth_code, f.code_challenge_method::code_challenge_method, f.code_challenge,
		f.provider_type, f.authentication_method, '', '', $2::timestamptz, $2::timestamptz
	  from json_to_recordset($4) as f(id uuid, user_id uuid, auth_code text, code_challenge_method text,
		code_challenge text, provider_type text, authentication_method text)
	 where exists (select from changed))`

// CreateUserWithFlow is CreateUser for a sign-up whose confirmation may belong
// to a flow; flow is nil when it does not.
func CreateUserWithFlow(c *storage.Conn, n NewUser, flow *NewFlow, trail AuditTrail, now time.Time) (*User, error) {
	u := new(User)
	err := c.Get(u, `with `+insertUser+`,`+insertFlow+`,`+insertAudit+` select `+insertedUser,
		trail.json(), now, mustJSON(n), flow.json())
	return u, err
}

// FlowExchange is what a token request with the code of a flow depends on.
type FlowExchange struct {
	User
	Flow FlowState `db:"flow"`
}

// FindFlowExchange returns the flow that a code belongs to and its user.
// ErrNotFound when there is none, or when the flow has no user yet.
func FindFlowExchange(c *storage.Conn, authCode string) (*FlowExchange, error) {
	e := new(FlowExchange)
	err := c.Get(e, `select `+userWithRelations+`,`+flowStateJSON+` as flow
		from flow_state f join users u on u.id = f.user_id
		where f.auth_code = $1 and u.instance_id = '`+instanceID+`' and u.deleted_at is null`, authCode)
	return e, err
}

// RedeemFlow ends a flow and starts its session, in one conditional statement:
// of concurrent redemptions of a code exactly one gets true. The others do,
// and everybody does when the user is gone, get false.
func RedeemFlow(c *storage.Conn, flow FlowState, s NewSession, trail AuditTrail, now time.Time) (bool, error) {
	return applied(c, `with spent as (
		delete from flow_state where id = $4 and auth_code = $5 returning user_id),
		changed as (
		update users u set last_sign_in_at = $2::timestamptz, updated_at = $2::timestamptz
		  from spent where u.id = spent.user_id and u.deleted_at is null returning u.id),`+
		insertSession+`,`+insertAudit+` select 1 from changed limit 1`,
		trail.json(), now, mustJSON(s), flow.ID, flow.AuthCode)
}

// ContinuedFlow is how a link of a flow went.
type ContinuedFlow struct {
	// Spent is false when the link was spent meanwhile, and when AuthCode is
	// empty.
	Spent bool `db:"spent"`
	// AuthCode is the code of the flow, '' when the user has no such flow;
	// nothing has changed then.
	AuthCode string `db:"auth_code"`
}

// ContinueFlow spends a link of a flow: the address is confirmed as by
// RedeemOneTimeToken, but no session starts. Instead the code of the user's
// newest flow of a method is handed out. One conditional statement, so of two
// concurrent requests with one link exactly one is Spent.
func ContinueFlow(c *storage.Conn, n Redemption, method string, trail AuditTrail, now time.Time) (*ContinuedFlow, error) {
	column := string(n.Type)
	return continued(c, trail, `with flow as (
		select id, auth_code from flow_state
		 where user_id = $3 and authentication_method = $5 and auth_code <> ''
		 order by created_at desc limit 1 for update),
		changed as (
		update users set `+column+` = '', `+confirmAddress+`, updated_at = $2::timestamptz,
			encrypted_password = coalesce(nullif($6::text, ''), encrypted_password)
		 where id = $3 and `+column+` = any ($4) and exists (select from flow) returning id, email),`+
		confirmRelations+`,
		issued as (update flow_state set auth_code_issued_at = $2::timestamptz, updated_at = $2::timestamptz
		 where id = (select id from flow) and exists (select from changed)),`+
		insertAudit+`
		select exists (select from changed) as spent, coalesce((select auth_code from flow), '') as auth_code`,
		now, n.UserID, n.Hashes, method, n.PasswordHash)
}

// continued runs a statement that continues a flow, with the trail as its first
// argument. It has a row in any case, so the trail is told only if it was spent.
func continued(c *storage.Conn, trail AuditTrail, query string, args ...any) (*ContinuedFlow, error) {
	result := new(ContinuedFlow)
	audit := trail.json()
	logged, logOnly := audit.(loggedAudit)
	if logOnly {
		audit = noAudit
	}
	err := c.Get(result, query, append([]any{audit}, args...)...)
	if err == nil && logOnly && result.Spent {
		logged.Ran(c.Context())
	}
	return result, err
}

// SweepFlows removes flows that began before a time, a bounded number at a
// time. It returns how many.
func SweepFlows(c *storage.Conn, before time.Time) (int64, error) {
	return c.Exec(`delete from flow_state where id in (
		select id from flow_state where created_at < $1 limit $2 for update skip locked)`, before, sweepRows)
}
