package engines

import (
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// threadTime returns the processor time that f takes on the thread that calls it.
func threadTime(f func()) time.Duration {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var before, after unix.Rusage
	if unix.Getrusage(unix.RUSAGE_THREAD, &before) != nil {
		began := time.Now()
		f()
		return time.Since(began)
	}
	f()
	_ = unix.Getrusage(unix.RUSAGE_THREAD, &after)
	spent := func(u unix.Rusage) int64 { return u.Utime.Nano() + u.Stime.Nano() }
	return time.Duration(spent(after) - spent(before))
}
