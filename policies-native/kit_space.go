package native

// space accounts for the bytes of a cache and counts its evictions.
type space struct {
	capacity int64 // bytes
	used     int64 // bytes, never above capacity between requests
	evicted  int64 // objects
}

// full reports whether an object of so many bytes needs an eviction first.
func (s *space) full(size int64) bool { return s.used+size > s.capacity }

func (s *space) admit(size int64) { s.used += size }

func (s *space) evict(size int64) {
	s.used -= size
	s.evicted++
}

// Evictions returns the objects evicted so far.
func (s *space) Evictions() int64 { return s.evicted }
