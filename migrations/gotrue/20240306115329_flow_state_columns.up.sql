create table if not exists flow_state ();
call truegrant_column('flow_state', 'id', 'uuid', required => true);
call truegrant_column('flow_state', 'user_id', 'uuid');
call truegrant_column('flow_state', 'auth_code', 'text');
call truegrant_column('flow_state', 'code_challenge_method', 'code_challenge_method');
call truegrant_column('flow_state', 'code_challenge', 'text');
call truegrant_column('flow_state', 'provider_type', 'text', required => true);
call truegrant_column('flow_state', 'provider_access_token', 'text');
call truegrant_column('flow_state', 'provider_refresh_token', 'text');
call truegrant_column('flow_state', 'created_at', 'timestamp with time zone');
call truegrant_column('flow_state', 'updated_at', 'timestamp with time zone');
call truegrant_column('flow_state', 'authentication_method', 'text', required => true);
call truegrant_column('flow_state', 'auth_code_issued_at', 'timestamp with time zone');
call truegrant_column('flow_state', 'invite_token', 'text');
call truegrant_column('flow_state', 'referrer', 'text');
call truegrant_column('flow_state', 'oauth_client_state_id', 'uuid');
call truegrant_column('flow_state', 'linking_target_id', 'uuid');
call truegrant_column('flow_state', 'email_optional', 'boolean',
  required => true, default_value => 'false', fill => 'false');
