// Package storetest starts a Redis or Valkey server for a test.
package storetest
