// Package storage opens the PostgreSQL pool and classifies its errors.
//
// It is a thin house around pop: models, migrations and everyday queries go
// through pop's connection; hot paths send one hand-written statement through
// the same pool. Only DB.Tx opens a transaction. pop commits the outer
// transaction when an inner one returns, so Conn offers no way to nest them.
package storage
