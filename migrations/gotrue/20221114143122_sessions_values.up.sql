-- A session of unknown age counts as old: limits on its age must end it.
update sessions
   set created_at = coalesce(created_at, updated_at, to_timestamp(0)),
       updated_at = coalesce(updated_at, created_at, to_timestamp(0))
 where created_at is null or updated_at is null;
