//go:build !linux

package dbtest

import "os"

// baseFolder is where the shared cluster lives.
func baseFolder() string { return os.TempDir() }
