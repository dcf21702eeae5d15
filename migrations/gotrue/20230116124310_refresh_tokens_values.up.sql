-- A row that GoTrue could not read was of no use to anybody: it becomes
-- readable, but revoked. "void-..." is no token that the server would issue.
update refresh_tokens
   set revoked = revoked is null or token is null or user_id is null or revoked,
       token = coalesce(token, 'void-' || id),
       user_id = coalesce(user_id, (select s.user_id::text from sessions s where s.id = session_id), ''),
       instance_id = coalesce(instance_id, '00000000-0000-0000-0000-000000000000'),
       created_at = coalesce(created_at, updated_at, to_timestamp(0)),
       updated_at = coalesce(updated_at, created_at, to_timestamp(0))
 where instance_id is null or token is null or user_id is null or revoked is null
    or created_at is null or updated_at is null;
