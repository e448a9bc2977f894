package bounds_test

import (
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	native "cachesim/policies-native"
	"cachesim/policies-native/bounds"
	"cachesim/sim"
)

// memory makes a trace of requests, some of which may be sets or deletes.
func memory(reqs []sim.Request, ops []sim.Op, objects int) *sim.Trace {
	m := &sim.Memory{Objects: objects}
	t := &sim.Trace{Name: "test", Requests: len(reqs), Objects: objects, Source: m}
	for i, r := range reqs {
		op := sim.Get
		if ops != nil {
			op = ops[i]
		}
		if op != sim.Get {
			t.Columns |= sim.ColumnOps
		}
		m.Append(r, op, 0)
	}
	return t
}

// optimum tries all sets of intervals and returns the most hits and the most
// bytes of hits that are possible. An interval is {start, end, size}, and what is
// kept between two requests must fit.
func optimum(reqs []sim.Request, ops []sim.Op, capacity int64, objects bool) (hits, bytes int64) {
	var all [][3]int64
	for i, r := range reqs {
		if ops != nil && ops[i] == sim.Delete {
			continue
		}
		for j := i + 1; j < len(reqs); j++ {
			if reqs[j].ID == r.ID {
				if (ops == nil || ops[j] == sim.Get) && reqs[j].Size == r.Size {
					all = append(all, [3]int64{int64(i), int64(j), r.Size})
				}
				break
			}
		}
	}
	for set := range 1 << len(all) {
		used := make([]int64, len(reqs))
		var h, b int64
		for k, v := range all {
			if set>>k&1 == 0 {
				continue
			}
			h++
			b += v[2]
			for at := v[0]; at < v[1]; at++ {
				if objects {
					used[at]++
				} else {
					used[at] += v[2]
				}
			}
		}
		fits := true
		for _, u := range used {
			fits = fits && u <= capacity
		}
		if fits {
			hits, bytes = max(hits, h), max(bytes, b)
		}
	}
	return hits, bytes
}

// TestEnclose compares both bounds with the optimum of tiny traces.
func TestEnclose(t *testing.T) {
	equal, cases := 0, 0
	for seed := range uint64(2000) {
		rng := rand.New(rand.NewPCG(seed, 0))
		sizes := make([]int64, 1+rng.IntN(5))
		for i := range sizes {
			sizes[i] = rng.Int64N(1 + rng.Int64N(7))
		}
		var reqs []sim.Request
		var ops []sim.Op
		for range 2 + rng.IntN(11) {
			id := rng.IntN(len(sizes))
			if seed%5 == 0 && rng.IntN(3) == 0 { // a miss, where the size is another one
				sizes[id] = rng.Int64N(7)
			}
			reqs = append(reqs, sim.Request{ID: uint32(id), Size: sizes[id]})
			ops = append(ops, sim.Get)
			if seed%3 == 0 && rng.IntN(4) == 0 {
				ops[len(ops)-1] = sim.Op(1 + rng.IntN(2))
			}
		}
		tr := memory(reqs, ops, len(sizes))
		tr.Source.(*sim.Memory).SizeReplaces = seed%5 == 0
		for _, unit := range sim.Units {
			for _, capacity := range []int64{0, 1, 2, 5, 9} {
				hits, bytes := optimum(reqs, ops, capacity, unit == sim.UnitObjects)
				o := bounds.Options{Unit: unit}
				least, err := bounds.PFOOU(tr, o, []int64{capacity})
				if err != nil {
					t.Fatal(err)
				}
				most, err := bounds.PFOOL(tr, o, []int64{capacity})
				if err != nil {
					t.Fatal(err)
				}
				low, high := least[0], most[0]
				if low.Hits > hits || hits > high.Hits || low.HitBytes > bytes || bytes > high.HitBytes {
					t.Fatalf("seed %d, %d %s: hits %d to %d, the optimum is %d; bytes %d to %d, the optimum is %d: %v, %v",
						seed, capacity, unit, low.Hits, high.Hits, hits, low.HitBytes, high.HitBytes, bytes, reqs, ops)
				}
				cases += 2
				if low.Hits == hits {
					equal++
				}
				if high.Hits == hits {
					equal++
				}
			}
		}
	}
	if equal*10 < cases*8 {
		t.Errorf("%d of %d bounds are the optimum, want at least 8 of 10", equal, cases)
	}
}

// TestPrefix replays a part of a trace only.
func TestPrefix(t *testing.T) {
	reqs := []sim.Request{{ID: 0, Size: 1}, {ID: 1, Size: 1}, {ID: 0, Size: 1}, {ID: 1, Size: 1}}
	for requests, want := range map[int]int64{0: 2, 2: 0, 3: 1, 4: 2, 9: 2} {
		for _, f := range []func(*sim.Trace, bounds.Options, []int64) ([]bounds.Result, error){bounds.PFOOL, bounds.PFOOU} {
			got, err := f(memory(reqs, nil, 2), bounds.Options{Requests: requests}, []int64{2})
			if err != nil || got[0].Hits != want || got[0].HitBytes != want || got[0].Capacity != 2 {
				t.Errorf("%d requests: got %+v, %v, want %d hits", requests, got, err, want)
			}
		}
	}
}

func TestRefusesTTL(t *testing.T) {
	tr := memory([]sim.Request{{ID: 0, Size: 1}}, nil, 1)
	tr.Columns |= sim.ColumnTTL
	if _, err := bounds.PFOOL(tr, bounds.Options{}, []int64{1}); err == nil || !strings.Contains(err.Error(), "times to live") {
		t.Errorf("a trace with times to live: got error %v", err)
	}
}

