-- The identifier at the provider used to be the column "id". It keeps its
-- values under a name of its own; rows get an id that is a UUID.
create table if not exists identities ();
do $$
declare
  identities regclass := format('%I.identities', current_schema())::regclass;
begin
  if exists (select from pg_attribute where attrelid = identities and attname = 'id'
                and not attisdropped and atttypid <> 'uuid'::regtype)
     and not exists (select from pg_attribute where attrelid = identities and attname = 'provider_id'
                        and not attisdropped) then
    alter table identities rename column id to provider_id;
  end if;
end $$;
