package sim

import (
	"fmt"
	"sort"
	"strconv"
	"strings"

	"github.com/agnivade/levenshtein"
)

// A Policy is a cache with its replacement policy, as the author of a native
// one writes it.
type Policy interface {
	// Access serves r and reports whether it was a hit. The engine never
	// passes an object larger than the cache.
	Access(r Request) bool
}

// An EvictionCounter is a Policy that knows how many objects it has evicted.
type EvictionCounter interface {
	Evictions() int64
}

// A Replayer serves requests in batches. The engine drives nothing else:
// native policies become one with Native, guests are one by nature.
type Replayer interface {
	// Replay serves reqs in order and sets hit[i] to whether reqs[i] was
	// cached; the two have the same length. It keeps neither slice. An error
	// means that the policy can serve no more.
	Replay(reqs []Request, hit []bool) error

	// Evictions returns the objects evicted so far; known is false where the
	// policy cannot tell.
	Evictions() (n int64, known bool)

	// Close frees what the replayer owns. It is not used afterwards.
	Close() error
}

// Native makes a Replayer of a native policy.
func Native(p Policy) Replayer { return native{p} }

type native struct{ p Policy }

func (n native) Replay(reqs []Request, hit []bool) error {
	for i, r := range reqs {
		hit[i] = n.p.Access(r)
	}
	return nil
}

func (n native) Evictions() (int64, bool) {
	if c, ok := n.p.(EvictionCounter); ok {
		return c.Evictions(), true
	}
	return 0, false
}

func (n native) Close() error { return nil }

// A Config is what a policy is made with.
type Config struct {
	Capacity int64              // bytes
	Objects  int                // distinct objects in the trace: ids are below it
	Seed     uint64             // for policies that draw random numbers
	Params   map[string]float64 // a value for every declared parameter
}

// A Param declares a parameter of a policy.
type Param struct {
	Name     string
	Default  float64
	Min, Max float64 // inclusive
	Doc      string
}

// A Spec describes a native policy.
type Spec struct {
	Name   string // as in --policy
	Doc    string // one line
	Paper  string // authors, title, venue, year
	Params []Param
	New    func(Config) Policy
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
