-- once
--
-- The generated column email needs the address in the identity's data. Only
-- once: a deleted user's data is emptied on purpose.
update identities i
   set identity_data = i.identity_data || jsonb_build_object('email', u.email)
  from users u
 where u.id = i.user_id and i.provider = 'email'
   and jsonb_typeof(i.identity_data) = 'object' and not i.identity_data ? 'email'
   and u.email <> '' and u.deleted_at is null;
