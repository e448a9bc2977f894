//go:build wasip1

// FIFO as a module for cachesim, in Go: the oldest object is evicted.
package main

// access serves a request and reports whether it was a hit. To have LRU, call
// moveToFront(object) before the first return.
func access(object uint32, size int64) bool {
	if has(object) {
		return true
	}
	for full(size) {
		evict(back)
	}
	pushFront(object, size)
	return false
}
