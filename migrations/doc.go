// Package migrations brings a database to the schema that this server needs.
//
// # Two lists
//
// The folder gotrue holds 70 steps, one for each version that GoTrue v2.196
// records in schema_migrations. They do not repeat GoTrue's history: together
// they describe the schema at its end, and each makes its part of a database
// equal to the description, whatever was there before. So an empty database
// and one that GoTrue left at any older version come out alike, under the same
// versions, and GoTrue can be started on the result again.
//
// The folder truegrant holds what this server needs beyond that. It is recorded
// in a table of its own, truegrant_migrations, because GoTrue's must not carry
// unknown versions. A database that GoTrue has migrated to its end runs only
// these.
//
// # Converging
//
// A recorded version of GoTrue's says that GoTrue did its step, not ours. Hence,
// as long as one of the 70 is missing, every step is applied, in order: the
// missing ones with their record, the recorded ones ahead of the next missing
// one, in its transaction (see plan). Steps marked "-- once" are the exception:
// they change rows in a way that was right at the time of their version only,
// and are skipped when it is recorded.
//
// New steps are only ever appended, to the folder truegrant. They must bear
// being applied twice and must be safe while the previous release still serves.
//
// # Running
//
// Up takes an advisory lock for the whole run, so any number of processes may
// start at once. Each migration has a transaction of its own, together with its
// record. No session state is used: it works through PgBouncer in transaction
// mode. SQL finds the namespace as the first schema of search_path, which each
// transaction sets for itself.
package migrations
