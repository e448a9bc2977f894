package sim

import (
	"fmt"
	"math/bits"
	"slices"
)

// Sample returns a trace of the requests for a share of t's objects, which a
// hash of their ids chooses, so that every object is in it with all of its
// requests or with none (Waldspurger, Park, Garthwaite, Ahmad, Efficient MRC
// construction with SHARDS, FAST 2015). Ids are dense again; it is held in
// memory. Different salts choose different objects.
func Sample(t *Trace, share float64, salt uint64) (*Trace, error) {
	if t.SizesVary() {
		return nil, errSizesVary
	}
	set := newObjectSet(t.Objects)
	limit := uint64(share * (1 << 63))
	for id := range uint32(t.Objects) {
		if mix(uint64(id)+salt*0x9e3779b97f4a7c15)>>1 < limit {
			set.add(id)
		}
	}
	var m Miniature
	s, err := newSampler(t, set, &m)
	if err != nil {
		return nil, err
	}
	s.size = make([]int64, len(m.old))
	if err := t.Each(0, func(_ int, b Batch) error {
		for _, r := range b.Requests {
			if set.has(r.ID) {
				s.size[set.number(r.ID)] = r.Size
			}
		}
		return nil
	}); err != nil {
		return nil, err
	}
	if err := gather(t, 0, []*sampler{s}); err != nil {
		return nil, err
	}
	return m.Trace, nil
}

// An objectSet is a set of a trace's objects, which are numbered in their order. It is
// small: a quarter of a byte for each object of the trace.
type objectSet struct {
	words []struct {
		bits   uint64 // for each of 64 objects, whether it is in the set
		before int    // objects of the set in earlier words; see count
	}
}

func newObjectSet(objects int) *objectSet {
	s := &objectSet{}
	s.words = slices.Grow(s.words, (objects+63)/64)[:(objects+63)/64]
	return s
}

func (s *objectSet) add(id uint32) { s.words[id>>6].bits |= 1 << (id & 63) }

func (s *objectSet) has(id uint32) bool { return s.words[id>>6].bits>>(id&63)&1 == 1 }

// count returns how many objects there are. None may be added after it, and number be
// called only then.
func (s *objectSet) count() (n int) {
	for i := range s.words {
		s.words[i].before = n
		n += bits.OnesCount64(s.words[i].bits)
	}
	return n
}

// list returns the objects; see count.
func (s *objectSet) list() []uint32 {
	ids := make([]uint32, 0, s.count())
	for i, w := range s.words {
		for x := w.bits; x != 0; x &= x - 1 {
			ids = append(ids, uint32(i<<6+bits.TrailingZeros64(x)))
		}
	}
	return ids
}

// number returns how many objects of the set come before id.
func (s *objectSet) number(id uint32) uint32 {
	w := &s.words[id>>6]
	return uint32(w.before + bits.OnesCount64(w.bits&(1<<(id&63)-1)))
}

// A sampler gathers the requests of one sample of a trace.
type sampler struct {
	*Miniature
	set    *objectSet
	size   []int64 // that the objects get
	memory *Memory
}

// newSampler makes a sampler for the requests of t for the objects of a set, of which it
// makes m.
func newSampler(t *Trace, set *objectSet, m *Miniature) (*sampler, error) {
	s := &sampler{Miniature: m, set: set, memory: &Memory{}}
	old := set.list()
	if len(old) == 0 {
		return nil, fmt.Errorf("sample of trace %s: none of its %d objects is in it: take a larger share", t.Name, t.Objects)
	}
	c := *t
	m.Trace, m.old = &c, old // its counts are those of the sample
	c.Requests, c.Objects, c.Footprint, c.RequestBytes, c.LargestSize, c.SizeChanges, c.Gets = 0, len(old), 0, 0, 0, 0, 0
	c.FileHash, c.Digest, c.Clock = nil, "", ""
	c.RequestCosts = nil
	c.Prompts = nil // the first block that is not in the sample would end every prefix
	c.ObjectName = func(id uint32) string { return t.ObjectName(old[id]) }
	c.Source = s.memory
	return s, nil
}

