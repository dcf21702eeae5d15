call truegrant_constraint('sessions', 'sessions_pkey', 'PRIMARY KEY (id)');
call truegrant_constraint('sessions', 'sessions_user_id_fkey',
  'FOREIGN KEY (user_id) REFERENCES users(id) ON DELETE CASCADE');
call truegrant_constraint('sessions', 'sessions_oauth_client_id_fkey',
  'FOREIGN KEY (oauth_client_id) REFERENCES oauth_clients(id) ON DELETE CASCADE');
call truegrant_constraint('sessions', 'sessions_scopes_length', 'CHECK ((char_length(scopes) <= 4096))');
