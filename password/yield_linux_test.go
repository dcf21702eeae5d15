package password

import (
	"runtime"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// Only the thread that hashes yields, and nobody gets it afterwards.
func TestOnlyHashingYields(t *testing.T) {
	t.Parallel()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	own, err := syscall.Getpriority(syscall.PRIO_PROCESS, 0)
	require.NoError(t, err)
	for range 20 {
		require.NoError(t, inBackground(func() error {
			lowered, err := syscall.Getpriority(syscall.PRIO_PROCESS, 0)
			require.LessOrEqual(t, lowered, 20-niceness) // the system call counts from 20 down
			return err
		}))
	}
	after, err := syscall.Getpriority(syscall.PRIO_PROCESS, 0)
	require.NoError(t, err)
	require.Equal(t, own, after)
	seen := make(chan int)
	go func() {
		other, _ := syscall.Getpriority(syscall.PRIO_PROCESS, 0)
		seen <- other
	}()
	require.Equal(t, own, <-seen)
}
