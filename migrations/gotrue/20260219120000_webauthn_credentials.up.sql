create table if not exists webauthn_credentials ();
call truegrant_column('webauthn_credentials', 'id', 'uuid',
  required => true, default_value => 'gen_random_uuid()', fill => 'gen_random_uuid()');
call truegrant_column('webauthn_credentials', 'user_id', 'uuid', required => true);
call truegrant_column('webauthn_credentials', 'credential_id', 'bytea', required => true);
call truegrant_column('webauthn_credentials', 'public_key', 'bytea', required => true);
call truegrant_column('webauthn_credentials', 'attestation_type', 'text',
  required => true, default_value => $$''::text$$, fill => $$''::text$$);
call truegrant_column('webauthn_credentials', 'aaguid', 'uuid');
call truegrant_column('webauthn_credentials', 'sign_count', 'bigint',
  required => true, default_value => '0', fill => '0');
call truegrant_column('webauthn_credentials', 'transports', 'jsonb',
  required => true, default_value => $$'[]'::jsonb$$, fill => $$'[]'::jsonb$$);
call truegrant_column('webauthn_credentials', 'backup_eligible', 'boolean',
  required => true, default_value => 'false', fill => 'false');
call truegrant_column('webauthn_credentials', 'backed_up', 'boolean',
  required => true, default_value => 'false', fill => 'false');
call truegrant_column('webauthn_credentials', 'friendly_name', 'text',
  required => true, default_value => $$''::text$$, fill => $$''::text$$);
call truegrant_column('webauthn_credentials', 'created_at', 'timestamp with time zone',
  required => true, default_value => 'now()', fill => 'now()');
call truegrant_column('webauthn_credentials', 'updated_at', 'timestamp with time zone',
  required => true, default_value => 'now()', fill => 'now()');
call truegrant_column('webauthn_credentials', 'last_used_at', 'timestamp with time zone');
call truegrant_constraint('webauthn_credentials', 'webauthn_credentials_pkey', 'PRIMARY KEY (id)');
call truegrant_constraint('webauthn_credentials', 'webauthn_credentials_user_id_fkey',
  'FOREIGN KEY (user_id) REFERENCES users(id) ON DELETE CASCADE');
call truegrant_index('webauthn_credentials', 'webauthn_credentials_credential_id_key',
  'btree (credential_id)', is_unique => true);
call truegrant_index('webauthn_credentials', 'webauthn_credentials_user_id_idx', 'btree (user_id)');
