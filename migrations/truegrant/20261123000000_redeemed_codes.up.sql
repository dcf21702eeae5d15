-- GoTrue deletes an authorization when its code is exchanged. Here the code
-- stays recognisable until it would have expired, so that a second use can be
-- told from a wrong code and ends what the first one issued (RFC 6749
-- section 4.1.2). A table of its own, because GoTrue reads all columns of
-- oauth_authorizations and refuses unknown ones.
create table if not exists oauth_redeemed_codes (
  code_digest text primary key,
  client_id uuid not null references oauth_clients (id) on delete cascade,
  -- No foreign key: the session may be gone before its code expires.
  session_id uuid not null,
  redeemed_at timestamp with time zone not null,
  expires_at timestamp with time zone not null
);
comment on table oauth_redeemed_codes is
  'Spent authorization codes stay recognisable until they would have expired (RFC 6749, section 4.1.2).';
create index if not exists oauth_redeemed_codes_expires_at_idx on oauth_redeemed_codes (expires_at);
create index if not exists oauth_redeemed_codes_client_id_idx on oauth_redeemed_codes (client_id);
alter table oauth_redeemed_codes enable row level security;

-- The janitor removes whatever has expired; GoTrue's index covers only pending
-- authorizations.
create index if not exists oauth_authorizations_expires_at_idx on oauth_authorizations (expires_at);

alter table truegrant_migrations enable row level security;
