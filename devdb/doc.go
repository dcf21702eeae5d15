// Package devdb runs a private PostgreSQL cluster for `truegrant dev` and for
// tests: no installation by hand, no shared server, no fixed port.
//
// # Server binaries
//
// They are taken, in this order, from [Options.BinDir], from PATH (initdb,
// pg_config), from the folders where Debian, Red Hat, Homebrew and
// Postgres.app put them, and from an earlier download. If there are none, they
// are fetched: by apt-get as root on Debian and Ubuntu, otherwise through
// github.com/fergusstrange/embedded-postgres into the user's cache folder.
//
// # Who may connect
//
// The cluster listens on TCP, on 127.0.0.1 only, and on no Unix socket, because
// a URL with host and port is what every client understands (pgx, libpq, the
// Node drivers) whichever user it runs as. Since any local user can reach a
// loopback port, every connection is authenticated (SCRAM-SHA-256) with a
// random password; it is kept, with the port, in state.json (mode 0600).
//
// # Root
//
// PostgreSQL refuses to run as root. Started as root, the cluster runs as the
// user postgres, or nobody if there is none. If that user cannot reach
// [Options.Dir], typically below /root, the data is placed in
// /var/lib/truegrant-devdb instead, and state.json says where.
//
// # Lifetime
//
// By default a cluster belongs to the process that started it and stops with
// it, even if that process is killed: a small shell process waits for the end
// of a pipe and then shuts the server down. With [Options.Linger] a cluster is
// shared by all processes that start it with the same folder, and stops by
// itself some time after the last of them has ended.
package devdb
