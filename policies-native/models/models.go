// Package models holds, for the native policies, models that are too simple to
// be wrong in the same way: the rule of the paper over plain slices that are
// searched from end to end. They import sim only and share no code with the
// policies. Tests compare the two request by request.
package models

import "cachesim/sim"

// A Model is what a policy must do.
type Model interface {
	// Access serves r, which is never larger than the capacity, and reports
	// whether it was a hit. next is the next access of the object, or
	// sim.Never; only models of offline policies may look at it.
	Access(r sim.Request, next uint32) bool
	// Remove removes an object, as a delete does, and reports whether it was in
	// the cache.
	Remove(id uint32) bool
	// Used returns the sizes of all resident objects together.
	Used() int64
	// Evictions returns how many objects were evicted so far.
	Evictions() int64
}

// All holds what makes the model of each policy, by the policy's name.
var All = map[string]func(sim.Config) Model{
	"fifo":   newFIFO,
	"lru":    newLRU,
	"lfu":    newLFU,
	"gdsize": newGDSize,

	"mru":         newMRU,
	"clock":       newClock,
	"random":      newRandom,
	"perfect-lfu": newPerfectLFU,
	"lfuda":       newLFUDA,
	"size":        newSize,
	"lru-k":       newLRUK,

	"2q":          newTwoQ,
	"slru":        newSLRU,
	"s4lru":       newS4LRU,
	"mq":          newMQ,
	"fifo-merge":  newFIFOMerge,
	"qdlp":        newQDLP,
	"s3fifo":      newS3FIFO,
	"sieve":       newSIEVE,
	"s4fifo":      newS4FIFO,
	"clock2qplus": newClock2QPlus,

	"arc":                newARC,
	"car":                newCAR,
	"lirs":               newLIRS,
	"clock-pro":          newClockPro,
	"gdsf":               newGDSF,
	"camp":               newCAMP,
	"hyperbolic":         newHyperbolic,
	"lecar":              newLeCaR,
	"cacheus":            newCacheus,
	"merlin":             newMerlin,
	"adaptiveclimb":      newAdaptiveClimb,
	"w-tinylfu":          newWTinyLFU,
	"w-tinylfu-adaptive": newWTinyLFUAdaptive,
	"lhd":                newLHD,

	"belady":        newBelady,
	"belady-bypass": newBeladyBypass,
	"belady-size":   newBeladySize,

	"lru+size-threshold": newLRUSizeThreshold,
	"lru+second-hit":     newLRUSecondHit,
	"lru+prob":           newLRUProb,
	"lru+exp-size":       newLRUExpSize,
	"lru+tinylfu":        newLRUTinyLFU,
}

// ranked is a cache that stores every object that it misses, and evicts the one
// that comes first in some order until there is room. Many policies differ in
// that order only.
type ranked struct {
	first     func(a, b object) bool // a is evicted before b
	renew     func(o *object)        // at each request for o, once it is stored; may be nil
	evicting  func(o object)         // before o is evicted; may be nil
	capacity  int64
	stored    []object
	requests  int // so far
	evictions int64
}

type object struct {
	id       uint32
	size     int64
	storedAt int // number of the request
	usedAt   int // number of the latest request for it
	count    int // requests since it was stored
	next     uint32
	key      float64
}

func (m *ranked) Access(r sim.Request, next uint32) bool {
	m.requests++
	i := m.find(r.ID)
	hit := i >= 0
	if !hit {
		for m.Used()+r.Size > m.capacity {
			m.evict()
		}
		m.stored = append(m.stored, object{id: r.ID, size: r.Size, storedAt: m.requests})
		i = len(m.stored) - 1
	}
	o := &m.stored[i]
	o.usedAt = m.requests
	o.count++
	o.next = next
	if m.renew != nil {
		m.renew(o)
	}
	return hit
}

func (m *ranked) Remove(id uint32) bool {
	i := m.find(id)
	if i < 0 {
		return false
	}
	m.stored = append(m.stored[:i], m.stored[i+1:]...)
	return true
}

func (m *ranked) Used() int64 {
	var n int64
	for _, o := range m.stored {
		n += o.size
	}
	return n
}

func (m *ranked) Evictions() int64 { return m.evictions }

// find returns the index of a stored object, or -1.
func (m *ranked) find(id uint32) int {
	for i, o := range m.stored {
		if o.id == id {
			return i
		}
	}
	return -1
}

func (m *ranked) evict() {
	victim := 0
	for i, o := range m.stored {
		if m.first(o, m.stored[victim]) {
			victim = i
		}
	}
	if m.evicting != nil {
		m.evicting(m.stored[victim])
	}
	m.stored = append(m.stored[:victim], m.stored[victim+1:]...)
	m.evictions++
}
