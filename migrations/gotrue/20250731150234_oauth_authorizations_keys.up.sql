call truegrant_constraint('oauth_authorizations', 'oauth_authorizations_pkey', 'PRIMARY KEY (id)');
call truegrant_constraint('oauth_authorizations', 'oauth_authorizations_authorization_id_key',
  'UNIQUE (authorization_id)');
call truegrant_constraint('oauth_authorizations', 'oauth_authorizations_authorization_code_key',
  'UNIQUE (authorization_code)');
call truegrant_constraint('oauth_authorizations', 'oauth_authorizations_client_id_fkey',
  'FOREIGN KEY (client_id) REFERENCES oauth_clients(id) ON DELETE CASCADE');
call truegrant_constraint('oauth_authorizations', 'oauth_authorizations_user_id_fkey',
  'FOREIGN KEY (user_id) REFERENCES users(id) ON DELETE CASCADE');
