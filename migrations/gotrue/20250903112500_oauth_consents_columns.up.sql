create table if not exists oauth_consents ();
call truegrant_column('oauth_consents', 'id', 'uuid', required => true);
call truegrant_column('oauth_consents', 'user_id', 'uuid', required => true);
call truegrant_column('oauth_consents', 'client_id', 'uuid', required => true);
call truegrant_column('oauth_consents', 'scopes', 'text', required => true);
call truegrant_column('oauth_consents', 'granted_at', 'timestamp with time zone',
  required => true, default_value => 'now()', fill => 'now()');
call truegrant_column('oauth_consents', 'revoked_at', 'timestamp with time zone');
