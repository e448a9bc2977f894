package isolate

import (
	"os/exec"
	"syscall"
)

// endWithParent has the system kill the child when its parent dies. The child sees the end of its
// input, too, but not while a guest that loops holds up the garbage collector, and with it all
// other goroutines. (The system means the thread that starts the child, and Go keeps its threads,
// but for those that are tied to a goroutine that ends.)
func endWithParent(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
