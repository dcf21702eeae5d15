create table if not exists saml_providers ();
call truegrant_column('saml_providers', 'id', 'uuid', required => true);
call truegrant_column('saml_providers', 'sso_provider_id', 'uuid', required => true);
call truegrant_column('saml_providers', 'entity_id', 'text', required => true);
call truegrant_column('saml_providers', 'metadata_xml', 'text', required => true);
call truegrant_column('saml_providers', 'metadata_url', 'text');
call truegrant_column('saml_providers', 'attribute_mapping', 'jsonb');
call truegrant_column('saml_providers', 'created_at', 'timestamp with time zone');
call truegrant_column('saml_providers', 'updated_at', 'timestamp with time zone');
call truegrant_column('saml_providers', 'name_id_format', 'text');

-- GoTrue cannot read NULL in these. updated_at is the age of the metadata: an
-- unknown age has them fetched again.
update saml_providers
   set attribute_mapping = coalesce(attribute_mapping, '{}'),
       created_at = coalesce(created_at, updated_at, to_timestamp(0)),
       updated_at = coalesce(updated_at, created_at, to_timestamp(0))
 where attribute_mapping is null or created_at is null or updated_at is null;
