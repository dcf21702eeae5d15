create table if not exists sso_domains ();
call truegrant_column('sso_domains', 'id', 'uuid', required => true);
call truegrant_column('sso_domains', 'sso_provider_id', 'uuid', required => true);
call truegrant_column('sso_domains', 'domain', 'text', required => true);
call truegrant_column('sso_domains', 'created_at', 'timestamp with time zone');
call truegrant_column('sso_domains', 'updated_at', 'timestamp with time zone');
update sso_domains
   set created_at = coalesce(created_at, updated_at, now()),
       updated_at = coalesce(updated_at, created_at, now())
 where created_at is null or updated_at is null;

call truegrant_constraint('sso_domains', 'sso_domains_pkey', 'PRIMARY KEY (id)');
call truegrant_constraint('sso_domains', 'sso_domains_sso_provider_id_fkey',
  'FOREIGN KEY (sso_provider_id) REFERENCES sso_providers(id) ON DELETE CASCADE');
call truegrant_constraint('sso_domains', 'domain not empty', 'CHECK ((char_length(domain) > 0))');
call truegrant_index('sso_domains', 'sso_domains_domain_idx', 'btree (lower(domain))', is_unique => true);
call truegrant_index('sso_domains', 'sso_domains_sso_provider_id_idx', 'btree (sso_provider_id)');
