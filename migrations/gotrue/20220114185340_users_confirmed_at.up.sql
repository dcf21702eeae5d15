call truegrant_generated('users', 'confirmed_at', 'timestamp with time zone',
  'LEAST(email_confirmed_at, phone_confirmed_at)');
