package sim

import "fmt"

// Sample returns a trace of the requests for a share of t's objects, which a
// hash of their ids chooses, so that every object is in it with all of its
// requests or with none (Waldspurger, Park, Garthwaite, Ahmad, Efficient MRC
// construction with SHARDS, FAST 2015). Ids are dense again; it is held in
// memory. Different salts choose different objects.
func Sample(t *Trace, share float64, salt uint64) (*Trace, error) {
	const none = ^uint32(0)
	ids := make([]uint32, t.Objects) // in the sample
	var old []uint32                 // in t
	limit := uint64(share * (1 << 63))
	for i := range ids {
		ids[i] = none
		if mix(uint64(i)+salt*0x9e3779b97f4a7c15)>>1 < limit {
			ids[i] = 0
		}
	}
	chosen := func(id uint32) bool { return ids[id] != none }
	m := &Memory{}
	s := *t
	s.Requests, s.Objects, s.Footprint, s.RequestBytes, s.LargestSize, s.SizeChanges, s.Gets = 0, 0, 0, 0, 0, 0, 0
	s.SHA256, s.Digest, s.Clock = "", "", ""
	s.Prompts = nil // the first block that is not in the sample would end every prefix
	seen := newOutcomes(t.Objects)
	err := t.Each(ColumnOps|ColumnTTL, func(_ int, b Batch) error {
		for i, r := range b.Requests {
			if !chosen(r.ID) {
				continue
			}
			if !seen.Hit(int(r.ID)) {
				seen.set(int(r.ID))
				ids[r.ID] = uint32(len(old))
				old = append(old, r.ID)
				s.Footprint += r.Size
				s.LargestSize = max(s.LargestSize, r.Size)
			}
			r.ID = ids[r.ID]
			op, ttl := Get, uint32(0)
			if b.Ops != nil {
				op = b.Ops[i]
			}
			if b.TTL != nil {
				ttl = b.TTL[i]
			}
			m.Append(r, op, ttl)
			s.RequestBytes += r.Size
			if op == Get {
				s.Gets++
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if m.Len() == 0 {
		return nil, fmt.Errorf("sample of trace %s: none of its %d objects is in it: take a larger share", t.Name, t.Objects)
	}
	m.Objects = len(old)
	s.Requests, s.Objects, s.Columns, s.Source = m.Len(), len(old), m.Columns(), m
	s.ObjectName = func(id uint32) string { return t.ObjectName(old[id]) }
	return &s, nil
}

// mix is the output function of SplitMix64 (Steele, Lea, Flood, Fast splittable
// pseudorandom number generators, OOPSLA 2014): a hash that no policy uses.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
