-- Authenticator assurance level of a session.
call truegrant_enum('aal_level', 'aal1', 'aal2', 'aal3');
