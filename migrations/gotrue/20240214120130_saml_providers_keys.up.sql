call truegrant_constraint('saml_providers', 'saml_providers_pkey', 'PRIMARY KEY (id)');
call truegrant_constraint('saml_providers', 'saml_providers_entity_id_key', 'UNIQUE (entity_id)');
call truegrant_constraint('saml_providers', 'saml_providers_sso_provider_id_fkey',
  'FOREIGN KEY (sso_provider_id) REFERENCES sso_providers(id) ON DELETE CASCADE');
call truegrant_constraint('saml_providers', 'entity_id not empty', 'CHECK ((char_length(entity_id) > 0))');
-- Refuses nothing, as "resource_id not empty" of sso_providers.
call truegrant_constraint('saml_providers', 'metadata_url not empty',
  'CHECK (((metadata_url = NULL::text) OR (char_length(metadata_url) > 0)))');
call truegrant_constraint('saml_providers', 'metadata_xml not empty', 'CHECK ((char_length(metadata_xml) > 0))');
call truegrant_index('saml_providers', 'saml_providers_sso_provider_id_idx', 'btree (sso_provider_id)');
