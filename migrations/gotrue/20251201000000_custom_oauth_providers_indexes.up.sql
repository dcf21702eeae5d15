call truegrant_index('custom_oauth_providers', 'custom_oauth_providers_identifier_idx', 'btree (identifier)');
call truegrant_index('custom_oauth_providers', 'custom_oauth_providers_provider_type_idx', 'btree (provider_type)');
call truegrant_index('custom_oauth_providers', 'custom_oauth_providers_enabled_idx', 'btree (enabled)');
call truegrant_index('custom_oauth_providers', 'custom_oauth_providers_created_at_idx', 'btree (created_at)');
