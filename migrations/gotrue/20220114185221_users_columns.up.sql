call truegrant_column('users', 'instance_id', 'uuid');
call truegrant_column('users', 'id', 'uuid', required => true);
call truegrant_column('users', 'aud', 'character varying(255)');
call truegrant_column('users', 'role', 'character varying(255)');
call truegrant_column('users', 'email', 'character varying(255)');
call truegrant_column('users', 'encrypted_password', 'character varying(255)');
call truegrant_column('users', 'email_confirmed_at', 'timestamp with time zone');
call truegrant_column('users', 'invited_at', 'timestamp with time zone');
call truegrant_column('users', 'confirmation_token', 'character varying(255)');
call truegrant_column('users', 'confirmation_sent_at', 'timestamp with time zone');
call truegrant_column('users', 'recovery_token', 'character varying(255)');
call truegrant_column('users', 'recovery_sent_at', 'timestamp with time zone');
call truegrant_column('users', 'email_change_token_new', 'character varying(255)');
call truegrant_column('users', 'email_change', 'character varying(255)');
call truegrant_column('users', 'email_change_sent_at', 'timestamp with time zone');
call truegrant_column('users', 'last_sign_in_at', 'timestamp with time zone');
call truegrant_column('users', 'raw_app_meta_data', 'jsonb');
call truegrant_column('users', 'raw_user_meta_data', 'jsonb');
call truegrant_column('users', 'is_super_admin', 'boolean');
call truegrant_column('users', 'created_at', 'timestamp with time zone');
call truegrant_column('users', 'updated_at', 'timestamp with time zone');
call truegrant_column('users', 'phone', 'text',
  default_value => 'NULL::character varying', keep_if_used => true);
call truegrant_column('users', 'phone_confirmed_at', 'timestamp with time zone');
call truegrant_column('users', 'phone_change', 'text',
  default_value => $$''::character varying$$, keep_if_used => true);
call truegrant_column('users', 'phone_change_token', 'character varying(255)',
  default_value => $$''::character varying$$);
call truegrant_column('users', 'phone_change_sent_at', 'timestamp with time zone');
