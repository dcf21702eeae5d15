call truegrant_constraint('oauth_authorizations', 'oauth_authorizations_expires_at_future',
  'CHECK ((expires_at > created_at))');
call truegrant_constraint('oauth_authorizations', 'oauth_authorizations_redirect_uri_length',
  'CHECK ((char_length(redirect_uri) <= 2048))');
call truegrant_constraint('oauth_authorizations', 'oauth_authorizations_scope_length',
  'CHECK ((char_length(scope) <= 4096))');
call truegrant_constraint('oauth_authorizations', 'oauth_authorizations_state_length',
  'CHECK ((char_length(state) <= 4096))');
call truegrant_constraint('oauth_authorizations', 'oauth_authorizations_resource_length',
  'CHECK ((char_length(resource) <= 2048))');
call truegrant_constraint('oauth_authorizations', 'oauth_authorizations_code_challenge_length',
  'CHECK ((char_length(code_challenge) <= 128))');
call truegrant_constraint('oauth_authorizations', 'oauth_authorizations_authorization_code_length',
  'CHECK ((char_length(authorization_code) <= 255))');
call truegrant_constraint('oauth_authorizations', 'oauth_authorizations_nonce_length',
  'CHECK ((char_length(nonce) <= 255))');
