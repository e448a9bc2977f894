// Package gen makes synthetic traces.
package gen

import (
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"strconv"
	"time"

	"cachesim/sim"
	"cachesim/traces"
)

// Options describe a synthetic trace. Default has usual values.
//
// Most requests are for a population of objects whose popularity follows Zipf's
// law, each drawn independently of those before it (the independent reference
// model; Breslau et al., Web caching and Zipf-like distributions, INFOCOM
// 1999). Drift replaces objects of the population by new ones, and scans ask for
// objects one after the other.
type Options struct {
	Seed     uint64
	Requests int
	Objects  int     // in the population; those that are never drawn are not in the trace
	Skew     float64 // exponent of Zipf's law: object k has weight k^-Skew; 0: all are alike

	Drift float64 // share of the population that is replaced by new objects over the trace

	Scan        float64 // share of requests that belong to scans
	ScanLength  int     // requests of a scan
	ScanObjects int     // objects that are scanned over and over

	// Sizes, which do not depend on popularity, are lognormal; a share of them
	// are Pareto from 8 times the median on, with the given exponent.
	MedianSize int64   // bytes
	SizeSigma  float64 // of the logarithm; 0: all objects have the median size
	SizeTail   float64 // share of objects
	TailShape  float64 // exponent
	LargestAt  int64   // sizes are cut to this

	Duration time.Duration // of the whole trace: requests are a Poisson process
	TTL      float64       // share of objects with a time to live: a minute, an hour or a day
	Sets     float64       // share of requests that are writes
	Deletes  float64       // share of requests that are deletes

	Format string // one of traces.Encodings
}

// Default is what options that are not set should be.
var Default = Options{
	Requests: 1_000_000, Objects: 100_000, Skew: 0.9,
	ScanLength: 1000, ScanObjects: 100_000,
	MedianSize: 8000, SizeSigma: 1.3, SizeTail: 0.05, TailShape: 1.2, LargestAt: 1 << 30,
	Duration: 24 * time.Hour, Format: "oracleGeneral",
}

func (o Options) check() error {
	share := func(v float64) bool { return v >= 0 && v <= 1 }
	switch {
	case o.Requests < 1 || uint64(o.Requests) > sim.MaxRequests:
		return fmt.Errorf("want 1 to %d requests, got %d", uint64(sim.MaxRequests), o.Requests)
	case o.Objects < 1 || o.Objects > math.MaxInt32:
		return fmt.Errorf("want 1 to %d objects, got %d", math.MaxInt32, o.Objects)
	case !(o.Skew >= 0 && o.Skew <= 10):
		return fmt.Errorf("want a skew from 0 to 10, got %v", o.Skew)
	case !(o.Drift >= 0 && o.Drift <= 1000):
		return fmt.Errorf("want a drift from 0 to 1000, got %v", o.Drift)
	case !share(o.Scan) || !share(o.SizeTail) || !share(o.TTL) || !share(o.Sets) || !share(o.Deletes) || o.Sets+o.Deletes > 1:
		return errors.New("shares are from 0 to 1")
	case o.Scan > 0 && (o.ScanLength < 1 || o.ScanObjects < 1):
		return errors.New("scans need a length and objects of at least 1")
	case o.MedianSize < 1 || o.LargestAt < o.MedianSize || o.LargestAt > sim.MaxSize:
		return fmt.Errorf("want sizes of 1 to %d bytes, and the largest at least the median", int64(sim.MaxSize))
	case !(o.SizeSigma >= 0 && o.SizeSigma <= 10) || o.SizeTail > 0 && !(o.TailShape > 0):
		return errors.New("want a sigma of sizes from 0 to 10, and a positive exponent of their tail")
	case o.Duration < 0 || o.Duration/time.Second > math.MaxUint32:
		return fmt.Errorf("want a duration from 0 to %d seconds, got %v", uint32(math.MaxUint32), o.Duration)
	}
	return nil
}

// Write writes the trace of o. The same options make the same bytes on every
// machine but for the rounding of its mathematical functions. It needs 16 bytes
// of memory a request, and about 40 an object.
func Write(w io.Writer, o Options) error {
	t, err := generate(o)
	if err != nil {
		return fmt.Errorf("generate a trace: %w", err)
	}
	return traces.Encode(w, t, o.Format)
}

// A generator makes the requests of a trace.
type generator struct {
	o    Options
	r    *rand.PCG
	rand *rand.Rand

	alias      alias
	population []uint32 // the object of each rank
	made       uint32   // objects that were made up so far
	number     []uint32 // of each object in the trace, from 1; 0: not requested yet
	names      []uint32 // the object of each number
	sizes      []int64  // of each number
}

