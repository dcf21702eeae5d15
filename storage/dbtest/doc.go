// Package dbtest gives every test a PostgreSQL database of its own.
//
// The database is a clone of a migrated template, which takes some 20 ms, so
// that all tests can run in parallel, and it is dropped when the test ends.
//
// The server is the one of TRUEGRANT_TEST_DATABASE_URL, the URL of a superuser
// without database. If that is not set, a private cluster is started in a folder
// of fixed name (in memory where Linux has room for it, else in the temporary
// folder) and shared by all test binaries of the user; it stops by itself some
// minutes after the last of them has ended. TRUEGRANT_PG_BIN names
// the folder of its server binaries, should they not be found.
//
// Templates are named after a digest of what made them and are built under an
// advisory lock, so that any number of test binaries can ask for the same one.
package dbtest
