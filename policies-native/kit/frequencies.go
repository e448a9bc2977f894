package kit

import (
	"fmt"
	"unsafe"

	"cachesim/sim"
)

// Frequencies are Queues whose residents have a second order: by a count, the least first, and
// among equal counts by when they got it, the first or the latest first. So the least frequently
// used object is found at once, whatever queues the residents are in.
//
//	count  1    first  d - b - e  last     a bucket for each count
//	       2           a
//	       7           c - f
//
// A node takes 32 bytes, so that it lies in one line of the processor's cache.
type Frequencies struct {
	Queues[Frequency]
	countBuckets
	newest bool // among equal counts, the one that was set last comes first
}

// Frequency is what Frequencies keep of each object, whether it is in a queue or not.
type Frequency struct {
	Mark         uint32 // the policy's own
	count        uint32
	before, next uint32 // nodes in the bucket; 0: none
}

// NewFrequencies returns empty queues, numbered as by NewQueues. With newest, among equal counts
// the one that was set last comes first, else last.
func NewFrequencies(c sim.Config, residents, ghosts int, newest bool) Frequencies {
	return Frequencies{
		Queues: NewQueues[Frequency](c, residents, ghosts),
		newest: newest,
	}
}

// Count returns the count of an object, which it keeps when it leaves the cache.
func (f *Frequencies) Count(id uint32) uint32 { return f.at(id).value.count }

// Mark returns the policy's part of an object's state.
func (f *Frequencies) Mark(id uint32) *uint32 { return &f.at(id).value.Mark }

// Least returns the resident that comes first by its count. There must be one.
func (f *Frequencies) Least() uint32 {
	return f.id(f.least())
}

// Store puts an object that is in no queue at the front of a queue of residents.
func (f *Frequencies) Store(queue int, id uint32, size int64, count uint32) {
	f.PushFront(queue, id, size)
	n := id + uint32(len(f.rings))
	x := &f.nodes[n].value
	x.count = count
	f.rank(x, n)
}

// Increment adds 1 to the count of a resident.
func (f *Frequencies) Increment(id uint32) {
	n := id + uint32(len(f.rings))
	x := &f.nodes[n].value
	f.unrank(x)
	x.count++
	f.rank(x, n)
}

// Move moves an object that is in a queue to the front of another one. From a queue of residents
// to one of ghosts it is an eviction.
func (f *Frequencies) Move(id uint32, queue int) {
	if uint64(queue) >= f.residents && f.Has(id) {
		f.unrank(&f.at(id).value)
	}
	f.Queues.Move(id, queue)
}

// Evict takes a resident out of its queue and counts the eviction.
func (f *Frequencies) Evict(id uint32) {
	f.unrank(&f.at(id).value)
	f.Queues.Evict(id)
}

// Remove takes the object out of the cache and reports whether it was in there. A ghost stays
// where it is.
func (f *Frequencies) Remove(id uint32) bool {
	if !f.Has(id) {
		return false
	}
	f.unrank(&f.at(id).value)
	f.Queues.Drop(id)
	return true
}

// Forget takes a ghost out of its queue.
func (f *Frequencies) Forget(id uint32) { f.Queues.Drop(id) }

// rank puts x, which is that of node n, into the bucket of its count.
func (f *Frequencies) rank(x *Frequency, n uint32) {
	b := f.bucket(x.count)
	switch {
	case b.first == 0:
		x.before, x.next = 0, 0
		f.open(b, x.count, n)
	case f.newest:
		x.before, x.next = 0, b.first
		f.nodes[b.first].value.before = n
		b.first = n
	default:
		x.before, x.next = b.last, 0
		f.nodes[b.last].value.next = n
		b.last = n
	}
}

// unrank takes x out of its bucket.
func (f *Frequencies) unrank(x *Frequency) {
	before, next := x.before, x.next
	if before != 0 && next != 0 {
		f.nodes[before].value.next = next
		f.nodes[next].value.before = before
		return
	}
	b := f.bucket(x.count)
	switch {
	case before != 0:
		f.nodes[before].value.next = 0
		b.last = before
	case next != 0:
		f.nodes[next].value.before = 0
		b.first = next
	default:
		f.empty(x.count)
	}
}

// Preload loads the nodes of the objects in reqs, and then the neighbours of those that are in a
// queue.
func (f *Frequencies) Preload(reqs []sim.Request) {
	if len(f.nodes)*int(unsafe.Sizeof(f.nodes[0])) < preloadFrom {
		return
	}
	var sum uint64
	for _, r := range reqs {
		sum += f.at(r.ID).meta
	}
	for _, r := range reqs {
		x := f.at(r.ID)
		if x.meta == 0 {
			continue
		}
		sum += f.nodes[x.prev].meta + f.nodes[x.next].meta
		if x.meta&0xff-1 < f.residents {
			sum += f.nodes[x.value.before].meta + f.nodes[x.value.next].meta
		}
	}
	f.loaded += sum
}

// Check returns an error where the queues and buckets contradict themselves.
func (f *Frequencies) Check() error {
	if err := f.Queues.Check(); err != nil {
		return err
	}
	ranked := 0
	check := func(count uint32, b countBucket) error {
		if (b.first == 0) != (b.last == 0) {
			return fmt.Errorf("the bucket of count %d has one end", count)
		}
		before := uint32(0)
		for n := b.first; n != 0; n = f.nodes[n].value.next {
			switch x := &f.nodes[n]; {
			case !f.Has(f.id(n)) || x.value.count != count:
				return fmt.Errorf("object %d is in the bucket of count %d, but has %d, or is not resident", f.id(n), count, x.value.count)
			case x.value.before != before:
				return fmt.Errorf("object %d does not follow the one before it in the bucket of count %d", f.id(n), count)
			}
			before = n
			ranked++
		}
		if b.last != before {
			return fmt.Errorf("the bucket of count %d does not end with its last object", count)
		}
		return nil
	}
	if err := f.checkBuckets(check); err != nil {
		return err
	}
	residents := 0
	for i := range int(f.residents) {
		residents += f.Len(i)
	}
	if ranked != residents {
		return fmt.Errorf("%d objects are in buckets, but %d are resident", ranked, residents)
	}
	return nil
}
