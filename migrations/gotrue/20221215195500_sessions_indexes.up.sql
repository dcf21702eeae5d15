call truegrant_index('sessions', 'sessions_user_id_idx', 'btree (user_id)');
call truegrant_index('sessions', 'user_id_created_at_idx', 'btree (user_id, created_at)');
call truegrant_index('sessions', 'sessions_not_after_idx', 'btree (not_after DESC)');
call truegrant_index('sessions', 'sessions_oauth_client_id_idx', 'btree (oauth_client_id)');
