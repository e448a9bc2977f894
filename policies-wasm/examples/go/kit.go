//go:build wasip1

// What a policy is built from: a node for each object, and a queue of those in the cache. The
// exports that cachesim calls are at the end.
package main

import "unsafe"

const none = 1<<32 - 1

type node struct {
	stored       int64  // the object's size plus 1 while it is in the cache, else 0
	newer, older uint32 // its neighbours in the queue
	mark         uint32 // for the policy; 0 when the object enters the cache
}

var (
	nodes                    []node              // by object: their numbers are dense
	front, back              uint32 = none, none // of the queue: the newest, the oldest
	hand                     uint32 = none       // for policies that sweep; when its object leaves, it moves to the next newer
	capacity, bytes, evicted int64
	buffers                  [][]uint64 // that alloc gave, so that they are kept
)

func has(object uint32) bool { return nodes[object].stored != 0 }

// full reports whether something has to go before an object of this size can be stored.
func full(size int64) bool { return bytes+size > capacity }

// pushFront stores an object that is not in the cache as the newest.
func pushFront(object uint32, size int64) {
	nodes[object].stored, nodes[object].mark = size+1, 0
	bytes += size
	linkFront(object)
}

// newer returns the next newer object in the queue, none for the front.
func newer(object uint32) uint32 { return nodes[object].newer }

func moveToFront(object uint32) {
	unlink(object)
	linkFront(object)
}

// drop takes an object out of the cache.
func drop(object uint32) {
	if hand == object {
		hand = newer(object)
	}
	unlink(object)
	bytes -= nodes[object].stored - 1
	nodes[object].stored = 0
}

// evict takes an object out of the cache and counts it.
func evict(object uint32) {
	drop(object)
	evicted++
}

func linkFront(object uint32) {
	nodes[object].newer, nodes[object].older = none, front
	if front == none {
		back = object
	} else {
		nodes[front].newer = object
	}
	front = object
}

func unlink(object uint32) {
	n := nodes[object]
	if n.newer == none {
		front = n.older
	} else {
		nodes[n.newer].older = n.older
	}
	if n.older == none {
		back = n.newer
	} else {
		nodes[n.older].newer = n.newer
	}
}

// A Go function named init is another thing.
//
//go:wasmexport init
func initialise(size int64) { capacity = size }

// There will be n objects, with the numbers 0 to n-1.
//
//go:wasmexport reserve
func reserve(n uint32) { nodes = make([]node, n) }

//go:wasmexport send
func send(object uint32, size int64) int32 {
	if access(object, size) {
		return 1
	}
	return 0
}

// A batch has the same requests in memory, and needs one call.
//
//go:wasmexport alloc
func alloc(n uint32) int64 {
	b := make([]uint64, n/8+1)
	buffers = append(buffers, b)
	return int64(uintptr(unsafe.Pointer(&b[0])))<<32 | int64(n)
}

type record struct {
	object, time uint32
	size         int64
}

//go:wasmexport replay
func replay(requests unsafe.Pointer, n uint32, outcomes unsafe.Pointer) {
	out := unsafe.Slice((*bool)(outcomes), n)
	for i, r := range unsafe.Slice((*record)(requests), n) {
		out[i] = access(r.object, r.size)
	}
}

//go:wasmexport remove
func remove(object uint32) int32 {
	if int(object) >= len(nodes) || !has(object) {
		return 0
	}
	drop(object)
	return 1
}

//go:wasmexport used
func used() int64 { return bytes }

//go:wasmexport evictions
func evictions() int64 { return evicted }

func main() {}
