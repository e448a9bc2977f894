package native

import (
	"slices"
	"testing"

	"cachesim/policies-native/policytest"
	"cachesim/sim"
)

// A Model tells what a policy must do: the rule of its paper over a plain list
// of objects that is searched from end to end. All policies serve requests
// alike and differ in whom they evict.
type Model struct {
	first     func(a, b object) bool // a is evicted before b
	capacity  int64
	stored    []object
	requests  int     // so far
	inflation float64 // L of GreedyDual-Size
	evictions int64
}

type object struct {
	id       uint32
	size     int64
	storedAt int // number of the request
	usedAt   int // number of the latest request for it
	count    int // requests since it was stored
	h        float64
}

var rules = map[string]func(a, b object) bool{
	"fifo":   func(a, b object) bool { return a.storedAt < b.storedAt },
	"lru":    func(a, b object) bool { return a.usedAt < b.usedAt },
	"lfu":    func(a, b object) bool { return a.count < b.count || a.count == b.count && a.usedAt < b.usedAt },
	"gdsize": func(a, b object) bool { return a.h < b.h || a.h == b.h && a.usedAt < b.usedAt },
}

// NewModel returns the model of the named policy, or nil where there is none.
func NewModel(policy string, capacity int64) *Model {
	if rules[policy] == nil {
		return nil
	}
	return &Model{first: rules[policy], capacity: capacity}
}

// Access serves r and reports whether it was a hit.
func (m *Model) Access(r sim.Request) bool {
	m.requests++
	i := slices.IndexFunc(m.stored, func(o object) bool { return o.id == r.ID })
	hit := i >= 0
	if !hit {
		for m.used()+r.Size > m.capacity {
			m.evict()
		}
		m.stored = append(m.stored, object{id: r.ID, size: r.Size, storedAt: m.requests})
		i = len(m.stored) - 1
	}
	o := &m.stored[i]
	o.usedAt = m.requests
	o.count++
	o.h = m.inflation + 1/float64(o.size) // +Inf where the size is 0
	return hit
}

func (m *Model) evict() {
	victim := 0
	for i, o := range m.stored {
		if m.first(o, m.stored[victim]) {
			victim = i
		}
	}
	m.inflation = m.stored[victim].h
	m.stored = slices.Delete(m.stored, victim, victim+1)
	m.evictions++
}

// used returns the bytes of the stored objects.
func (m *Model) used() int64 {
	var n int64
	for _, o := range m.stored {
		n += o.size
	}
	return n
}

// Evictions returns the objects evicted so far.
func (m *Model) Evictions() int64 { return m.evictions }

// inUse makes the bytes that a policy accounts for visible to the tests.
func (s *space) inUse() int64 { return s.used }

// counted is what the tests see of a policy.
type counted interface {
	sim.Policy
	sim.EvictionCounter
	inUse() int64
}

// newPolicy returns a new policy. Its parameters have their defaults.
func newPolicy(t *testing.T, s sim.Spec, capacity int64, objects int) counted {
	t.Helper()
	params, err := sim.CheckParams(s.Name, s.Params, nil)
	if err != nil {
		t.Fatal(err)
	}
	p, ok := s.New(sim.Config{Capacity: capacity, Objects: objects, Params: params}).(counted)
	if !ok {
		t.Fatalf("policy %s does not account for its bytes and evictions", s.Name)
	}
	return p
}

// checkModel replays reqs through the policy and its model and fails at the
// first request after which they differ.
func checkModel(t *testing.T, s sim.Spec, capacity int64, objects int, reqs []sim.Request) {
	t.Helper()
	p, m := newPolicy(t, s, capacity, objects), NewModel(s.Name, capacity)
	if m == nil {
		t.Fatalf("policy %s has no model", s.Name)
	}
	for i, r := range reqs {
		hit, want := p.Access(r), m.Access(r)
		if hit != want || p.Evictions() != m.evictions || p.inUse() != m.used() {
			t.Fatalf("%s, capacity %d: after request %d of %v\n got hit %v, %d evictions, %d bytes\nwant hit %v, %d evictions, %d bytes",
				s.Name, capacity, i+1, reqs[:i+1], hit, p.Evictions(), p.inUse(), want, m.evictions, m.used())
		}
		if p.inUse() > capacity {
			t.Fatalf("%s, capacity %d: %d bytes are stored after request %d of %v", s.Name, capacity, p.inUse(), i+1, reqs[:i+1])
		}
	}
}

// TestTinyTraces replays all sequences of a few requests for four objects.
func TestTinyTraces(t *testing.T) {
	length := 8
	if testing.Short() {
		length = 6
	}
	tests := []struct {
		sizes      [4]int64
		capacities []int64
	}{
		{[4]int64{1, 1, 1, 1}, []int64{1, 2, 3}},
		{[4]int64{1, 2, 3, 1}, []int64{3, 4, 5, 6}},
		{[4]int64{0, 1, 2, 0}, []int64{2}},
	}
	for _, s := range All {
		t.Run(s.Name, func(t *testing.T) {
			t.Parallel()
			for _, tt := range tests {
				for _, capacity := range tt.capacities {
					reqs := make([]sim.Request, length)
					for n := range 1 << (2 * length) { // two bits a request
						for i := range reqs {
							id := n >> (2 * i) & 3
							reqs[i] = sim.Request{ID: uint32(id), Size: tt.sizes[id]}
						}
						checkModel(t, s, capacity, len(tt.sizes), reqs)
					}
				}
			}
		})
	}
}

// FuzzPolicies compares every policy with its model, on requests as
// policytest.FromBytes makes them.
func FuzzPolicies(f *testing.F) {
	cases, err := policytest.Load("testdata/scripts")
	if err != nil {
		f.Fatal(err)
	}
	for _, c := range cases {
		capacity, sizes, order := c.Bytes()
		f.Add(capacity, sizes, order)
	}
	capacity, sizes, order := policytest.Mixed()
	f.Add(capacity, sizes, order)
	f.Fuzz(func(t *testing.T, capacity uint16, sizes, order []byte) {
		const most = 500 // requests; the models are slow
		reqs, objects := policytest.FromBytes(capacity, sizes, order[:min(len(order), most)])
		for _, s := range All {
			checkModel(t, s, int64(capacity), objects, reqs)
		}
	})
}
