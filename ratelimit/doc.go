// Package ratelimit decides whether one more event may happen now.
//
// There is one interface, [Limiter], and three ways to count:
//
//   - [NewTokenBucket]: N events per period with a burst, one bucket per key;
//     for requests per client.
//   - [NewWindow]: N events per fixed window counted from a start; for the
//     totals of sent messages ("30").
//   - [NewRefill]: N events at once, one more per duration; for totals written
//     as "30/1h".
//
// These stores live in the memory of the process, so every replica counts for
// itself. A store shared by the replicas implements the same interface; that is
// why Allow takes a context and may fail.
package ratelimit
