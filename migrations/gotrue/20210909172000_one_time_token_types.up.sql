-- The labels are the names of the columns in users that hold the same hashes.
call truegrant_enum('one_time_token_type',
  'confirmation_token', 'reauthentication_token', 'recovery_token',
  'email_change_token_new', 'email_change_token_current', 'phone_change_token');
