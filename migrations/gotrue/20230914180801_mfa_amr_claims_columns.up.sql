create table if not exists mfa_amr_claims ();
call truegrant_column('mfa_amr_claims', 'session_id', 'uuid', required => true);
call truegrant_column('mfa_amr_claims', 'created_at', 'timestamp with time zone', required => true);
call truegrant_column('mfa_amr_claims', 'updated_at', 'timestamp with time zone', required => true);
call truegrant_column('mfa_amr_claims', 'authentication_method', 'text', required => true);
call truegrant_column('mfa_amr_claims', 'id', 'uuid', required => true, fill => 'gen_random_uuid()');
