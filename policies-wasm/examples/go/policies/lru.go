//go:build wasip1

// LRU as a module for cachesim, in Go: the object that has gone unused longest is evicted.
package main

func access(object uint32, size int64) bool {
	if has(object) {
		moveToFront(object)
		return true
	}
	for full(size) {
		evict(back)
	}
	pushFront(object, size)
	return false
}
