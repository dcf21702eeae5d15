// Package indexer builds the indexes that are a matter of taste: those that a
// large table pays for on each write, and that only some projects need. They
// are no part of the migrations, because building one takes as long as the
// table is large; here it happens beside the traffic.
package indexer
