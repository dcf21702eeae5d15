call truegrant_constraint('flow_state', 'flow_state_pkey', 'PRIMARY KEY (id)');
call truegrant_index('flow_state', 'flow_state_created_at_idx', 'btree (created_at DESC)');
call truegrant_index('flow_state', 'idx_auth_code', 'btree (auth_code)');
call truegrant_index('flow_state', 'idx_user_id_auth_method', 'btree (user_id, authentication_method)');
