// FIFO as a module for cachesim, in Go. See docs/ABI.md.
package main

var (
	capacity, bytes, evicted int64
	stored                   []int64  // by object: its size plus 1 while it is in the cache, else 0
	queue                    []uint32 // the objects in the cache, oldest first
)

//go:wasmexport init
func initialise(size int64) { capacity = size }

// There will be n objects, with the numbers 0 to n-1.
//
//go:wasmexport reserve
func reserve(n uint32) { stored = make([]int64, n) }

//go:wasmexport send
func send(object uint32, size int64) int32 {
	if stored[object] != 0 {
		return 1
	}
	for bytes+size > capacity {
		victim := queue[0]
		queue = queue[1:]
		bytes -= stored[victim] - 1
		stored[victim] = 0
		evicted++
	}
	queue = append(queue, object)
	stored[object] = size + 1
	bytes += size
	return 0
}

// Optional: for the results, and for the host to compare with the capacity.

//go:wasmexport evictions
func evictions() int64 { return evicted }

//go:wasmexport used
func used() int64 { return bytes }

func main() {}
