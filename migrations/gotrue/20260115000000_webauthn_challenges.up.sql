create table if not exists webauthn_challenges ();
call truegrant_column('webauthn_challenges', 'id', 'uuid',
  required => true, default_value => 'gen_random_uuid()', fill => 'gen_random_uuid()');
call truegrant_column('webauthn_challenges', 'user_id', 'uuid');
call truegrant_column('webauthn_challenges', 'challenge_type', 'text', required => true);
call truegrant_column('webauthn_challenges', 'session_data', 'jsonb', required => true);
call truegrant_column('webauthn_challenges', 'created_at', 'timestamp with time zone',
  required => true, default_value => 'now()', fill => 'now()');
call truegrant_column('webauthn_challenges', 'expires_at', 'timestamp with time zone', required => true);
call truegrant_constraint('webauthn_challenges', 'webauthn_challenges_pkey', 'PRIMARY KEY (id)');
call truegrant_constraint('webauthn_challenges', 'webauthn_challenges_user_id_fkey',
  'FOREIGN KEY (user_id) REFERENCES users(id) ON DELETE CASCADE');
call truegrant_constraint('webauthn_challenges', 'webauthn_challenges_challenge_type_check',
  $$CHECK ((challenge_type = ANY (ARRAY['signup'::text, 'registration'::text, 'authentication'::text])))$$);
call truegrant_index('webauthn_challenges', 'webauthn_challenges_expires_at_idx', 'btree (expires_at)');
call truegrant_index('webauthn_challenges', 'webauthn_challenges_user_id_idx', 'btree (user_id)');
