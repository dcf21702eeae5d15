-- Row level security without a policy: only the owner, which is this server,
-- sees rows. Tools of the role postgres may read. Tables that came later have
-- neither in GoTrue's schema; no other role is granted anything there.
do $$
declare
  protected regclass;
  reader_exists boolean := exists (select from pg_roles where rolname = 'postgres');
begin
  if not reader_exists then
    raise warning 'role postgres does not exist: it is not granted SELECT'
      using hint = 'If a tool needs it, create the role and grant it SELECT on the tables yourself.';
  end if;
  for protected in
    select format('%I.%I', current_schema(), name)::regclass
      from unnest(array[
        'audit_log_entries', 'flow_state', 'identities', 'instances', 'mfa_amr_claims',
        'mfa_challenges', 'mfa_factors', 'one_time_tokens', 'refresh_tokens', 'saml_providers',
        'saml_relay_states', 'schema_migrations', 'sessions', 'sso_domains', 'sso_providers', 'users'
      ]) as name
  loop
    if not (select relrowsecurity from pg_class where oid = protected) then
      execute format('alter table %s enable row level security', protected);
    end if;
    -- An owner needs no grant and cannot be given its own.
    if reader_exists and (select pg_get_userbyid(relowner) <> 'postgres' from pg_class where oid = protected) then
      execute format('grant select on %s to postgres with grant option', protected);
    end if;
  end loop;
end $$;
