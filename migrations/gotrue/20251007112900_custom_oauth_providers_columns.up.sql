create table if not exists custom_oauth_providers ();
call truegrant_column('custom_oauth_providers', 'id', 'uuid',
  required => true, default_value => 'gen_random_uuid()', fill => 'gen_random_uuid()');
call truegrant_column('custom_oauth_providers', 'provider_type', 'text', required => true);
call truegrant_column('custom_oauth_providers', 'identifier', 'text', required => true);
call truegrant_column('custom_oauth_providers', 'name', 'text', required => true);
call truegrant_column('custom_oauth_providers', 'client_id', 'text', required => true);
call truegrant_column('custom_oauth_providers', 'client_secret', 'text', required => true);
call truegrant_column('custom_oauth_providers', 'acceptable_client_ids', 'text[]',
  required => true, default_value => $$'{}'::text[]$$, fill => $$'{}'::text[]$$);
call truegrant_column('custom_oauth_providers', 'scopes', 'text[]',
  required => true, default_value => $$'{}'::text[]$$, fill => $$'{}'::text[]$$);
call truegrant_column('custom_oauth_providers', 'pkce_enabled', 'boolean',
  required => true, default_value => 'true', fill => 'true');
call truegrant_column('custom_oauth_providers', 'attribute_mapping', 'jsonb',
  required => true, default_value => $$'{}'::jsonb$$, fill => $$'{}'::jsonb$$);
call truegrant_column('custom_oauth_providers', 'authorization_params', 'jsonb',
  required => true, default_value => $$'{}'::jsonb$$, fill => $$'{}'::jsonb$$);
call truegrant_column('custom_oauth_providers', 'enabled', 'boolean',
  required => true, default_value => 'true', fill => 'true');
call truegrant_column('custom_oauth_providers', 'email_optional', 'boolean',
  required => true, default_value => 'false', fill => 'false');
call truegrant_column('custom_oauth_providers', 'issuer', 'text');
call truegrant_column('custom_oauth_providers', 'discovery_url', 'text');
call truegrant_column('custom_oauth_providers', 'skip_nonce_check', 'boolean',
  required => true, default_value => 'false', fill => 'false');
call truegrant_column('custom_oauth_providers', 'cached_discovery', 'jsonb');
call truegrant_column('custom_oauth_providers', 'discovery_cached_at', 'timestamp with time zone');
call truegrant_column('custom_oauth_providers', 'authorization_url', 'text');
call truegrant_column('custom_oauth_providers', 'token_url', 'text');
call truegrant_column('custom_oauth_providers', 'userinfo_url', 'text');
call truegrant_column('custom_oauth_providers', 'jwks_uri', 'text');
call truegrant_column('custom_oauth_providers', 'created_at', 'timestamp with time zone',
  required => true, default_value => 'now()', fill => 'now()');
call truegrant_column('custom_oauth_providers', 'updated_at', 'timestamp with time zone',
  required => true, default_value => 'now()', fill => 'now()');
call truegrant_column('custom_oauth_providers', 'custom_claims_allowlist', 'text[]',
  required => true, default_value => $$'{}'::text[]$$, fill => $$'{}'::text[]$$);
