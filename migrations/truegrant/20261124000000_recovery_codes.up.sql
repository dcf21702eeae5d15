-- The recovery codes of users with second factors: one set a user, of which the
-- digests of the unspent codes are kept. A table of our own, and no row of
-- mfa_factors, because GoTrue and older clients do not know that type of factor.
create table if not exists truegrant_mfa_recovery_codes (
  id uuid primary key,
  user_id uuid not null references users (id) on delete cascade,
  friendly_name text not null,
  salt text not null,
  unspent text[] not null,
  total integer not null,
  -- Wrong codes since the last right one, or since the last lock.
  failed_attempts integer not null default 0,
  locked_until timestamp with time zone,
  created_at timestamp with time zone not null,
  updated_at timestamp with time zone not null
);
comment on table truegrant_mfa_recovery_codes is
  'Digests of the single-use codes that stand in for a lost second factor.';
create unique index if not exists truegrant_mfa_recovery_codes_user_id_key on truegrant_mfa_recovery_codes (user_id);
alter table truegrant_mfa_recovery_codes enable row level security;
