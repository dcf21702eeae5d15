call truegrant_index('identities', 'identities_email_idx', 'btree (email text_pattern_ops)');
call truegrant_index('identities', 'identities_user_id_idx', 'btree (user_id)');