// web returns the first 40,000 requests of web-1m.dat.gz: lines of id and size.
func web(t *testing.T) *sim.Trace {
	f, err := os.Open("../testdata/traces/web-40k.txt.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	var objects, lines [][2]int64
	for line := range strings.Lines(string(b)) {
		var v [2]int64
		if _, err := fmt.Sscan(line, &v[0], &v[1]); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, v)
	}
	ids := map[int64]uint32{}
	var reqs []sim.Request
	for _, v := range lines {
		id, ok := ids[v[0]]
		if !ok {
			id = uint32(len(objects))
			ids[v[0]] = id
			objects = append(objects, v)
		}
		reqs = append(reqs, sim.Request{ID: id, Size: objects[id][1]})
	}
	return memory(reqs, nil, len(objects))
}

// cloudPhysics returns the first 30,000 requests of libCacheSim's sample.
func cloudPhysics(t *testing.T) *sim.Trace {
	f, err := os.Open("../testdata/traces/cloudphysics-30k.oracleGeneral.bin.zst")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := zstd.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	b, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	ids := map[uint64]uint32{}
	var sizes []int64
	var reqs []sim.Request
	for ; len(b) >= 24; b = b[24:] {
		name := binary.LittleEndian.Uint64(b[4:])
		id, ok := ids[name]
		if !ok {
			id = uint32(len(sizes))
			ids[name] = id
			sizes = append(sizes, int64(binary.LittleEndian.Uint32(b[12:])))
		}
		reqs = append(reqs, sim.Request{ID: id, Size: sizes[id]})
	}
	return memory(reqs, nil, len(sizes))
}

// TestGolden compares the bounds of real traces with those that they once had,
// and with the policies that know the future.
func TestGolden(t *testing.T) {
	const kib, mib = 1 << 10, 1 << 20
	tests := []struct {
		name       string
		trace      *sim.Trace
		capacities []int64
		low, high  []bounds.Result
	}{
		{
			name: "web", trace: web(t), capacities: []int64{256 * kib, mib, 4 * mib},
			low:  []bounds.Result{{256 * kib, 35912, 100743241}, {mib, 38131, 115889590}, {4 * mib, 38403, 121159266}},
			high: []bounds.Result{{256 * kib, 36332, 103159253}, {mib, 38194, 116966514}, {4 * mib, 38403, 121159266}},
		},
		{
			name: "cloudphysics", trace: cloudPhysics(t), capacities: []int64{16 * mib, 64 * mib, 256 * mib},
			low:  []bounds.Result{{16 * mib, 6163, 58097152}, {64 * mib, 7219, 127483904}, {256 * mib, 9322, 266313728}},
			high: []bounds.Result{{16 * mib, 6713, 94480488}, {64 * mib, 9030, 246325362}, {256 * mib, 9322, 266313728}},
		},
	}
	for _, tt := range tests {
		low, err := bounds.PFOOU(tt.trace, bounds.Options{}, tt.capacities)
		if err != nil {
			t.Fatal(err)
		}
		high, err := bounds.PFOOL(tt.trace, bounds.Options{}, tt.capacities)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(low, tt.low) || !slices.Equal(high, tt.high) {
			t.Errorf("%s: got %v to %v, want %v to %v", tt.name, low, high, tt.low, tt.high)
		}
		for i, capacity := range tt.capacities {
			for _, p := range native.All {
				name := p.Name
				hits, bytes := replay(t, name, tt.trace, capacity, false)
				if hits > high[i].Hits || bytes > high[i].HitBytes {
					t.Errorf("%s, %d bytes: %s has %d hits of %d bytes, above the bound %+v", tt.name, capacity, name, hits, bytes, high[i])
				}
			}
		}
	}
}

// TestObjects compares the bounds for caches of objects with Belady's algorithm, which with
// bypassing is the optimum there.
func TestObjects(t *testing.T) {
	for name, tr := range map[string]*sim.Trace{"web": web(t), "cloudphysics": cloudPhysics(t)} {
		capacities := []int64{10, 100, 1000, 5000}
		low, err := bounds.PFOOU(tr, bounds.Options{Unit: sim.UnitObjects}, capacities)
		if err != nil {
			t.Fatal(err)
		}
		high, err := bounds.PFOOL(tr, bounds.Options{Unit: sim.UnitObjects}, capacities)
		if err != nil {
			t.Fatal(err)
		}
		for i, capacity := range capacities {
			optimum, _ := replay(t, "belady-bypass", tr, capacity, true)
			storing, _ := replay(t, "belady", tr, capacity, true)
			if low[i].Hits > optimum || optimum > high[i].Hits || storing > optimum {
				t.Errorf("%s, %d objects: PFOO-U %d hits, the optimum %d, without bypassing %d, PFOO-L %d", name, capacity, low[i].Hits, optimum, storing, high[i].Hits)
			}
		}
	}
}

// replay counts what a policy reaches, with sizes of 1 if asked.
func replay(t *testing.T, name string, tr *sim.Trace, capacity int64, unit bool) (hits, bytes int64) {
	s, _, err := native.Parse(name)
	if err != nil {
		t.Fatal(err)
	}
	params, err := sim.CheckParams(s.Name, s.Params, nil)
	if err != nil {
		t.Fatal(err)
	}
	p := s.New(sim.Config{Capacity: capacity, Objects: tr.Objects, Requests: tr.Requests, Params: params})
	err = tr.Each(sim.ColumnNext, func(_ int, b sim.Batch) error {
		for i, r := range b.Requests {
			size := r.Size
			if unit {
				r.Size = 1
			}
			if r.Size > capacity {
				continue
			}
			hit := false
			if c, ok := p.(sim.Clairvoyant); ok {
				hit = c.AccessNext(r, b.Next[i])
			} else {
				hit = p.Access(r)
			}
			if hit {
				hits++
				bytes += size
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return hits, bytes
}
