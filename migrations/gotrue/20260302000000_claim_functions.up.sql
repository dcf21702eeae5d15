-- What row level security policies of other schemas ask about the caller. A
-- gateway passes a token's claims as one JSON object in request.jwt.claims;
-- older ones passed request.jwt.claim.<name> each, which win where present.
-- Missing and empty settings count as absent.
--
-- A function that reads request.jwt.claims is left alone: policies depend on
-- it and an operator may have made it say more.
do $do$
declare
  wanted record;
begin
  for wanted in
    select * from (values
      ('uid', 'uuid',
       $$coalesce(nullif(current_setting('request.jwt.claim.sub', true), ''),
                  nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub')::uuid$$,
       'The caller''s user id. Deprecated: read sub of jwt() instead.'),
      ('role', 'text',
       $$coalesce(nullif(current_setting('request.jwt.claim.role', true), ''),
                  nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'role')$$,
       'The caller''s role. Deprecated: read role of jwt() instead.'),
      ('email', 'text',
       $$coalesce(nullif(current_setting('request.jwt.claim.email', true), ''),
                  nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'email')$$,
       'The caller''s e-mail address. Deprecated: read email of jwt() instead.'),
      ('jwt', 'jsonb',
       $$coalesce(nullif(current_setting('request.jwt.claim', true), ''),
                  nullif(current_setting('request.jwt.claims', true), ''))::jsonb$$,
       'All claims of the caller''s token.')
    ) as f (name, result, body, meaning)
  loop
    continue when exists (
      select from pg_proc p join pg_language l on l.oid = p.prolang
       where p.pronamespace = current_schema()::regnamespace and p.proname = wanted.name and p.pronargs = 0
         and p.prosrc like '%request.jwt.claims%'
         and l.lanname = 'sql' and p.provolatile = 's' and not p.prosecdef and not p.proisstrict);
    execute format('create or replace function %I() returns %s language sql stable as %L',
      wanted.name, wanted.result, 'select ' || wanted.body);
    execute format('comment on function %I() is %L', wanted.name, wanted.meaning);
  end loop;
end $do$;
