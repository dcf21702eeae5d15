create table if not exists mfa_factors ();
call truegrant_column('mfa_factors', 'id', 'uuid', required => true);
call truegrant_column('mfa_factors', 'user_id', 'uuid', required => true);
call truegrant_column('mfa_factors', 'friendly_name', 'text');
call truegrant_column('mfa_factors', 'factor_type', 'factor_type', required => true);
call truegrant_column('mfa_factors', 'status', 'factor_status', required => true);
call truegrant_column('mfa_factors', 'created_at', 'timestamp with time zone', required => true);
call truegrant_column('mfa_factors', 'updated_at', 'timestamp with time zone', required => true);
call truegrant_column('mfa_factors', 'secret', 'text');
call truegrant_column('mfa_factors', 'phone', 'text');
call truegrant_column('mfa_factors', 'last_challenged_at', 'timestamp with time zone');
call truegrant_column('mfa_factors', 'web_authn_credential', 'jsonb');
call truegrant_column('mfa_factors', 'web_authn_aaguid', 'uuid');
call truegrant_column('mfa_factors', 'last_webauthn_challenge_data', 'jsonb');

-- GoTrue cannot read NULL in these.
update mfa_factors
   set friendly_name = coalesce(friendly_name, ''), secret = coalesce(secret, '')
 where friendly_name is null or secret is null;
