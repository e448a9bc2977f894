package sim

import (
	"fmt"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/agnivade/levenshtein"
)

// A Policy is a cache with its replacement policy, as the author of a native
// one writes it. What else it can do it shows by the optional interfaces below,
// most of which the parts in policies-native/kit implement.
type Policy interface {
	// Access serves r and reports whether it was a hit. The engine never
	// passes an object larger than the cache.
	Access(r Request) bool
}

// A Clairvoyant policy is one that has to know the future: the engine calls
// AccessNext instead of Access. next is the index in the trace of the object's
// next request, larger than that of any earlier request, or Never.
type Clairvoyant interface {
	Policy
	AccessNext(r Request, next uint32) bool
}

// A Remover is a Policy from which an object can be removed, because it was
// deleted or has expired. Remove reports whether the object was in the cache.
// It leaves no trace there, and does not count as an eviction; what the policy
// remembers of objects that are not in the cache stays as it is.
type Remover interface {
	Remove(id uint32) bool
}

// An EvictionCounter is a Policy that knows how many objects it has evicted.
type EvictionCounter interface {
	Evictions() int64
}

// An AdmissionCounter is a Policy that does not store every object that it
// misses. It reports how many it has stored, and their bytes.
type AdmissionCounter interface {
	Admissions() (objects, bytes int64)
}

// A Preloader is a Policy that can load the state of the objects in reqs into
// the processor's caches: loads for many requests overlap, those of one after
// the other do not. It has no effect on outcomes.
type Preloader interface {
	Preload(reqs []Request)
}

// A Checker is a Policy that can check its own invariants: that it uses no more
// than its capacity, and that the sizes of what it stores add up. Tests call it.
type Checker interface {
	Check() error
}

// A Replayer serves requests in batches. The engine drives nothing else:
// native policies become one with Native, guests are one by nature.
type Replayer interface {
	// Replay serves b's requests in order and sets hit[i] to whether
	// b.Requests[i] was in the cache; the two have the same length. b.Next,
	// b.Ops and b.TTL are set for policies that need them (Needs), the latter two
	// where the trace has them; what they mean for the cache is the engine's
	// business. It keeps no slice. An error means that the policy cannot continue.
	Replay(b Batch, hit []bool) error

	// Remove removes an object and reports whether it was in the cache; see
	// Remover. It must not be called where CanRemove is false.
	Remove(id uint32) (bool, error)
	CanRemove() bool

	// Counts returns what the policy has counted so far.
	Counts() Counts

	// Close frees what the replayer owns. It is not used afterwards.
	Close() error
}

// A Timer is a Replayer that knows the time spent in its policy better than who
// calls it: because the policy runs in another process.
type Timer interface {
	Replayer
	Spent() time.Duration // so far
}

// Counts are a policy's own counts, each -1 where it is not known.
type Counts struct {
	Evictions     int64 // objects evicted
	Admissions    int64 // objects stored; -1 with StoresMisses: every miss
	AdmittedBytes int64
	StoresMisses  bool // the policy stores each object that it misses
}

// A Config is what a policy is made with.
type Config struct {
	Capacity int64 // bytes; objects where every request has size 1
	Objects  int   // distinct objects in the trace: ids are below it
	Requests int   // that will be replayed at most; 0: not known
	Seed     uint64
	Tick     time.Duration      // unit of Request.Time; 0: the trace has no clock
	Params   map[string]float64 // a value for every declared parameter

	// Sizes are the true sizes of the objects, where those of the requests only
	// say how much room they need in a miniature; otherwise nil. See Spec.Sizes.
	Sizes []int64

	// SampleRate is the share of a trace's objects that there are, and of a cache
	// that Capacity is, in a miniature; otherwise 0.
	SampleRate float64
}

// Whole returns how many objects n of the policy's stand for.
func (c *Config) Whole(n float64) float64 {
	if c.SampleRate > 0 {
		return n / c.SampleRate
	}
	return n
}

// Size returns the size of r's object by which to compare it with others.
func (c *Config) Size(r Request) int64 {
	if c.Sizes != nil {
		return c.Sizes[r.ID]
	}
	return r.Size
}

// A SizeUse says what a policy uses sizes for besides the room that objects need.
type SizeUse uint8

// The uses of sizes.
const (
	SizesAreRoom     SizeUse = iota // for nothing
	SizesAreWeighed                 // it compares objects by Config.Sizes where they are there
	SizesAreCompared                // it compares the sizes of requests
)

