-- The tables' defaults use gen_random_uuid(), which PostgreSQL has of its own
-- from version 13; extensions are not wanted.
do $$
begin
  if current_setting('server_version_num')::int < 130000 then
    raise exception 'PostgreSQL 13 or newer is needed, this server is %', current_setting('server_version');
  end if;
end $$;
