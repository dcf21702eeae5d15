call truegrant_constraint('refresh_tokens', 'refresh_tokens_pkey', 'PRIMARY KEY (id)');
call truegrant_constraint('refresh_tokens', 'refresh_tokens_token_unique', 'UNIQUE (token)');
call truegrant_constraint('refresh_tokens', 'refresh_tokens_session_id_fkey',
  'FOREIGN KEY (session_id) REFERENCES sessions(id) ON DELETE CASCADE');
