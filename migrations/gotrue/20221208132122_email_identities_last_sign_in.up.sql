-- once
--
-- The rows made for users without identity had no last sign-in.
update identities
   set last_sign_in_at = '2022-11-25 00:00:00+00'
 where provider = 'email' and provider_id = user_id::text
   and created_at = '2022-11-25 00:00:00+00' and last_sign_in_at is null;
