-- GoTrue cannot read NULL in these. A flow of unknown age has expired; a
-- challenge of unknown method is taken for a digest, which nobody can undo.
update flow_state
   set provider_access_token = coalesce(provider_access_token, ''),
       provider_refresh_token = coalesce(provider_refresh_token, ''),
       code_challenge_method = case when code_challenge is null then code_challenge_method
                                    else coalesce(code_challenge_method, 's256') end,
       created_at = coalesce(created_at, to_timestamp(0)),
       updated_at = coalesce(updated_at, created_at, to_timestamp(0))
 where provider_access_token is null or provider_refresh_token is null
    or (code_challenge is not null and code_challenge_method is null)
    or created_at is null or updated_at is null;
