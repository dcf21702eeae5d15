-- Clients from before the column: RFC 7591 section 2 has client_secret_basic
-- for a client that names no method; one without a secret has none to show.
call truegrant_column('oauth_clients', 'token_endpoint_auth_method', 'text', required => true,
  fill => $$case when client_type = 'public' then 'none' else 'client_secret_basic' end$$);
call truegrant_constraint('oauth_clients', 'oauth_clients_token_endpoint_auth_method_check',
  $$CHECK ((token_endpoint_auth_method = ANY (ARRAY['client_secret_basic'::text, 'client_secret_post'::text, 'none'::text])))$$);
