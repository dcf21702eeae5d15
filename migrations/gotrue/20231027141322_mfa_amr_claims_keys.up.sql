-- Despite its name the second one is not the primary key; GoTrue's upsert
-- refers to it by that name.
call truegrant_constraint('mfa_amr_claims', 'amr_id_pk', 'PRIMARY KEY (id)');
call truegrant_constraint('mfa_amr_claims', 'mfa_amr_claims_session_id_authentication_method_pkey',
  'UNIQUE (session_id, authentication_method)');
call truegrant_constraint('mfa_amr_claims', 'mfa_amr_claims_session_id_fkey',
  'FOREIGN KEY (session_id) REFERENCES sessions(id) ON DELETE CASCADE');
