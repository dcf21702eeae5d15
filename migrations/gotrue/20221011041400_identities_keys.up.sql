call truegrant_constraint('identities', 'identities_pkey', 'PRIMARY KEY (id)');
call truegrant_constraint('identities', 'identities_provider_id_provider_unique', 'UNIQUE (provider_id, provider)');
call truegrant_constraint('identities', 'identities_user_id_fkey',
  'FOREIGN KEY (user_id) REFERENCES users(id) ON DELETE CASCADE');
