-- GoTrue cannot read an identity without these. The order of the created_at
-- decides which provider is a user's first, so a guess stays near the truth.
update identities i
   set created_at = coalesce(i.created_at, i.updated_at, u.created_at),
       updated_at = coalesce(i.updated_at, i.created_at, u.created_at)
  from users u
 where u.id = i.user_id and (i.created_at is null or i.updated_at is null);
