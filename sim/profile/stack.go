package profile

// A Stack measures reuse distances: how many distinct objects, and how many of
// their bytes, were requested since the last request for the same object
// (Mattson, Gecsei, Slutz, Traiger, Evaluation techniques for storage
// hierarchies, IBM Systems Journal 9(2), 1970). An LRU cache hits exactly where
// the distance, with the object itself, is within its size, all sizes being at
// most that of the cache.
//
// Every object has the number of its last request; two Fenwick trees over those
// numbers hold 1 and the object's size where a number is an object's last
// (Bennett, Kruskal, LRU stack processing, IBM Journal of Research and
// Development 19(4), 1975). The distance is what the trees hold after it. When
// the numbers are used up they are dealt out again, in order, so that the trees
// are as large as a few times the objects, not as the trace.
type Stack struct {
	last    []uint32 // number of the object's last request plus 1; 0: none
	owner   []uint32 // object of a number plus 1
	objects []int32  // Fenwick tree of counts
	bytes   []int64  // Fenwick tree of sizes
	size    []int64
	clock   int
	total   int64 // objects seen
	sum     int64 // their bytes
}

// NewStack returns an empty stack for ids below objects.
func NewStack(objects int) *Stack {
	n := max(1024, 4*objects)
	return &Stack{
		last: make([]uint32, objects), size: make([]int64, objects),
		owner: make([]uint32, n), objects: make([]int32, n+1), bytes: make([]int64, n+1),
	}
}

// Access records a request. For an object that was requested before it returns
// the distance, the object itself included.
func (s *Stack) Access(id uint32, size int64) (objects, bytes int64, seen bool) {
	if s.clock == len(s.owner) {
		s.renumber()
	}
	if at := s.last[id]; at > 0 {
		seen = true
		n, b := s.prefix(int(at - 1)) // before the last request
		objects, bytes = s.total-n, s.sum-b
		s.add(int(at-1), -1, -s.size[id])
		s.owner[at-1] = 0
		s.total--
		s.sum -= s.size[id]
	}
	s.last[id] = uint32(s.clock + 1)
	s.owner[s.clock] = id + 1
	s.size[id] = size
	s.add(s.clock, 1, size)
	s.total++
	s.sum += size
	s.clock++
	return objects, bytes, seen
}

// Remove forgets an object.
func (s *Stack) Remove(id uint32) {
	at := s.last[id]
	if at == 0 {
		return
	}
	s.add(int(at-1), -1, -s.size[id])
	s.owner[at-1], s.last[id] = 0, 0
	s.total--
	s.sum -= s.size[id]
}

func (s *Stack) add(i int, n int32, bytes int64) {
	for i++; i < len(s.objects); i += i & -i {
		s.objects[i] += n
		s.bytes[i] += bytes
	}
}

// prefix returns what the numbers below i hold.
func (s *Stack) prefix(i int) (n, bytes int64) {
	for ; i > 0; i &= i - 1 {
		n += int64(s.objects[i])
		bytes += s.bytes[i]
	}
	return n, bytes
}

// renumber deals out the numbers again, from 0, in the order that they have.
func (s *Stack) renumber() {
	clear(s.objects)
	clear(s.bytes)
	s.clock = 0
	for i, o := range s.owner {
		if o == 0 {
			continue
		}
		s.owner[i] = 0
		s.owner[s.clock] = o
		s.last[o-1] = uint32(s.clock + 1)
		s.objects[s.clock+1], s.bytes[s.clock+1] = 1, s.size[o-1]
		s.clock++
	}
	for i := 1; i < len(s.objects); i++ { // makes Fenwick trees in one pass
		if j := i + i&-i; j < len(s.objects) {
			s.objects[j] += s.objects[i]
			s.bytes[j] += s.bytes[i]
		}
	}
}
