-- What an authorization request asks of the user's login, and how and when the user
-- who approved it had authenticated: auth_time, acr and amr of ID tokens, also of
-- those that a refresh brings (OpenID Connect Core sections 2, 3.1.2.1). Tables of our own, because GoTrue reads all columns
-- of its tables and refuses unknown ones.
create table if not exists truegrant_oauth_authorizations (
  authorization_id uuid primary key references oauth_authorizations (id) on delete cascade,
  login_request jsonb not null default '{}',
  -- Null until a user has approved.
  auth_time timestamp with time zone,
  acr text,
  amr text[]
);
comment on table truegrant_oauth_authorizations is
  'What an authorization request asks of the login, and how who approved it had authenticated.';
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
