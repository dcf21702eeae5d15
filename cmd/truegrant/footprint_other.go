//go:build !linux

package main

import "runtime/debug"

// forgetStart gives memory back that only the start has needed.
func forgetStart() { debug.FreeOSMemory() }
