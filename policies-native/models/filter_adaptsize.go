package models

import "math"

// AdaptSize is a model of the filter adaptsize, which admits an object of s bytes with the
// probability exp(-s/c): it knows what was requested, and predicts how many hits there would
// be with any c.
type AdaptSize struct {
	capacity     float64
	window, left int
	objects      map[uint32]*requested
}

// requested is what is known of an object.
type requested struct {
	size float64
	now  float64 // requests in this window
	rate float64 // requests in a window, 0.7 of the latest and 0.3 of those before
}

// NewAdaptSize returns a model for a capacity, and windows of the given number of requests.
func NewAdaptSize(capacity int64, window int) *AdaptSize {
	return &AdaptSize{float64(capacity), window, window, map[uint32]*requested{}}
}

// Serve counts a request and reports whether it ends a window. A window is prolonged until
// the objects have three times the bytes of the capacity.
func (m *AdaptSize) Serve(id uint32, size int64) bool {
	o := m.objects[id]
	if o == nil {
		o = &requested{size: float64(size)}
		m.objects[id] = o
	}
	o.now++
	if m.left--; m.left > 0 {
		return false
	}
	bytes := 0.0
	for _, o := range m.objects {
		bytes += o.size
	}
	if bytes <= 3*m.capacity {
		m.left = m.window / 50
		return false
	}
	m.left = m.window
	for id, o := range m.objects {
		o.rate, o.now = 0.7*o.now+0.3*o.rate, 0
		if o.rate < 0.1 {
			delete(m.objects, id)
		}
	}
	return true
}

// Predict returns the hits of a window with c, by Che's approximation: an object that is
// requested r times in a window, and admitted with the probability a, is in the cache with
// the probability p(T) = a(e^rT - 1) / (1 + a(e^rT - 1)), where the bytes in the cache add up
// to the capacity. T is a window at most.
func (m *AdaptSize) Predict(c float64) float64 {
	sum := func(t float64, of func(o *requested, p float64) float64) float64 {
		total := 0.0
		for _, o := range m.objects {
			x := math.Exp(-o.size/c) * math.Expm1(min(o.rate*t, 600))
			total += of(o, x/(1+x))
		}
		return total
	}
	low, high := 0.0, 1.0
	for range 24 {
		t := (low + high) / 2
		if sum(t, func(o *requested, p float64) float64 { return o.size * p }) > m.capacity {
			high = t
		} else {
			low = t
		}
	}
	return sum(low, func(o *requested, p float64) float64 { return o.rate * p })
}

// Most returns the most hits that any c of a fine grid promises: no search, so that there is
// no other maximum to end in.
func (m *AdaptSize) Most() float64 {
	most := 0.0
	for k := 0.0; math.Exp2(k) <= m.capacity; k += 1.0 / 4 {
		most = max(most, m.Predict(math.Exp2(k)))
	}
	return most
}
