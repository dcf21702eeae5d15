call truegrant_constraint('oauth_clients', 'oauth_clients_pkey', 'PRIMARY KEY (id)');
call truegrant_constraint('oauth_clients', 'oauth_clients_client_name_length',
  'CHECK ((char_length(client_name) <= 1024))');
call truegrant_constraint('oauth_clients', 'oauth_clients_client_uri_length',
  'CHECK ((char_length(client_uri) <= 2048))');
call truegrant_constraint('oauth_clients', 'oauth_clients_logo_uri_length',
  'CHECK ((char_length(logo_uri) <= 2048))');
call truegrant_index('oauth_clients', 'oauth_clients_deleted_at_idx', 'btree (deleted_at)');
