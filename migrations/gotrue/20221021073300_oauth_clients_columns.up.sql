create table if not exists oauth_clients ();
call truegrant_column('oauth_clients', 'id', 'uuid', required => true);
call truegrant_column('oauth_clients', 'client_secret_hash', 'text');
call truegrant_column('oauth_clients', 'registration_type', 'oauth_registration_type', required => true);
call truegrant_column('oauth_clients', 'redirect_uris', 'text', required => true);
call truegrant_column('oauth_clients', 'grant_types', 'text', required => true);
call truegrant_column('oauth_clients', 'client_name', 'text');
call truegrant_column('oauth_clients', 'client_uri', 'text');
call truegrant_column('oauth_clients', 'logo_uri', 'text');
call truegrant_column('oauth_clients', 'created_at', 'timestamp with time zone',
  required => true, default_value => 'now()', fill => 'now()');
call truegrant_column('oauth_clients', 'updated_at', 'timestamp with time zone',
  required => true, default_value => 'now()', fill => 'now()');
call truegrant_column('oauth_clients', 'deleted_at', 'timestamp with time zone');
call truegrant_column('oauth_clients', 'client_type', 'oauth_client_type',
  required => true, default_value => $$'confidential'::oauth_client_type$$, fill => $$'confidential'$$);

-- A client without a secret has an empty hash: NULL cannot be read by GoTrue.
update oauth_clients set client_secret_hash = '' where client_secret_hash is null;

-- Releases from the time when the table was young knew the client by a second
-- name; where such a column is left over, new clients must do without a value.
do $$
declare
  leftover text;
begin
  select attname into leftover from pg_attribute
   where attrelid = format('%I.oauth_clients', current_schema())::regclass
     and attname = 'client_id' and not attisdropped and attnotnull and not atthasdef;
  if found then
    alter table oauth_clients alter column client_id drop not null;
  end if;
end $$;
