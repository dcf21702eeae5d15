call truegrant_index('refresh_tokens', 'refresh_tokens_instance_id_idx', 'btree (instance_id)');
call truegrant_index('refresh_tokens', 'refresh_tokens_instance_id_user_id_idx', 'btree (instance_id, user_id)');
call truegrant_index('refresh_tokens', 'refresh_tokens_parent_idx', 'btree (parent)');
call truegrant_index('refresh_tokens', 'refresh_tokens_session_id_revoked_idx', 'btree (session_id, revoked)');
call truegrant_index('refresh_tokens', 'refresh_tokens_updated_at_idx', 'btree (updated_at DESC)');

-- The unique constraint's index serves the same look-ups.
drop index if exists refresh_tokens_token_idx;
