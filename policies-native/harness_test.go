package native_test

import (
	"bufio"
	"cmp"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	native "cachesim/policies-native"
	"cachesim/policies-native/models"
	"cachesim/sim"
	"cachesim/sim/simtest"
)

// A cache is what every native policy is, by the parts that it is built from.
type cache interface {
	sim.Policy
	sim.Remover
	sim.EvictionCounter
	sim.Checker
	Has(id uint32) bool
	Used() int64
}

// A setting is a policy with a value for each of its parameters.
type setting struct {
	sim.Spec
	name   string // as --policy has it
	params map[string]float64
}

// parse returns the setting that text names, as --policy does.
func parse(t testing.TB, text string) setting {
	t.Helper()
	s, given, err := native.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return newSetting(t, s, given)
}

func newSetting(t testing.TB, s sim.Spec, given map[string]float64) setting {
	t.Helper()
	params, err := sim.CheckParams(s.Name, s.Params, given)
	if err != nil {
		t.Fatal(err)
	}
	return setting{s, sim.PolicyName(s.Name, given), params}
}

// config returns what the policy is made with for a replay of tr.
func (s setting) config(tr trace, capacity int64) sim.Config {
	return sim.Config{Capacity: capacity, Objects: tr.objects, Requests: len(tr.reqs), Seed: 1, Params: s.params}
}

// open makes the policy.
func (s setting) open(t testing.TB, c sim.Config) cache {
	p, ok := s.New(c).(cache)
	if !ok {
		t.Helper()
		t.Fatalf("policy %s lacks Has, Remove, Used, Evictions or Check", s.name)
	}
	if _, ok := p.(sim.Clairvoyant); ok != (s.Needs&sim.NeedsNext != 0) {
		t.Fatalf("policy %s has AccessNext: %v, but its Needs say otherwise", s.name, ok)
	}
	return p
}

// specs returns every policy, and LRU with each filter.
func specs(t testing.TB) []sim.Spec {
	t.Helper()
	all := slices.Clone(native.All)
	for _, f := range native.Filters {
		s, ok := native.ByName("lru+" + f.Name)
		if !ok {
			t.Fatalf("LRU cannot have the filter %s", f.Name)
		}
		all = append(all, s)
	}
	return all
}

// defaults returns every policy, and LRU with each filter, with the defaults of
// their parameters.
func defaults(t testing.TB) []setting {
	t.Helper()
	var all []setting
	for _, s := range specs(t) {
		all = append(all, newSetting(t, s, nil))
	}
	return all
}

// settings returns the same with the defaults, with the parameters of its
// scripts, and with each parameter at the ends of its range, where those are
// numbers of a size that a tiny trace can tell from others.
func settings(t testing.TB) []setting {
	t.Helper()
	all := defaults(t)
	add := func(s setting) {
		if !slices.ContainsFunc(all, func(o setting) bool { return o.name == s.name }) {
			all = append(all, s)
		}
	}
	for _, c := range scripts(t) {
		add(parse(t, c.Policy))
	}
	for _, s := range specs(t) {
		for _, p := range s.Params {
			for _, v := range []float64{p.Min, p.Max} {
				if math.Abs(v) <= 1000 && v != p.Default {
					add(newSetting(t, s, map[string]float64{p.Name: v}))
				}
			}
		}
	}
	return all
}

func scripts(t testing.TB) []simtest.Case {
	t.Helper()
	cases, err := simtest.Load("testdata/scripts")
	if err != nil {
		t.Fatal(err)
	}
	return cases
}

// access serves a request as the engine does.
func access(p sim.Policy, r sim.Request, next uint32) bool {
	if c, ok := p.(sim.Clairvoyant); ok {
		return c.AccessNext(r, next)
	}
	return p.Access(r)
}

// A trace is a sequence of requests and removals. Before a request with another size than the one
// before for its object, replays remove the object, as the engine does.
type trace struct {
	name    string
	objects int
	reqs    []sim.Request
	removed []bool // nil: nothing is removed
}

