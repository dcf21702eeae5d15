call truegrant_constraint('custom_oauth_providers', 'custom_oauth_providers_pkey', 'PRIMARY KEY (id)');
call truegrant_constraint('custom_oauth_providers', 'custom_oauth_providers_identifier_key', 'UNIQUE (identifier)');
call truegrant_constraint('custom_oauth_providers', 'custom_oauth_providers_provider_type_check',
  $$CHECK ((provider_type = ANY (ARRAY['oauth2'::text, 'oidc'::text])))$$);
call truegrant_constraint('custom_oauth_providers', 'custom_oauth_providers_identifier_format',
  $$CHECK ((identifier ~ '^[a-z0-9][a-z0-9:-]{0,48}[a-z0-9]$'::text))$$);
call truegrant_constraint('custom_oauth_providers', 'custom_oauth_providers_name_length',
  'CHECK (((char_length(name) >= 1) AND (char_length(name) <= 100)))');
call truegrant_constraint('custom_oauth_providers', 'custom_oauth_providers_client_id_length',
  'CHECK (((char_length(client_id) >= 1) AND (char_length(client_id) <= 512)))');
call truegrant_constraint('custom_oauth_providers', 'custom_oauth_providers_oauth2_requires_endpoints',
  $$CHECK (((provider_type <> 'oauth2'::text) OR ((authorization_url IS NOT NULL) AND (token_url IS NOT NULL) AND (userinfo_url IS NOT NULL))))$$);
call truegrant_constraint('custom_oauth_providers', 'custom_oauth_providers_oidc_requires_issuer',
  $$CHECK (((provider_type <> 'oidc'::text) OR (issuer IS NOT NULL)))$$);
