//go:build !linux

package engines

import "time"

// threadTime returns the time that f takes: there is no processor time of a
// single thread here.
func threadTime(f func()) time.Duration {
	began := time.Now()
	f()
	return time.Since(began)
}