// fitting returns the trace without the objects that are larger than capacity,
// which never reach a policy.
func (tr trace) fitting(capacity int64) trace {
	if !slices.ContainsFunc(tr.reqs, func(r sim.Request) bool { return r.Size > capacity }) {
		return tr
	}
	out := trace{name: tr.name, objects: tr.objects}
	for i, r := range tr.reqs {
		if r.Size <= capacity {
			out.reqs = append(out.reqs, r)
			if tr.removed != nil {
				out.removed = append(out.removed, tr.removed[i])
			}
		}
	}
	return out
}

// cut returns the first n requests.
func (tr trace) cut(n int) trace {
	tr.reqs = tr.reqs[:n]
	if tr.removed != nil {
		tr.removed = tr.removed[:n]
	}
	return tr
}

// footprint returns the sizes of all objects together.
func (tr trace) footprint() int64 {
	var n int64
	seen := make([]bool, tr.objects)
	for _, r := range tr.reqs {
		if !seen[r.ID] {
			seen[r.ID] = true
			n += r.Size
		}
	}
	return n
}

// String writes the requests as a script does.
func (tr trace) String() string {
	var b strings.Builder
	sizes := map[uint32]int64{}
	for i, r := range tr.reqs {
		if i > 0 {
			b.WriteByte(' ')
		}
		if tr.removed != nil && tr.removed[i] {
			b.WriteByte('-')
		}
		if r.ID < 26 {
			b.WriteByte('a' + byte(r.ID))
		} else {
			fmt.Fprintf(&b, "n%d", r.ID)
		}
		if size, ok := sizes[r.ID]; !ok && r.Size != 1 || ok && size != r.Size {
			fmt.Fprintf(&b, ":%d", r.Size)
		}
		sizes[r.ID] = r.Size
	}
	return b.String()
}

// difference replays tr, all of which fits, through a policy and its model, and
// describes the first request after which they differ or the policy contradicts
// itself; its index is -1 where there is none. Check, which reads the whole
// state, is called after every checkEvery requests.
func (s setting) difference(t testing.TB, tr trace, capacity int64, checkEvery int) (at int, text string) {
	c := s.config(tr, capacity)
	p, m := s.open(t, c), models.All[s.Name](c)
	next := simtest.NextAccess(tr.reqs, tr.removed)
	var stored, removed int64
	sizes := map[uint32]int64{}
	for i, r := range tr.reqs {
		var hit, want bool
		if size, ok := sizes[r.ID]; ok && size != r.Size {
			hit, want = p.Remove(r.ID), m.Remove(r.ID)
			if hit != want {
				return i, fmt.Sprintf("with another size, it was in the cache: %v, want %v", hit, want)
			}
			if hit {
				removed++
			}
		}
		sizes[r.ID] = r.Size
		if tr.removed != nil && tr.removed[i] {
			hit, want = p.Remove(r.ID), m.Remove(r.ID)
			if hit {
				removed++
			}
		} else {
			hit, want = access(p, r, next[i]), m.Access(r, next[i])
			if !hit {
				stored++
			}
		}
		switch {
		case hit != want:
			return i, fmt.Sprintf("got hit %v, want %v", hit, want)
		case p.Evictions() != m.Evictions():
			return i, fmt.Sprintf("got %d evictions, want %d", p.Evictions(), m.Evictions())
		case p.Used() != m.Used():
			return i, fmt.Sprintf("got %d bytes in use, want %d", p.Used(), m.Used())
		case p.Used() > capacity:
			return i, fmt.Sprintf("%d bytes are in use", p.Used())
		}
		if (i+1)%checkEvery == 0 {
			if err := p.Check(); err != nil {
				return i, err.Error()
			}
		}
	}
	if a, ok := p.(sim.AdmissionCounter); ok {
		stored, _ = a.Admissions()
	}
	resident := int64(0)
	for id := range uint32(tr.objects) {
		if p.Has(id) {
			resident++
		}
	}
	if resident != stored-removed-p.Evictions() {
		return len(tr.reqs) - 1, fmt.Sprintf("%d objects are resident, but %d were stored, %d removed and %d evicted", resident, stored, removed, p.Evictions())
	}
	return -1, ""
}

