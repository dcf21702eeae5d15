create table if not exists refresh_tokens ();
call truegrant_column('refresh_tokens', 'instance_id', 'uuid');
do $$
begin
  if to_regclass(format('%I.refresh_tokens_id_seq', current_schema())) is null then
    create sequence refresh_tokens_id_seq as bigint;
  elsif (select seqtypid from pg_sequence
          where seqrelid = format('%I.refresh_tokens_id_seq', current_schema())::regclass) <> 'bigint'::regtype then
    alter sequence refresh_tokens_id_seq as bigint;
  end if;
end $$;
call truegrant_column('refresh_tokens', 'id', 'bigint',
  required => true, default_value => $$nextval('refresh_tokens_id_seq'::regclass)$$);
alter sequence refresh_tokens_id_seq owned by refresh_tokens.id;
call truegrant_column('refresh_tokens', 'token', 'character varying(255)');
call truegrant_column('refresh_tokens', 'user_id', 'character varying(255)');
call truegrant_column('refresh_tokens', 'revoked', 'boolean');
call truegrant_column('refresh_tokens', 'created_at', 'timestamp with time zone');
call truegrant_column('refresh_tokens', 'updated_at', 'timestamp with time zone');
call truegrant_column('refresh_tokens', 'parent', 'character varying(255)');
call truegrant_column('refresh_tokens', 'session_id', 'uuid');
