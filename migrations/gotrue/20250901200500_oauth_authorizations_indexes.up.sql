call truegrant_index('oauth_authorizations', 'oauth_auth_pending_exp_idx',
  $$btree (expires_at) WHERE status = 'pending'::oauth_authorization_status$$);
