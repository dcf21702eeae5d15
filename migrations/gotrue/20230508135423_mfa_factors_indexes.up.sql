call truegrant_index('mfa_factors', 'mfa_factors_user_id_idx', 'btree (user_id)');
call truegrant_index('mfa_factors', 'factor_id_created_at_idx', 'btree (user_id, created_at)');
call truegrant_index('mfa_factors', 'mfa_factors_user_friendly_name_unique',
  $$btree (friendly_name, user_id) WHERE TRIM(BOTH FROM friendly_name) <> ''::text$$, is_unique => true);
call truegrant_index('mfa_factors', 'unique_phone_factor_per_user', 'btree (user_id, phone)', is_unique => true);