// checkModel fails where a policy differs from its model, with the shortest
// trace that shows it by leaving out requests.
func (s setting) checkModel(t testing.TB, tr trace, capacity int64, checkEvery int) {
	tr = tr.fitting(capacity)
	at, text := s.difference(t, tr, capacity, checkEvery)
	if at < 0 {
		return
	}
	t.Helper() // which takes longer than a tiny trace
	tr = tr.cut(at + 1)
	for i := 0; i < len(tr.reqs); {
		shorter := trace{objects: tr.objects, reqs: slices.Delete(slices.Clone(tr.reqs), i, i+1)}
		if tr.removed != nil {
			shorter.removed = slices.Delete(slices.Clone(tr.removed), i, i+1)
		}
		if n, why := s.difference(t, shorter, capacity, 1); n >= 0 {
			tr, text = shorter.cut(n+1), why
		} else {
			i++
		}
	}
	t.Fatalf("differs from its model after the last of these requests: %s\npolicy %s\ncapacity %d\nrequests %s", text, s.name, capacity, tr)
}

// mixed makes a trace in which a few objects are popular; sizes are from 0 to
// largest, small ones more often, and, with removals, one request in 16 removes
// an object. largest 1 makes them all 1.
func mixed(seed uint64, requests, objects int, largest int64, removals bool) trace {
	rng := rand.New(rand.NewPCG(seed, 0))
	zipf := rand.NewZipf(rng, 1.1, 4, uint64(objects-1))
	sizes := make([]int64, objects)
	for i := range sizes {
		sizes[i] = 1
		if largest > 1 {
			sizes[i] = rng.Int64N(1 + rng.Int64N(largest+1))
		}
	}
	tr := trace{name: fmt.Sprintf("mixed, seed %d", seed)}
	dense := newInterner()
	for i := range requests {
		k := zipf.Uint64()
		if rng.IntN(4) == 0 { // a popular region that moves
			k = uint64((i/50 + rng.IntN(5)) % objects)
		}
		id := dense.id(k)
		tr.reqs = append(tr.reqs, sim.Request{ID: id, Size: sizes[k], Time: uint32(i / 3)})
		tr.removed = append(tr.removed, removals && rng.IntN(16) == 0)
	}
	if !removals {
		tr.removed = nil
	}
	tr.objects = len(dense)
	return tr
}

// resized returns the trace with one request in 16 giving its object another size, which it keeps
// until the next change.
func (tr trace) resized(seed uint64, largest int64) trace {
	rng := rand.New(rand.NewPCG(seed, 2))
	sizes := map[uint32]int64{}
	tr.reqs = slices.Clone(tr.reqs)
	for i := range tr.reqs {
		r := &tr.reqs[i]
		if rng.IntN(16) == 0 && (tr.removed == nil || !tr.removed[i]) {
			sizes[r.ID] = rng.Int64N(1 + rng.Int64N(largest+1))
		}
		if size, ok := sizes[r.ID]; ok {
			r.Size = size
		}
	}
	return tr
}

// interner gives objects dense ids.
type interner map[uint64]uint32

func newInterner() interner { return interner{} }

func (in interner) id(name uint64) uint32 {
	id, ok := in[name]
	if !ok {
		id = uint32(len(in))
		in[name] = id
	}
	return id
}

// Traces of testdata/traces and others, by their names.
const (
	cloudPhysics      = "cloudPhysicsIO.oracleGeneral.bin"
	cloudPhysicsStart = "cloudphysics-30k.oracleGeneral.bin.zst" // its first 30,000 requests
	webStart          = "web-40k.txt.gz"                         // the first 40,000 requests of web-1m.dat.gz
	example           = "web.tr.gz"
)

