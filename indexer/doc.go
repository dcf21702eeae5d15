// Package indexer builds the indexes that no answer depends on: those of the
// admin API's lists, and those that are a matter of taste, because a large table
// pays for them on each write and only some projects need them. They are no part
// of the migrations, because building one takes as long as the table is large;
// here it happens beside the traffic.
package indexer
