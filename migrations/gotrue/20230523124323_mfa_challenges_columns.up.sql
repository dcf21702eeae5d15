create table if not exists mfa_challenges ();
call truegrant_column('mfa_challenges', 'id', 'uuid', required => true);
call truegrant_column('mfa_challenges', 'factor_id', 'uuid', required => true);
call truegrant_column('mfa_challenges', 'created_at', 'timestamp with time zone', required => true);
call truegrant_column('mfa_challenges', 'verified_at', 'timestamp with time zone');
call truegrant_column('mfa_challenges', 'ip_address', 'inet', required => true);
call truegrant_column('mfa_challenges', 'otp_code', 'text');
call truegrant_column('mfa_challenges', 'web_authn_session_data', 'jsonb');

-- GoTrue cannot read NULL here; an empty code matches nothing.
update mfa_challenges set otp_code = '' where otp_code is null;
