//go:build !linux

package password

// yieldThread does nothing: elsewhere priorities are those of whole processes.
func yieldThread() {}
