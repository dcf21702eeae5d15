call truegrant_enum('oauth_registration_type', 'dynamic', 'manual');
call truegrant_enum('oauth_client_type', 'public', 'confidential');
call truegrant_enum('oauth_response_type', 'code');
call truegrant_enum('oauth_authorization_status', 'pending', 'approved', 'denied', 'expired');
