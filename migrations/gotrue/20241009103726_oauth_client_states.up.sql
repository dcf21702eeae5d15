create table if not exists oauth_client_states ();
call truegrant_column('oauth_client_states', 'id', 'uuid', required => true);
call truegrant_column('oauth_client_states', 'provider_type', 'text', required => true);
call truegrant_column('oauth_client_states', 'code_verifier', 'text');
call truegrant_column('oauth_client_states', 'created_at', 'timestamp with time zone', required => true);
call truegrant_constraint('oauth_client_states', 'oauth_client_states_pkey', 'PRIMARY KEY (id)');
call truegrant_index('oauth_client_states', 'idx_oauth_client_states_created_at', 'btree (created_at)');
