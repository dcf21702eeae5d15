// Package models holds the rows of the auth schema: one file per table with
// its columns, its queries and its state changes.
//
// Hot paths read everything a request needs in one statement and write
// everything it decides in one more. A write that depends on what was read is
// conditional on it and reports whether it happened, so that two replicas
// deciding at once cannot both win.
//
// Columns are always named: an older or newer schema may have others. Many
// columns that the catalog calls nullable hold an empty text or a value, because GoTrue
// reads them into plain strings.
package models
