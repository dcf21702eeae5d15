call truegrant_index('users', 'users_instance_id_idx', 'btree (instance_id)');
call truegrant_index('users', 'users_instance_id_email_idx', 'btree (instance_id, lower(email::text))');
call truegrant_index('users', 'users_is_anonymous_idx', 'btree (is_anonymous)');