// Miniaturization says how far a policy can be scaled down so that it still behaves
// as at full size; the zero value is for most.
type Miniaturization struct {
	Cached int // objects that a miniature holds at least; 0: 300
	// TrueSizes says that the policy does something else where large objects are made
	// smaller: because others fill the room that one of them leaves.
	TrueSizes bool
}

// Share returns how many objects the object of r counts as: less than 1 where a
// miniature has more of the large ones than of others.
func (c *Config) Share(r Request) float64 {
	if c.Sizes == nil || c.Sizes[r.ID] <= r.Size {
		return 1
	}
	return float64(r.Size) / float64(c.Sizes[r.ID])
}

// Param returns the value of a declared parameter. It panics for another name:
// that is a fault of the policy, and a zero would go unnoticed.
func (c Config) Param(name string) float64 {
	v, ok := c.Params[name]
	if !ok {
		panic(fmt.Sprintf("policy asks for parameter %q, which it has not declared", name))
	}
	return v
}

// A Param declares a parameter of a policy.
type Param struct {
	Name     string
	Default  float64
	Min, Max float64 // inclusive
	Doc      string
}

// Needs are what a policy needs besides ids and sizes, as bits.
type Needs uint8

// The needs of policies.
const (
	NeedsNext Needs = 1 << iota // the next access of each request; the policy is Clairvoyant
	NeedsTime                   // the times of the requests: the trace must have a clock
	NeedsOps                    // the operations, as far as they reach a policy: gets and sets
	NeedsTTL                    // the times to live
)

// A Spec describes a native policy.
type Spec struct {
	Name   string // as in --policy
	Title  string // as in print: "S3-FIFO"
	Doc    string // one line
	Paper  string // authors, title, venue, year
	Params []Param
	Needs  Needs
	// Random says that outcomes depend on Config.Seed, as those of a policy do
	// that draws numbers or hashes ids.
	Random bool
	// Default says that run compares the policy where none is named.
	Default bool
	// Revision is raised whenever the policy's outcomes change, so that older
	// results are not taken for its own.
	Revision int
	// Memory is about how many bytes the policy needs for each object of the
	// trace, for the estimates of plan.
	Memory int
	// Cost is about how long a request takes, in multiples of LRU's time, for the
	// estimates of plan; 0: as long.
	Cost float64
	// FixedScale says that the policy behaves differently when trace and cache
	// are scaled down together, so that sampling cannot estimate its results.
	FixedScale bool
	// Sizes says what samples the policy can replay.
	Sizes SizeUse
	// Miniature says how large miniatures have to be at least.
	Miniature Miniaturization
	New       func(Config) Policy
}

// CheckParams returns given completed with the defaults of params, or an error
// that names the first value that is unknown (with the nearest known name) or
// out of range.
func CheckParams(policy string, params []Param, given map[string]float64) (map[string]float64, error) {
	known := make([]string, 0, len(params))
	all := make(map[string]float64, len(params))
	for _, p := range params {
		known = append(known, p.Name)
		all[p.Name] = p.Default
	}
	names := make([]string, 0, len(given))
	for name := range given {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		v := given[name]
		if _, ok := all[name]; !ok {
			if len(params) == 0 {
				return nil, fmt.Errorf("policy %s has no parameter %q: it takes none", policy, name)
			}
			return nil, fmt.Errorf("policy %s has no parameter %q%s", policy, name, DidYouMean(name, known))
		}
		for _, p := range params {
			if p.Name == name && !(v >= p.Min && v <= p.Max) {
				return nil, fmt.Errorf("policy %s: %s=%v is out of range: want %v to %v", policy, name, v, p.Min, p.Max)
			}
		}
		all[name] = v
	}
	return all, nil
}

// PolicyName writes a policy and the parameters given for it in one canonical
// way: name:a=1,b=2, sorted by parameter.
func PolicyName(name string, given map[string]float64) string {
	parts := make([]string, 0, len(given))
	for k, v := range given {
		parts = append(parts, k+"="+strconv.FormatFloat(v, 'g', -1, 64))
	}
	if len(parts) == 0 {
		return name
	}
	sort.Strings(parts)
	return name + ":" + strings.Join(parts, ",")
}

// DidYouMean returns "; did you mean X?" for the known name nearest to name, or
// "; known are …" where none is near.
func DidYouMean(name string, known []string) string {
	best, distance := "", 1+max(2, len(name)/2)
	for _, k := range known {
		if d := levenshtein.ComputeDistance(strings.ToLower(name), strings.ToLower(k)); d < distance {
			best, distance = k, d
		}
	}
	if best != "" {
		return fmt.Sprintf("; did you mean %q?", best)
	}
	return "; known are " + strings.Join(known, ", ")
}
