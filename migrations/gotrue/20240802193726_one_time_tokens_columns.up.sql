create table if not exists one_time_tokens ();
call truegrant_column('one_time_tokens', 'id', 'uuid', required => true);
call truegrant_column('one_time_tokens', 'user_id', 'uuid', required => true);
call truegrant_column('one_time_tokens', 'token_type', 'one_time_token_type', required => true);
call truegrant_column('one_time_tokens', 'token_hash', 'text', required => true);
call truegrant_column('one_time_tokens', 'relates_to', 'text', required => true);
call truegrant_column('one_time_tokens', 'created_at', 'timestamp without time zone',
  required => true, default_value => 'now()', fill => 'now()');
call truegrant_column('one_time_tokens', 'updated_at', 'timestamp without time zone',
  required => true, default_value => 'now()', fill => 'now()');