// inPass is how many samples are gathered in one pass over a trace.
const inPass = 64

// gather takes the requests of several samples, at most inPass, out of t. The first warmup
// requests are its warm-up.
func gather(t *Trace, warmup int, samplers []*sampler) error {
	if len(samplers) == 0 {
		return nil
	}
	inAny := newObjectSet(t.Objects)
	for _, s := range samplers {
		for _, id := range s.old {
			inAny.add(id)
		}
	}
	in := Make[uint64](inAny.count()) // for each of these, a bit for each of the samples that it is in
	for k, s := range samplers {
		for _, id := range s.old {
			in[inAny.number(id)] |= 1 << k
		}
	}
	type sampled struct{ id, i uint32 } // a request of a batch that is in any sample
	batch := make([]sampled, BatchSize)
	of := make([][]uint16, len(samplers)) // for each of the samples: its requests of a batch
	for k := range of {
		of[k] = make([]uint16, 0, BatchSize)
	}
	room := Batch{Requests: make([]Request, BatchSize), Ops: make([]Op, BatchSize), TTL: make([]uint32, BatchSize)}
	if err := t.Each(ColumnOps|ColumnTTL, func(start int, b Batch) error {
		// Most are in none, which no branch can foresee.
		n := 0
		for i, r := range b.Requests {
			batch[n] = sampled{r.ID, uint32(i)}
			if inAny.has(r.ID) {
				n++
			}
		}
		for _, r := range batch[:n] {
			for x := in[inAny.number(r.id)]; x != 0; x &= x - 1 {
				k := bits.TrailingZeros64(x)
				of[k] = append(of[k], uint16(r.i))
			}
		}
		for k, s := range samplers {
			s.take(b, of[k], warmup-start, room)
			of[k] = of[k][:0]
		}
		return nil
	}); err != nil {
		return err
	}
	for _, s := range samplers {
		s.finish()
	}
	return nil
}

// take adds the requests of a batch that are in the sample, of which it is passed the
// indexes; the batch's first warmup requests are of the warm-up. room has room for a
// batch.
func (s *sampler) take(b Batch, of []uint16, warmup int, room Batch) {
	got := Batch{Requests: room.Requests[:len(of)]}
	for k, i := range of {
		got.Requests[k] = b.Requests[i]
	}
	if warmup > 0 {
		k, _ := slices.BinarySearch(of, uint16(min(warmup, BatchSize)))
		s.Warmup += k
	}
	s.Gets += len(of)
	if b.Ops != nil {
		got.Ops = room.Ops[:len(of)]
		for k, i := range of {
			got.Ops[k] = b.Ops[i]
			if b.Ops[i] != Get {
				s.Gets--
			}
		}
	}
	if b.TTL != nil {
		got.TTL = room.TTL[:len(of)]
		for k, i := range of {
			got.TTL[k] = b.TTL[i]
		}
	}
	s.memory.AppendBatch(got)
}

// finish gives the requests the numbers and sizes that their objects have in the sample.
// What that looks up is small enough to stay in a fast cache, but not that of all samples
// together.
func (s *sampler) finish() {
	t := s.Trace
	for _, reqs := range s.memory.Chunks() {
		for i := range reqs {
			r := &reqs[i]
			r.ID = s.set.number(r.ID)
			r.Size = s.size[r.ID]
			t.RequestBytes += r.Size
		}
	}
	for _, size := range s.size {
		t.Footprint += size
		t.LargestSize = max(t.LargestSize, size)
	}
	s.memory.Objects = t.Objects
	t.Requests, t.Columns = s.memory.Len(), s.memory.Columns()
}

// mix is the output function of SplitMix64 (Steele, Lea, Flood, Fast splittable
// pseudorandom number generators, OOPSLA 2014): a hash that no policy uses.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