const (
	kib = 1 << 10
	mib = 1 << 20
)

// readTrace reads a trace: those that are committed, or another from the folder
// CACHESIM_DATA. The test is skipped where that is not there, unless
// CACHESIM_DATA says that it is.
func readTrace(t testing.TB, name string) trace {
	t.Helper()
	dir, demanded := "testdata/traces", true
	switch name {
	case cloudPhysicsStart, webStart:
	case example:
		dir = "../traces/example"
	default:
		if dir, demanded = os.LookupEnv("CACHESIM_DATA"); !demanded {
			dir = "../../shared/data"
		}
	}
	f, err := os.Open(filepath.Join(dir, name))
	if !demanded && errors.Is(err, fs.ErrNotExist) {
		t.Skipf("%v; CACHESIM_DATA can name the folder", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	tr, err := decode(f, name)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return tr
}

// decode reads records of 24 bytes (time, id, size and more: oracleGeneral), or
// lines of an id and a size that may come after a time; the size of an
// object's first record counts.
func decode(f io.Reader, name string) (trace, error) {
	r := io.Reader(bufio.NewReader(f))
	switch filepath.Ext(name) {
	case ".gz":
		z, err := gzip.NewReader(r)
		if err != nil {
			return trace{}, err
		}
		r = z
	case ".zst":
		z, err := zstd.NewReader(r)
		if err != nil {
			return trace{}, err
		}
		defer z.Close()
		r = z
	}
	b, err := io.ReadAll(r)
	if err != nil {
		return trace{}, err
	}
	tr := trace{name: name}
	dense := newInterner()
	var sizes []int64
	add := func(time uint32, object uint64, size int64) {
		id := dense.id(object)
		if int(id) == len(sizes) {
			sizes = append(sizes, size)
		}
		tr.reqs = append(tr.reqs, sim.Request{ID: id, Time: time, Size: sizes[id]})
	}
	if strings.Contains(name, ".oracleGeneral") {
		for ; len(b) >= 24; b = b[24:] {
			add(binary.LittleEndian.Uint32(b), binary.LittleEndian.Uint64(b[4:]), int64(binary.LittleEndian.Uint32(b[12:])))
		}
	} else {
		for line := range strings.Lines(string(b)) {
			f := strings.Fields(line)
			if len(f) == 2 {
				f = slices.Insert(f, 0, "0")
			}
			if len(f) != 3 {
				return trace{}, fmt.Errorf("line %q has not 2 or 3 fields", line)
			}
			time, err1 := strconv.ParseUint(f[0], 10, 32)
			id, err2 := strconv.ParseUint(f[1], 10, 64)
			size, err3 := strconv.ParseInt(f[2], 10, 64)
			if err := cmp.Or(err1, err2, err3); err != nil {
				return trace{}, err
			}
			add(uint32(time), id, size)
		}
	}
	tr.objects = len(sizes)
	if tr.objects == 0 {
		return trace{}, errors.New("no requests")
	}
	return tr, nil
}

// counts is what a replay comes to.
type counts struct{ requests, hits, hitBytes, bytes, evictions int64 }

// replay counts what a policy makes of a trace at a capacity. Objects larger
// than that never reach it.
func (s setting) replay(t testing.TB, tr trace, next []uint32, capacity int64) counts {
	p := s.open(t, s.config(tr, capacity))
	var c counts
	for i, r := range tr.reqs {
		c.requests++
		c.bytes += r.Size
		if r.Size <= capacity && access(p, r, next[i]) {
			c.hits++
			c.hitBytes += r.Size
		}
	}
	c.evictions = p.Evictions()
	if err := p.Check(); err != nil {
		t.Errorf("%s at %d over %s: %v", s.name, capacity, tr.name, err)
	}
	return c
}
