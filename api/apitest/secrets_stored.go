package apitest

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
)

// storedSecrets reads what a database holds that no log may repeat, digests
// too: whoever reads logs may not check guesses against them.
const storedSecrets = `select distinct v.column_name, v.value from (
	select 'users' as column_name, unnest(array[email, phone, encrypted_password, confirmation_token, recovery_token, email_change,
		email_change_token_new, email_change_token_current, phone_change, phone_change_token, reauthentication_token]) as value from users
	union all select 'identities', email from identities
	union all select 'one_time_tokens', token_hash from one_time_tokens
	union all select 'refresh_tokens', token from refresh_tokens
	union all select 'sessions', refresh_token_hmac_key from sessions
	union all select 'flow_state', auth_code from flow_state
	union all select 'mfa_factors', unnest(array[secret, phone]) from mfa_factors
	union all select 'mfa_challenges', otp_code from mfa_challenges
	union all select 'oauth_clients', client_secret_hash from oauth_clients
	union all select 'oauth_authorizations', unnest(array[authorization_id, authorization_code]) from oauth_authorizations
	union all select 'oauth_redeemed_codes', code_digest from oauth_redeemed_codes
	union all select 'truegrant_mfa_recovery_codes', unnest(salt || unspent) from truegrant_mfa_recovery_codes
	) v where length(v.value) >= 6 limit 2000`

// rememberStored adds what the database holds at the end of a test.
func (a *App) rememberStored(t testing.TB) {
	t.Helper()
	var rows []struct {
		Table string `db:"column_name"`
		Value string `db:"value"`
	}
	// The test's own context has ended.
	require.NoError(t, a.db.Conn(context.Background()).Select(&rows, storedSecrets))
	for _, row := range rows {
		a.secrets.remember(row.Value, "a row of "+row.Table)
	}
}
