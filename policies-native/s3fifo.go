package native

import (
	"cachesim/policies-native/kit"
	"cachesim/sim"
)

// s3fifo quickly drops objects that are not used soon after they were stored.
//
//	                 2 hits         ┌────────┐ hit: again, one hit less
//	        ┌──────────────────────▶│  main  │◀─┐
//	        │                       │  90 %  │──┘
//	  ┌─────┴──┐                    └─┬──────┘
//	─▶│ small  │ else  ┌───────┐      └──▶ evicted
//	  │  10 %  ├──────▶│ ghost │ requested again: to main
//	  └────────┘       └───────┘
//
// All three are FIFO queues: objects enter at the front. Each resident counts up to
// 3 hits, from 0 when it enters small, main from small, or main from ghost. A miss
// first drops the object's ghost if there is one, then evicts while the object does
// not fit, then stores it in main if there was a ghost, in small otherwise. To evict:
//
//   - If main has more than its share of the capacity, or small is empty, take the
//     object at the back of main. With hits it moves to the front, with one hit less,
//     and the next one is taken; without, it is evicted and this ends.
//   - Otherwise take the object at the back of small. With at least threshold hits
//     it moves to main, and the next one is taken, until one is evicted to ghost, or
//     small is empty.
//
// Before an object enters ghost, ghosts leave at the back until it fits into ghost
// times the capacity, counted by the sizes that they had; if it is larger than that
// it is not remembered. The share of small is rounded down, main has the rest. Shares
// say where to evict from, they bound no object: one that is larger than small enters
// small like any other, and is one of the first to leave it. libCacheSim never stores
// objects as large as its share of small; the paper has objects of one size. The
// defaults are the paper's, which leaves open what happens before the cache is full.
//
// With revised 1, as in libCacheSim since December 2024, an object without ghost
// enters main if small has its share or more and nothing was evicted so far, not for
// this object either: small is small as soon as the cache is full.
//
// A request takes constant time, plus that of the moves, of which there are at most
// as many as hits. Evictions are the objects that leave small for ghost, and main;
// neither moves to main or within it, nor ghosts.
type s3fifo struct {
	kit.Queues[uint8] // value: hits, up to 3
	smallShare        int64
	mainShare         int64
	ghostShare        int64
	threshold         uint8
	fillsMainAtFirst  bool
}

const (
	s3Small = iota
	s3Main
	s3Ghost
)

var s3fifoSpec = sim.Spec{
	Name:  "s3fifo",
	Title: "S3-FIFO",
	Doc:   "a small FIFO queue for new objects, a main one for those that were used in it, and ghosts",
	Paper: "Yang, Zhang, Qiu, Yue, Rashmi, FIFO queues are all you need for cache eviction, SOSP 2023",
	Params: []sim.Param{
		{Name: "small", Default: 0.1, Min: 0, Max: 1, Doc: "share of the capacity for the small queue"},
		{Name: "ghost", Default: 0.9, Min: 0, Max: 100, Doc: "bytes of ghosts, as a share of the capacity"},
		{Name: "threshold", Default: 2, Min: 1, Max: 3, Doc: "hits in the small queue that move an object to the main one"},
		{Name: "revised", Default: 0, Min: 0, Max: 1, Doc: "1: until the first eviction the main queue takes what the small one has no room for"},
	},
	Default: true,
	Memory:  24,
	New: func(c sim.Config) sim.Policy {
		p := &s3fifo{
			Queues:           kit.NewQueues[uint8](c, 2, 1),
			threshold:        uint8(c.Param("threshold")),
			fillsMainAtFirst: c.Param("revised") != 0,
		}
		p.smallShare, p.ghostShare = p.Share(c.Param("small")), p.Share(c.Param("ghost"))
		p.mainShare = c.Capacity - p.smallShare
		return p
	},
}

// Access serves r and reports whether it was a hit.
func (p *s3fifo) Access(r sim.Request) bool {
	hits := p.Value(r.ID)
	if p.Has(r.ID) {
		*hits = min(*hits+1, 3)
		return true
	}
	queue := s3Small
	if p.Forget(r.ID, s3Ghost) {
		queue = s3Main
	}
	for p.Full(r.Size) {
		if p.Bytes(s3Main) > p.mainShare || p.Empty(s3Small) {
			p.evictMain()
		} else {
			p.evictSmall()
		}
	}
	if p.fillsMainAtFirst && p.Evictions() == 0 && p.Bytes(s3Small) >= p.smallShare {
		queue = s3Main
	}
	*hits = 0
	p.PushFront(queue, r.ID, r.Size)
	return false
}

func (p *s3fifo) evictSmall() {
	for !p.Empty(s3Small) {
		id := p.Back(s3Small)
		hits := p.Value(id)
		if *hits < p.threshold {
			p.Demote(id, s3Ghost, p.ghostShare)
			return
		}
		*hits = 0
		p.Move(id, s3Main)
	}
}

func (p *s3fifo) evictMain() {
	for {
		id := p.Back(s3Main)
		hits := p.Value(id)
		if *hits == 0 {
			p.Evict(id)
			return
		}
		*hits--
		p.MoveToFront(id)
	}
}
