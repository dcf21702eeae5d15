package password

import "syscall"

// niceness leaves a tenth of a processor that others want as well.
const niceness = 10

// yieldThread lowers the priority of the calling thread, which on Linux is what
// "process" 0 means. Where that is refused, hashing goes on as it is.
func yieldThread() { _ = syscall.Setpriority(syscall.PRIO_PROCESS, 0, niceness) }
