package main

import (
	"os/exec"
	"syscall"
)

// dieWithUs makes the kernel kill the process when we end. The signal follows
// the thread that started it, which is no problem here: the Go runtime ends a
// thread only if a goroutine locked to it has ended, and we lock none.
func dieWithUs(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
