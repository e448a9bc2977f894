package bounds

import "cachesim/sim"

// A Bound is a bound as it is named beside policies.
type Bound struct {
	Name, Title, Doc, Paper string
	Memory                  int // bytes for each request of the trace
	Of                      func(t *sim.Trace, o Options, capacities []int64) ([]Result, error)
}

const paper = "Berger, Beckmann, Harchol-Balter, Practical bounds on optimal caching with variable object sizes, POMACS 2(2), 2018"

// All lists the bounds.
var All = []Bound{
	{"pfoo-u", "PFOO-U", "hits that knowing the future allows: the optimum has as many or more", paper, 68, PFOOU},
	{"pfoo-l", "PFOO-L", "hits that no policy can exceed: the optimum has as many or fewer", paper, 20, PFOOL},
}

// ByName returns the bound of the given name.
func ByName(name string) (Bound, bool) {
	for _, b := range All {
		if b.Name == name {
			return b, true
		}
	}
	return Bound{}, false
}
