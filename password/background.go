package password

import "runtime"

// inBackground runs f on a thread of its own that yields to the process's other
// threads, and returns when it is done. Hashing takes a processor for tens of
// milliseconds, in which Go's scheduler would let whatever else there is wait;
// the kernel's lets it go first.
func inBackground(f func() error) (err error) {
	done := make(chan any)
	go func() {
		// Never unlocked: a thread cannot be raised again by anybody but root, and
		// so ends with this goroutine.
		runtime.LockOSThread()
		defer func() { done <- recover() }()
		yieldThread()
		err = f()
	}()
	if problem := <-done; problem != nil {
		panic(problem)
	}
	return err
}
