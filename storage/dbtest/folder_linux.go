package dbtest

import (
	"os"
	"syscall"
)

// memoryFolder is the file system in memory that Linux provides. Cloning a
// database creates some 500 files, which takes 12 ms there and ten times as long
// on a disk.
const memoryFolder = "/dev/shm"

// baseFolder is where the shared cluster lives. The size of the memory file
// system decides, not what is free: all test binaries must come to the same
// answer.
func baseFolder() string {
	const enough = 4 << 30 // bytes; containers have 64 MB by default
	var fs syscall.Statfs_t
	if err := syscall.Statfs(memoryFolder, &fs); err != nil {
		return os.TempDir()
	}
	if fs.Blocks*uint64(fs.Bsize) < enough { //nolint:gosec // a block size is positive
		return os.TempDir()
	}
	return memoryFolder
}
