call truegrant_constraint('users', 'users_pkey', 'PRIMARY KEY (id)');
call truegrant_constraint('users', 'users_phone_key', 'UNIQUE (phone)');
call truegrant_constraint('users', 'users_email_change_confirm_status_check',
  'CHECK (((email_change_confirm_status >= 0) AND (email_change_confirm_status <= 2)))');

-- Addresses are unique among users who do not come from an SSO provider; a
-- unique constraint over all of them, as older schemas have it, is too strict.
call truegrant_index('users', 'users_email_partial_key', 'btree (email) WHERE is_sso_user = false', is_unique => true);
do $$
begin
  if exists (select from pg_constraint
              where conrelid = format('%I.users', current_schema())::regclass and conname = 'users_email_key') then
    alter table users drop constraint users_email_key;
  end if;
exception when dependent_objects_still_exist then
  raise warning 'constraint users_email_key stays: something depends on it';
end $$;
