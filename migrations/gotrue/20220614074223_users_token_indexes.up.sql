-- A token hash belongs to one user. Empty columns and plain digit codes (of
-- releases that stored them so) are not hashes and may repeat.
call truegrant_index('users', 'confirmation_token_idx', 
  $$btree (confirmation_token) WHERE confirmation_token::text !~ '^[0-9 ]*$'::text$$, is_unique => true);
call truegrant_index('users', 'recovery_token_idx', 
  $$btree (recovery_token) WHERE recovery_token::text !~ '^[0-9 ]*$'::text$$, is_unique => true);
call truegrant_index('users', 'email_change_token_current_idx', 
  $$btree (email_change_token_current) WHERE email_change_token_current::text !~ '^[0-9 ]*$'::text$$, is_unique => true);
call truegrant_index('users', 'email_change_token_new_idx', 
  $$btree (email_change_token_new) WHERE email_change_token_new::text !~ '^[0-9 ]*$'::text$$, is_unique => true);
call truegrant_index('users', 'reauthentication_token_idx', 
  $$btree (reauthentication_token) WHERE reauthentication_token::text !~ '^[0-9 ]*$'::text$$, is_unique => true);
