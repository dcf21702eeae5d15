package indexer

// Index is one index of the namespace.
type Index struct {
	// Name is that of the index. An index of this name that is valid is left
	// alone, whatever it is on.
	Name string
	// Table is what it is on.
	Table string
	// Using is the rest of its definition: method, keys, predicate.
	Using string
	// Extension is what Using needs, with %s in place of the schema it is in.
	Extension string
	// Always says that the index is there for tables of any size: MaxUsers does
	// not count.
	Always bool
}

// UserSearch are the indexes that help to browse and search users, in the
// admin API and in SQL of the operator's own. Their names are GoTrue's, so that
// neither server builds them beside those of the other.
func UserSearch() []Index {
	return []Index{
		{Name: "idx_users_email", Table: "users", Using: `btree (email)`},
		{Name: "idx_users_created_at_desc", Table: "users", Using: `btree (created_at desc)`},
		{Name: "idx_users_last_sign_in_at_desc", Table: "users", Using: `btree (last_sign_in_at desc)`},
		{Name: "idx_users_name", Table: "users", Using: `btree ((raw_user_meta_data->>'name')) where (raw_user_meta_data->>'name') is not null`},
	}
}
