package traces

// weblogSizes knows the sizes of objects by the hash of their id. Two of 10
// million ids have the same hash with probability 1 in 200,000, and then one of
// them may get the other's size in a 304 or 206.
//
// Note: a map from the id cost more than the rest of decoding.
type weblogSizes struct {
	slots []weblogSlot // a power of two of them, 3/4 used at most
	used  int
	touch uint64 // keeps the loads of preload from being left out
}

type weblogSlot struct {
	hash uint64 // 0: free
	size int64  // bytes<<1, with bit 0 set where it is that of the whole object
}

// A weblogEntry is where the size of an object is, or would be.
type weblogEntry struct {
	hash  uint64
	slot  int
	size  int64
	known bool
}

func (e weblogEntry) bytes() int64 { return e.size >> 1 }
func (e weblogEntry) whole() bool  { return e.size&1 != 0 }

// preload has the processor load the slots of requests: loads that nothing depends on overlap.
func (s *weblogSizes) preload(requests []weblogRequest) {
	if len(s.slots) == 0 {
		return
	}
	mask := uint64(len(s.slots) - 1)
	var sum uint64
	for i := range requests {
		sum += s.slots[requests[i].hash>>1&mask].hash
	}
	s.touch += sum
}

// find looks for a hash of hashText, whose lowest bit is always set.
func (s *weblogSizes) find(hash uint64) weblogEntry {
	if s.slots == nil {
		s.slots = make([]weblogSlot, 1<<12)
	}
	mask := uint64(len(s.slots) - 1)
	for i := hash >> 1 & mask; ; i = (i + 1) & mask {
		switch slot := &s.slots[i]; slot.hash {
		case hash:
			return weblogEntry{hash: hash, slot: int(i), size: slot.size, known: true}
		case 0:
			return weblogEntry{hash: hash, slot: int(i)}
		}
	}
}

func (s *weblogSizes) set(e weblogEntry, bytes int64, whole bool) {
	size := bytes << 1
	if whole {
		size |= 1
	}
	s.slots[e.slot] = weblogSlot{e.hash, size}
	if e.known {
		return
	}
	if s.used++; s.used*4 <= len(s.slots)*3 {
		return
	}
	old := s.slots
	s.slots = make([]weblogSlot, 2*len(old))
	for _, slot := range old {
		if slot.hash != 0 {
			s.slots[s.find(slot.hash).slot] = slot
		}
	}
}
