//go:build wasip1

// SIEVE as a module for cachesim, in Go: a hand sweeps from the oldest object to the newest, clears
// the marks of those that were used since it passed, and evicts the first without one.
package main

func access(object uint32, size int64) bool {
	if has(object) {
		nodes[object].mark = 1
		return true
	}
	for full(size) {
		if hand == none {
			hand = back
		}
		if nodes[hand].mark != 0 {
			nodes[hand].mark = 0
			hand = newer(hand)
		} else {
			evict(hand) // and the hand moves on
		}
	}
	pushFront(object, size)
	return false
}