// generate returns the trace of o.
func generate(o Options) (*sim.Trace, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	pcg := rand.NewPCG(o.Seed, 0x67656e)
	g := &generator{o: o, r: pcg, rand: rand.New(pcg), alias: newZipf(o.Objects, o.Skew), population: make([]uint32, o.Objects)}
	for i := range g.population {
		g.population[i] = uint32(i)
	}
	// The objects of scans follow those of the population.
	g.made = uint32(o.Objects)
	scanned := g.made
	if o.Scan > 0 {
		if uint64(g.made)+uint64(o.ScanObjects) > math.MaxInt32 {
			return nil, fmt.Errorf("%d objects to scan are too many", o.ScanObjects)
		}
		g.made += uint32(o.ScanObjects)
	}
	g.number = make([]uint32, g.made)

	m := &sim.Memory{}
	t := &sim.Trace{Name: "generated", Tick: time.Second, Requests: o.Requests, Source: m}
	const batch = 4096
	reqs, ops, ttl := make([]sim.Request, 0, batch), make([]sim.Op, 0, batch), make([]uint32, 0, batch)
	gap := o.Duration.Seconds() / float64(o.Requests)
	drift := o.Drift * float64(o.Objects) / float64(o.Requests)
	var now, replaced float64
	scan, scanAt := 0, 0
	for i := range o.Requests {
		for replaced += drift; replaced >= 1; replaced-- {
			if g.made == math.MaxUint32 {
				return nil, errors.New("the drift makes too many objects")
			}
			g.population[g.rand.IntN(o.Objects)] = g.made
			g.made++
			g.number = append(g.number, 0)
		}
		if scan == 0 && o.Scan > 0 && g.rand.Float64()*(float64(o.ScanLength)*(1-o.Scan)+o.Scan) < o.Scan {
			scan = o.ScanLength
		}
		var object uint32
		if scan > 0 {
			object = scanned + uint32(scanAt)
			scanAt = (scanAt + 1) % o.ScanObjects
			scan--
		} else {
			object = g.population[g.alias.draw(pcg.Uint64())]
		}
		r := sim.Request{Time: uint32(now)}
		r.ID, r.Size = g.intern(object)
		t.RequestBytes += r.Size
		now += gap * g.rand.ExpFloat64()
		now = min(now, math.MaxUint32)
		reqs = append(reqs, r)
		if o.Sets+o.Deletes > 0 {
			op, x := sim.Get, g.rand.Float64()
			if x < o.Deletes {
				op = sim.Delete
			} else if x < o.Deletes+o.Sets {
				op = sim.Set
			}
			ops = append(ops, op)
		}
		if o.TTL > 0 {
			ttl = append(ttl, g.ttl(object))
		}
		if len(reqs) == batch || i == o.Requests-1 {
			b := sim.Batch{Requests: reqs}
			if len(ops) > 0 {
				b.Ops, t.Columns = ops, t.Columns|sim.ColumnOps
			}
			if len(ttl) > 0 {
				b.TTL, t.Columns = ttl, t.Columns|sim.ColumnTTL
			}
			m.AppendBatch(b)
			t.Span = reqs[len(reqs)-1].Time
			reqs, ops, ttl = reqs[:0], ops[:0], ttl[:0]
		}
	}
	for _, s := range g.sizes {
		t.LargestSize = max(t.LargestSize, s)
		t.Footprint += s
	}
	t.Objects = len(g.names)
	m.Objects = t.Objects
	names := g.names
	t.ObjectName = func(id uint32) string { return strconv.FormatUint(uint64(names[id])+1, 10) }
	return t, nil
}

// intern returns the number and the size of an object.
func (g *generator) intern(object uint32) (uint32, int64) {
	n := g.number[object]
	if n == 0 {
		g.names = append(g.names, object)
		g.sizes = append(g.sizes, g.size(object))
		n = uint32(len(g.names))
		g.number[object] = n
	}
	return n - 1, g.sizes[n-1]
}

// size draws the size of an object.
func (g *generator) size(object uint32) int64 {
	r := g.of(object, 1)
	median := float64(g.o.MedianSize)
	var s float64
	if r.Float64() < g.o.SizeTail {
		s = 8 * median * math.Pow(1-r.Float64(), -1/g.o.TailShape)
	} else {
		s = median * math.Exp(g.o.SizeSigma*r.NormFloat64())
	}
	return int64(math.Round(min(max(s, 1), float64(g.o.LargestAt))))
}

// ttl returns the seconds that an object may be served, 0 for any time.
func (g *generator) ttl(object uint32) uint32 {
	r := g.of(object, 2)
	if r.Float64() >= g.o.TTL {
		return 0
	}
	return []uint32{60, 3600, 86400}[r.IntN(3)]
}

// of returns random numbers that depend on an object alone.
func (g *generator) of(object uint32, what uint64) *rand.Rand {
	return rand.New(rand.NewPCG(g.o.Seed, uint64(object)<<8|what))
}

// An alias draws from a distribution in constant time (Walker, An efficient
// method for generating discrete random variables with general distributions,
// TOMS 1977; built as by Vose, IEEE TSE 1991).
type alias []aliasSlot

type aliasSlot struct {
	keep  uint32 // the slot itself is drawn with probability (keep+1)/2^32
	other uint32
}

// newZipf returns the distribution of n objects of weights k^-skew.
func newZipf(n int, skew float64) alias {
	w := make([]float64, n)
	var sum float64
	for k := range w {
		w[k] = math.Pow(float64(k+1), -skew)
		sum += w[k]
	}
	a := make(alias, n)
	small, large := make([]uint32, 0, n), make([]uint32, 0)
	for k := range w {
		w[k] *= float64(n) / sum
		if w[k] < 1 {
			small = append(small, uint32(k))
		} else {
			large = append(large, uint32(k))
		}
	}
	for len(small) > 0 && len(large) > 0 {
		s, l := small[len(small)-1], large[len(large)-1]
		small = small[:len(small)-1]
		a[s] = aliasSlot{uint32(w[s] * math.MaxUint32), l}
		if w[l] -= 1 - w[s]; w[l] < 1 {
			large = large[:len(large)-1]
			small = append(small, l)
		}
	}
	for _, k := range append(small, large...) { // what rounding has left has weight 1
		a[k] = aliasSlot{math.MaxUint32, k}
	}
	return a
}

// draw returns the rank that 64 random bits choose: the upper half chooses a
// slot, the lower one whether it keeps.
func (a alias) draw(bits uint64) uint32 {
	i := uint32((bits >> 32) * uint64(len(a)) >> 32)
	if s := a[i]; uint32(bits) > s.keep {
		return s.other
	}
	return i
}
