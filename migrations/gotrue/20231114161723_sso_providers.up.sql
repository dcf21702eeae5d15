create table if not exists sso_providers ();
call truegrant_column('sso_providers', 'id', 'uuid', required => true);
call truegrant_column('sso_providers', 'resource_id', 'text');
call truegrant_column('sso_providers', 'created_at', 'timestamp with time zone');
call truegrant_column('sso_providers', 'updated_at', 'timestamp with time zone');
call truegrant_column('sso_providers', 'disabled', 'boolean');
update sso_providers
   set created_at = coalesce(created_at, updated_at, now()),
       updated_at = coalesce(updated_at, created_at, now())
 where created_at is null or updated_at is null;

call truegrant_constraint('sso_providers', 'sso_providers_pkey', 'PRIMARY KEY (id)');
-- "= NULL" is never true, so this check refuses nothing. It is GoTrue's: a
-- stricter one could stop GoTrue from writing.
call truegrant_constraint('sso_providers', 'resource_id not empty',
  'CHECK (((resource_id = NULL::text) OR (char_length(resource_id) > 0)))');
call truegrant_index('sso_providers', 'sso_providers_resource_id_idx', 'btree (lower(resource_id))', is_unique => true);
call truegrant_index('sso_providers', 'sso_providers_resource_id_pattern_idx', 'btree (resource_id text_pattern_ops)');
