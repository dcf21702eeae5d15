create table if not exists saml_relay_states ();
call truegrant_column('saml_relay_states', 'id', 'uuid', required => true);
call truegrant_column('saml_relay_states', 'sso_provider_id', 'uuid', required => true);
call truegrant_column('saml_relay_states', 'request_id', 'text', required => true);
call truegrant_column('saml_relay_states', 'for_email', 'text');
call truegrant_column('saml_relay_states', 'redirect_to', 'text');
call truegrant_column('saml_relay_states', 'created_at', 'timestamp with time zone');
call truegrant_column('saml_relay_states', 'updated_at', 'timestamp with time zone');
call truegrant_column('saml_relay_states', 'flow_state_id', 'uuid');

-- GoTrue cannot read NULL in these; a state of unknown age has expired.
update saml_relay_states
   set redirect_to = coalesce(redirect_to, ''),
       created_at = coalesce(created_at, to_timestamp(0)),
       updated_at = coalesce(updated_at, created_at, to_timestamp(0))
 where redirect_to is null or created_at is null or updated_at is null;

-- Client addresses that nothing has read for years (the rows live minutes).
do $$
begin
  if exists (select from pg_attribute
              where attrelid = format('%I.saml_relay_states', current_schema())::regclass
                and attname = 'from_ip_address' and not attisdropped) then
    alter table saml_relay_states drop column from_ip_address;
  end if;
end $$;
