-- How and when the user had authenticated who approved an authorization request:
-- auth_time, acr and amr of ID tokens (OpenID Connect Core section 2), also of
-- those that a refresh brings. Tables of our own, because GoTrue reads all columns
-- of its tables and refuses unknown ones.
create table if not exists truegrant_oauth_authorizations (
  authorization_id uuid primary key references oauth_authorizations (id) on delete cascade,
  auth_time timestamp with time zone not null,
  acr text not null,
  amr text[] not null
);
comment on table truegrant_oauth_authorizations is
  'How the user who approved an authorization request had authenticated.';
alter table truegrant_oauth_authorizations enable row level security;

create table if not exists truegrant_oauth_sessions (
  session_id uuid primary key references sessions (id) on delete cascade,
  auth_time timestamp with time zone not null,
  acr text not null,
  amr text[] not null
);
comment on table truegrant_oauth_sessions is
  'How the user of an OAuth client''s session had authenticated when it was granted.';
alter table truegrant_oauth_sessions enable row level security;
