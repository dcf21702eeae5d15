call truegrant_column('users', 'email_change_token_current', 'character varying(255)',
  default_value => $$''::character varying$$);
call truegrant_column('users', 'email_change_confirm_status', 'smallint', default_value => '0');
call truegrant_column('users', 'banned_until', 'timestamp with time zone');
call truegrant_column('users', 'reauthentication_token', 'character varying(255)',
  default_value => $$''::character varying$$);
call truegrant_column('users', 'reauthentication_sent_at', 'timestamp with time zone');
call truegrant_column('users', 'is_sso_user', 'boolean', required => true, default_value => 'false', fill => 'false');
call truegrant_column('users', 'deleted_at', 'timestamp with time zone');
call truegrant_column('users', 'is_anonymous', 'boolean', required => true, default_value => 'false', fill => 'false');
