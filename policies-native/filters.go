package native

import (
	"fmt"

	"cachesim/policies-native/kit"
	"cachesim/sim"
)

// Filters lists the admission filters in the order in which they are shown. Any
// of them can stand in front of any policy: lru+adaptsize.
var Filters = []sim.FilterSpec{
	sizeThresholdSpec,
	probSpec,
	expSizeSpec,
	secondHitSpec,
	tinyLFUSpec,
	adaptSizeSpec,
}

// FilterByName returns the spec of the named filter.
func FilterByName(name string) (sim.FilterSpec, bool) {
	for _, f := range Filters {
		if spelled(f.Name, name) {
			return f, true
		}
	}
	return sim.FilterSpec{}, false
}

// A filterable policy is one that a filter can stand in front of. The parts of
// the kit make it so.
type filterable interface {
	sim.Policy
	sim.Remover
	sim.EvictionCounter
	sim.Checker
	Has(id uint32) bool
	Full(size int64) bool
	Used() int64
}

// victimNamer is a policy that knows which object it would evict next. The cache
// is not empty when Victim is called.
type victimNamer interface {
	Victim() uint32
}

// Join returns the policy p with the filter f in front of it. It has the
// parameters of both; one of the filter whose name the policy uses too is named
// FILTER.NAME. An error says what the policy lacks for the filter.
func Join(p sim.Spec, f sim.FilterSpec) (sim.Spec, error) {
	s := p
	s.Name = p.Name + "+" + f.Name
	s.Title = p.Title + " + " + f.Title
	s.Doc = p.Doc + "; " + f.Doc
	s.Paper = p.Paper + "; " + f.Paper
	s.Default = false
	s.Random = p.Random || f.Random
	s.FixedScale = p.FixedScale || f.FixedScale
	s.Sizes = max(p.Sizes, f.Sizes)
	s.Memory += f.Memory
	if p.Revision != 0 || f.Revision != 0 {
		s.Revision = 1000*p.Revision + f.Revision
	}
	s.Params = append([]sim.Param(nil), p.Params...)
	own := map[string]string{} // the filter's names for its parameters, by those of s
	for _, q := range f.Params {
		name := q.Name
		if declares(p.Params, name) {
			q.Name = f.Name + "." + name
		}
		own[q.Name] = name
		s.Params = append(s.Params, q)
	}
	s.New = func(c sim.Config) sim.Policy {
		fc := c
		fc.Params = map[string]float64{}
		for name, of := range own {
			fc.Params[of] = c.Params[name]
		}
		return filter(f.New(fc), p.New(c).(filterable))
	}

	// A policy shows what it can do only once it is made.
	params, err := sim.CheckParams(s.Name, s.Params, nil)
	if err != nil {
		return sim.Spec{}, err
	}
	c := sim.Config{Capacity: 1, Objects: 1, Params: params}
	made := p.New(c)
	if _, ok := made.(filterable); !ok {
		return sim.Spec{}, fmt.Errorf("policy %s cannot have an admission filter: it does not report which objects it holds", p.Name)
	}
	fc := sim.Config{Capacity: 1, Objects: 1, Params: map[string]float64{}}
	for _, q := range f.Params {
		fc.Params[q.Name] = q.Default
	}
	if _, ok := f.New(fc).(sim.VictimFilter); ok {
		if _, ok := made.(victimNamer); !ok {
			return sim.Spec{}, fmt.Errorf("policy %s cannot have the filter %s, which compares an object with the one to be evicted: the policy does not name that", p.Name, f.Name)
		}
	}
	return s, nil
}

func declares(params []sim.Param, name string) bool {
	for _, p := range params {
		if p.Name == name {
			return true
		}
	}
	return false
}

// filtered is a policy behind a filter: the object of a miss that the filter does
// not admit is not stored, and the policy does not see the request.
type filtered struct {
	filterable
	kit.Admitted
	filter    sim.Filter
	over      sim.VictimFilter     // nil: it compares with no victim
	namer     victimNamer          // set with over
	preloader sim.Preloader        // nil: the policy is none
	counter   sim.AdmissionCounter // nil: the policy stores each object that it is passed
	removed   int64                // objects
}

// clairvoyantFiltered is a filtered one for a policy that knows the future.
type clairvoyantFiltered struct {
	filtered
	clairvoyant sim.Clairvoyant
}

func filter(f sim.Filter, p filterable) sim.Policy {
	q := filtered{filterable: p, filter: f}
	q.preloader, _ = p.(sim.Preloader)
	q.counter, _ = p.(sim.AdmissionCounter)
	if q.over, _ = f.(sim.VictimFilter); q.over != nil {
		q.namer = p.(victimNamer)
	}
	if c, ok := p.(sim.Clairvoyant); ok {
		return &clairvoyantFiltered{q, c}
	}
	return &q
}

// Access serves r and reports whether it was a hit.
func (p *filtered) Access(r sim.Request) bool {
	hit := p.Has(r.ID)
	if hit || p.admits(r) {
		hit = p.filterable.Access(r)
	}
	p.filter.Served(r, hit)
	return hit
}

// AccessNext serves r and reports whether it was a hit.
func (p *clairvoyantFiltered) AccessNext(r sim.Request, next uint32) bool {
	hit := p.Has(r.ID)
	if hit || p.admits(r) {
		hit = p.clairvoyant.AccessNext(r, next)
	}
	p.filter.Served(r, hit)
	return hit
}

// admits asks the filter, and counts the object if it is stored.
func (p *filtered) admits(r sim.Request) bool {
	var stored bool
	if p.over != nil && p.Full(r.Size) {
		n, _ := p.Admissions()
		stored = p.over.AdmitOver(r, p.namer.Victim(), int(n-p.Evictions()-p.removed))
	} else {
		stored = p.filter.Admit(r)
	}
	if stored {
		p.Admit(r.Size)
	}
	return stored
}

// Admissions returns the objects stored so far, and their bytes.
func (p *filtered) Admissions() (objects, bytes int64) {
	if p.counter != nil {
		return p.counter.Admissions()
	}
	return p.Admitted.Admissions()
}

// Remove takes the object out of the cache and reports whether it was in there.
func (p *filtered) Remove(id uint32) bool {
	if !p.filterable.Remove(id) {
		return false
	}
	p.removed++
	return true
}

// Preload loads the policy's state of the objects in reqs.
func (p *filtered) Preload(reqs []sim.Request) {
	if p.preloader != nil {
		p.preloader.Preload(reqs)
	}
}
