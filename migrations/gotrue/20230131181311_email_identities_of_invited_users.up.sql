-- once
--
-- Invited users, who have no password yet, need an e-mail identity as well.
insert into identities (id, provider_id, user_id, provider, identity_data, created_at, updated_at)
select u.id, u.id::text, u.id, 'email',
       jsonb_build_object('sub', u.id::text, 'email', u.email),
       '2023-01-25 00:00:00+00', '2023-01-25 00:00:00+00'
  from users u
 where u.email <> '' and u.invited_at is not null
   and not u.is_sso_user and u.deleted_at is null
   and not exists (select from identities i where i.user_id = u.id)
on conflict do nothing;
