// Command bench measures the server beside its own SQL.
//
// It starts the given binary on a loopback port and drives its hot requests
// with 1, 16 and 64 callers, each on a connection of its own. The same
// statements then run bare, through pgx with prepared statements and a pool of
// the same size: the ratio of the two rates says what HTTP, JSON, signature and
// bookkeeping cost on top of the database, on whatever machine this is.
//
// The statements are not written down here. A tracer records them from package
// models, so that the comparison stays true when a query changes.
//
// Server and bare SQL take turns, and of several turns the best counts, because
// other work on the machine can only slow a turn down. CPU time is the server
// process's own and suffers less from neighbours; the load generator runs in
// another process, but on the same cores.
//
// Sign-up and password login hash a password, which the bare SQL does not; the
// share of bcrypt in their CPU time is printed apart. Pages of the admin's user
// list are read from as many users as -users says, with the indexes that the
// server builds by itself. At the end refreshes are timed beside a storm of
// password logins.
//
// The output is Markdown. With -pg a database is created on the given server
// and dropped afterwards; without, a private durable cluster is started.
package main
