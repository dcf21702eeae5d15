call truegrant_constraint('custom_oauth_providers', 'custom_oauth_providers_authorization_url_https',
  $$CHECK (((authorization_url IS NULL) OR (authorization_url ~~ 'https://%'::text)))$$);
call truegrant_constraint('custom_oauth_providers', 'custom_oauth_providers_token_url_https',
  $$CHECK (((token_url IS NULL) OR (token_url ~~ 'https://%'::text)))$$);
call truegrant_constraint('custom_oauth_providers', 'custom_oauth_providers_userinfo_url_https',
  $$CHECK (((userinfo_url IS NULL) OR (userinfo_url ~~ 'https://%'::text)))$$);
call truegrant_constraint('custom_oauth_providers', 'custom_oauth_providers_jwks_uri_https',
  $$CHECK (((jwks_uri IS NULL) OR (jwks_uri ~~ 'https://%'::text)))$$);
call truegrant_constraint('custom_oauth_providers', 'custom_oauth_providers_oidc_issuer_https',
  $$CHECK (((provider_type <> 'oidc'::text) OR (issuer IS NULL) OR (issuer ~~ 'https://%'::text)))$$);
call truegrant_constraint('custom_oauth_providers', 'custom_oauth_providers_oidc_discovery_url_https',
  $$CHECK (((provider_type <> 'oidc'::text) OR (discovery_url IS NULL) OR (discovery_url ~~ 'https://%'::text)))$$);
call truegrant_constraint('custom_oauth_providers', 'custom_oauth_providers_issuer_length',
  'CHECK (((issuer IS NULL) OR ((char_length(issuer) >= 1) AND (char_length(issuer) <= 2048))))');
call truegrant_constraint('custom_oauth_providers', 'custom_oauth_providers_discovery_url_length',
  'CHECK (((discovery_url IS NULL) OR (char_length(discovery_url) <= 2048)))');
call truegrant_constraint('custom_oauth_providers', 'custom_oauth_providers_authorization_url_length',
  'CHECK (((authorization_url IS NULL) OR (char_length(authorization_url) <= 2048)))');
call truegrant_constraint('custom_oauth_providers', 'custom_oauth_providers_token_url_length',
  'CHECK (((token_url IS NULL) OR (char_length(token_url) <= 2048)))');
call truegrant_constraint('custom_oauth_providers', 'custom_oauth_providers_userinfo_url_length',
  'CHECK (((userinfo_url IS NULL) OR (char_length(userinfo_url) <= 2048)))');
call truegrant_constraint('custom_oauth_providers', 'custom_oauth_providers_jwks_uri_length',
  'CHECK (((jwks_uri IS NULL) OR (char_length(jwks_uri) <= 2048)))');
