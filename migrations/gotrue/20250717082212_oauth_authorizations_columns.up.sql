create table if not exists oauth_authorizations ();
call truegrant_column('oauth_authorizations', 'id', 'uuid', required => true);
call truegrant_column('oauth_authorizations', 'authorization_id', 'text', required => true);
call truegrant_column('oauth_authorizations', 'client_id', 'uuid', required => true);
call truegrant_column('oauth_authorizations', 'user_id', 'uuid');
call truegrant_column('oauth_authorizations', 'redirect_uri', 'text', required => true);
call truegrant_column('oauth_authorizations', 'scope', 'text', required => true);
call truegrant_column('oauth_authorizations', 'state', 'text');
call truegrant_column('oauth_authorizations', 'resource', 'text');
call truegrant_column('oauth_authorizations', 'code_challenge', 'text');
call truegrant_column('oauth_authorizations', 'code_challenge_method', 'code_challenge_method');
call truegrant_column('oauth_authorizations', 'response_type', 'oauth_response_type',
  required => true, default_value => $$'code'::oauth_response_type$$, fill => $$'code'$$);
call truegrant_column('oauth_authorizations', 'status', 'oauth_authorization_status',
  required => true, default_value => $$'pending'::oauth_authorization_status$$, fill => $$'expired'$$);
call truegrant_column('oauth_authorizations', 'authorization_code', 'text');
call truegrant_column('oauth_authorizations', 'created_at', 'timestamp with time zone',
  required => true, default_value => 'now()', fill => 'now()');
call truegrant_column('oauth_authorizations', 'expires_at', 'timestamp with time zone',
  required => true, default_value => $$(now() + '00:03:00'::interval)$$, fill => $$(now() + '00:03:00'::interval)$$);
call truegrant_column('oauth_authorizations', 'approved_at', 'timestamp with time zone');
call truegrant_column('oauth_authorizations', 'nonce', 'text');
