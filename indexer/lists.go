package indexer

// Lists are the indexes that keep the lists of the admin API fast however long
// they grow: an order for each of the two lists, and trigrams for the filter of
// the users. The lists are the same without them, and slow.
func Lists() []Index {
	// The constant of every row is a condition rather than a key.
	const ours = ` where instance_id = '00000000-0000-0000-0000-000000000000'`
	// Without a pending list every write pays its own share. With one, an unlucky
	// sign-up would pay for thousands before it.
	const even = ` with (fastupdate = off)`
	return []Index{
		{Name: "truegrant_users_list_idx", Table: "users", Always: true,
			Using: `btree (aud, created_at, id)` + ours},
		{Name: "truegrant_audit_list_idx", Table: "audit_log_entries", Always: true,
			Using: `btree (created_at, id)` + ours},
		{Name: "truegrant_users_email_trgm_idx", Table: "users", Always: true, Extension: "pg_trgm",
			Using: `gin (email %s.gin_trgm_ops)` + even},
		{Name: "truegrant_users_full_name_trgm_idx", Table: "users", Always: true, Extension: "pg_trgm",
			Using: `gin ((raw_user_meta_data->>'full_name') %s.gin_trgm_ops)` + even},
	}
}
