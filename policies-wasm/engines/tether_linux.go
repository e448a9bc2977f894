package engines

import (
	"context"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// tether ties the goroutine to its thread until the function it returns is
// called, and makes that thread run only when nothing else wants to if ctx ends
// before: wasmer cannot stop a guest that loops, and what it burns should not
// slow the other cells. A thread that was so treated is not used again: it ends
// with its goroutine.
func tether(ctx context.Context) (release func()) {
	runtime.LockOSThread()
	tid := unix.Gettid()
	stop := context.AfterFunc(ctx, func() {
		const schedIdle = 5
		var priority int32
		_, _, _ = unix.Syscall(unix.SYS_SCHED_SETSCHEDULER, uintptr(tid), schedIdle, uintptr(unsafe.Pointer(&priority)))
	})
	return func() {
		if stop() {
			runtime.UnlockOSThread()
		}
	}
}
