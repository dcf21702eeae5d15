call truegrant_constraint('oauth_consents', 'oauth_consents_pkey', 'PRIMARY KEY (id)');
call truegrant_constraint('oauth_consents', 'oauth_consents_user_client_unique', 'UNIQUE (user_id, client_id)');
call truegrant_constraint('oauth_consents', 'oauth_consents_user_id_fkey',
  'FOREIGN KEY (user_id) REFERENCES users(id) ON DELETE CASCADE');
call truegrant_constraint('oauth_consents', 'oauth_consents_client_id_fkey',
  'FOREIGN KEY (client_id) REFERENCES oauth_clients(id) ON DELETE CASCADE');
call truegrant_constraint('oauth_consents', 'oauth_consents_revoked_after_granted',
  'CHECK (((revoked_at IS NULL) OR (revoked_at >= granted_at)))');
call truegrant_constraint('oauth_consents', 'oauth_consents_scopes_length', 'CHECK ((char_length(scopes) <= 2048))');
call truegrant_constraint('oauth_consents', 'oauth_consents_scopes_not_empty',
  'CHECK ((char_length(TRIM(BOTH FROM scopes)) > 0))');
