call truegrant_constraint('mfa_challenges', 'mfa_challenges_pkey', 'PRIMARY KEY (id)');
call truegrant_constraint('mfa_challenges', 'mfa_challenges_auth_factor_id_fkey',
  'FOREIGN KEY (factor_id) REFERENCES mfa_factors(id) ON DELETE CASCADE');
call truegrant_index('mfa_challenges', 'mfa_challenge_created_at_idx', 'btree (created_at DESC)');
