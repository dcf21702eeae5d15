call truegrant_constraint('mfa_factors', 'mfa_factors_pkey', 'PRIMARY KEY (id)');
call truegrant_constraint('mfa_factors', 'mfa_factors_last_challenged_at_key', 'UNIQUE (last_challenged_at)');
call truegrant_constraint('mfa_factors', 'mfa_factors_user_id_fkey',
  'FOREIGN KEY (user_id) REFERENCES users(id) ON DELETE CASCADE');
