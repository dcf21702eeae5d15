call truegrant_constraint('saml_relay_states', 'saml_relay_states_pkey', 'PRIMARY KEY (id)');
call truegrant_constraint('saml_relay_states', 'saml_relay_states_sso_provider_id_fkey',
  'FOREIGN KEY (sso_provider_id) REFERENCES sso_providers(id) ON DELETE CASCADE');
call truegrant_constraint('saml_relay_states', 'saml_relay_states_flow_state_id_fkey',
  'FOREIGN KEY (flow_state_id) REFERENCES flow_state(id) ON DELETE CASCADE');
call truegrant_constraint('saml_relay_states', 'request_id not empty', 'CHECK ((char_length(request_id) > 0))');
call truegrant_index('saml_relay_states', 'saml_relay_states_created_at_idx', 'btree (created_at DESC)');
call truegrant_index('saml_relay_states', 'saml_relay_states_for_email_idx', 'btree (for_email)');
call truegrant_index('saml_relay_states', 'saml_relay_states_sso_provider_id_idx', 'btree (sso_provider_id)');
