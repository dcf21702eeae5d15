call truegrant_constraint('one_time_tokens', 'one_time_tokens_pkey', 'PRIMARY KEY (id)');
call truegrant_constraint('one_time_tokens', 'one_time_tokens_user_id_fkey',
  'FOREIGN KEY (user_id) REFERENCES users(id) ON DELETE CASCADE');
call truegrant_constraint('one_time_tokens', 'one_time_tokens_token_hash_check', 'CHECK ((char_length(token_hash) > 0))');
call truegrant_index('one_time_tokens', 'one_time_tokens_user_id_token_type_key',
  'btree (user_id, token_type)', is_unique => true);
-- Servers that cannot have hash indexes were given btree ones; those stay.
call truegrant_index('one_time_tokens', 'one_time_tokens_token_hash_hash_idx',
  'hash (token_hash)', alternative => 'btree (token_hash)');
call truegrant_index('one_time_tokens', 'one_time_tokens_relates_to_hash_idx',
  'hash (relates_to)', alternative => 'btree (relates_to)');
