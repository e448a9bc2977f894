package sim

// A Filter decides which objects a cache stores, in front of any policy: the
// policy sees the hits, and the misses whose objects are admitted. A filter is
// used by one replay.
type Filter interface {
	// Admit reports whether the object of r, which is not in the cache, is to
	// be stored.
	Admit(r Request) bool
	// Served is called after each request with its outcome; hits are among them.
	Served(r Request, hit bool)
}

// A VictimFilter is a Filter that compares the object with the one that has to go
// for it. Where the cache has no room AdmitOver is called instead of Admit, with
// the object that the policy would evict first and the number of objects in the
// cache.
type VictimFilter interface {
	Filter
	AdmitOver(r Request, victim uint32, cached int) bool
}

// A FilterSpec describes a filter.
type FilterSpec struct {
	Name     string // as in --policy, behind a policy and a plus sign: lru+adaptsize
	Title    string // as in print: "AdaptSize"
	Doc      string // one line
	Paper    string // authors, title, venue, year
	Params   []Param
	Random   bool // as in Spec
	Revision int  // as in Spec
	Memory   int  // as in Spec
	// FixedScale is as in Spec.
	FixedScale bool
	// Sizes is as in Spec.
	Sizes SizeUse
	New   func(Config) Filter
}
