-- GoTrue cannot read a user with NULL in one of these. The values grant
-- nothing: an empty role is no role, an empty audience matches no request.
update users
   set instance_id = coalesce(instance_id, '00000000-0000-0000-0000-000000000000'),
       aud = coalesce(aud, ''),
       role = coalesce(role, ''),
       confirmation_token = coalesce(confirmation_token, ''),
       recovery_token = coalesce(recovery_token, ''),
       email_change = coalesce(email_change, ''),
       email_change_token_new = coalesce(email_change_token_new, ''),
       email_change_token_current = coalesce(email_change_token_current, ''),
       email_change_confirm_status = coalesce(email_change_confirm_status, 0),
       phone_change = coalesce(phone_change, ''),
       phone_change_token = coalesce(phone_change_token, ''),
       reauthentication_token = coalesce(reauthentication_token, ''),
       created_at = coalesce(created_at, updated_at, now()),
       updated_at = coalesce(updated_at, created_at, now())
 where instance_id is null or aud is null or role is null
    or confirmation_token is null or recovery_token is null
    or email_change is null or email_change_token_new is null
    or email_change_token_current is null or email_change_confirm_status is null
    or phone_change is null or phone_change_token is null or reauthentication_token is null
    or created_at is null or updated_at is null;

-- Absent addresses are NULL, never empty: empty ones would collide.
update users set email = nullif(email, ''), phone = nullif(phone, '') where email = '' or phone = '';
