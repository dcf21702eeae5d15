-- Before phone numbers, confirmed_at was the time an e-mail address was
-- confirmed, and an address change had one token, sent to the new address. The
-- columns live on under other names; their values must come along.
create table if not exists users ();
do $$
declare
  columns text[] := array(
    select attname::text from pg_attribute
     where attrelid = format('%I.users', current_schema())::regclass
       and attnum > 0 and not attisdropped and attgenerated = '');
begin
  if 'confirmed_at' = any (columns) and not 'email_confirmed_at' = any (columns) then
    alter table users rename column confirmed_at to email_confirmed_at;
  end if;
  if 'email_change_token' = any (columns) and not 'email_change_token_new' = any (columns) then
    alter table users rename column email_change_token to email_change_token_new;
  end if;
end $$;
