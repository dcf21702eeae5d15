call truegrant_index('oauth_consents', 'oauth_consents_active_client_idx',
  'btree (client_id) WHERE revoked_at IS NULL');
call truegrant_index('oauth_consents', 'oauth_consents_active_user_client_idx',
  'btree (user_id, client_id) WHERE revoked_at IS NULL');
call truegrant_index('oauth_consents', 'oauth_consents_user_order_idx', 'btree (user_id, granted_at DESC)');
