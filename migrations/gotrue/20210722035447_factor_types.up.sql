call truegrant_enum('factor_type', 'totp', 'webauthn', 'phone');
call truegrant_enum('factor_status', 'unverified', 'verified');
