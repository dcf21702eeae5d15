call truegrant_column('identities', 'provider_id', 'text', required => true);
call truegrant_column('identities', 'user_id', 'uuid', required => true);
call truegrant_column('identities', 'identity_data', 'jsonb', required => true);
call truegrant_column('identities', 'provider', 'text', required => true);
call truegrant_column('identities', 'last_sign_in_at', 'timestamp with time zone');
call truegrant_column('identities', 'created_at', 'timestamp with time zone');
call truegrant_column('identities', 'updated_at', 'timestamp with time zone');
call truegrant_generated('identities', 'email', 'text', $$lower((identity_data ->> 'email'::text))$$);
call truegrant_column('identities', 'id', 'uuid',
  required => true, default_value => 'gen_random_uuid()', fill => 'gen_random_uuid()');
