// Command runner replays black-box HTTP scenarios against a server and compares
// its answers with expectations, most of them recorded from GoTrue v2.196. It
// knows nothing of this project's code: the server is a binary with an
// environment, a database and the loopback counterparts that the runner plays
// (mail, SMS, hooks, identity providers). See ../README.md.
package main
