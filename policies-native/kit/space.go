// Package kit holds the parts that replacement policies are built from. A part
// owns the membership of objects and their bytes together, so that a policy
// cannot get them out of step, and provides what the engine and the tests ask
// of a policy: Has, Remove, Used, Evictions, Check and Preload.
//
// Objects have dense ids, so the parts are arrays indexed by them.
package kit

import "fmt"

// Space accounts for the capacity of a cache and counts its evictions. It is
// part of the other parts; a policy with several uses that of one.
type Space struct {
	capacity int64
	used     int64 // never above capacity between requests
	evicted  int64 // objects
}

// Capacity returns what the cache holds at most, in the unit of sizes.
func (s *Space) Capacity() int64 { return s.capacity }

// Used returns the sizes of all resident objects together.
func (s *Space) Used() int64 { return s.used }

// Full reports whether an object of the given size needs an eviction first.
func (s *Space) Full(size int64) bool { return s.used+size > s.capacity }

// Evictions returns the objects evicted so far.
func (s *Space) Evictions() int64 { return s.evicted }

func (s *Space) check(used int64) error {
	switch {
	case used != s.used:
		return fmt.Errorf("the sizes of the resident objects add up to %d, but %d are accounted for", used, s.used)
	case used > s.capacity:
		return fmt.Errorf("%d of %d are used", used, s.capacity)
	}
	return nil
}

// Admitted counts the objects that a policy stores. Only a policy that does not
// store every object that it misses embeds it, and calls Admit. (It is not named
// after its method, which the name of the embedded field would hide.)
type Admitted struct{ objects, bytes int64 }

// Admit counts an object that is stored.
func (a *Admitted) Admit(size int64) {
	a.objects++
	a.bytes += size
}

// Admissions returns the objects stored so far, and their bytes.
func (a *Admitted) Admissions() (objects, bytes int64) { return a.objects, a.bytes }
