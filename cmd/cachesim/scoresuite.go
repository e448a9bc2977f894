package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/BurntSushi/toml"
	"github.com/dustin/go-humanize"
	"github.com/google/renameio/v2/maybe"

	native "cachesim/policies-native"
	"cachesim/sim"
	"cachesim/traces"
)

// Stages of a score, in their order. A trace is in train or in test, so that
// nothing of the test is seen before it.
const (
	stageValidate = "validate" // the module behaves as a cache
	stageSample   = "sample"   // a share of the objects of the traces in train
	stageTrain    = "train"
	stageTest     = "test"
)

var scoreStages = []string{stageValidate, stageSample, stageTrain, stageTest}

// A suite is what policies are scored on: suite.toml, as docs/PLUGINS.md has it.
type suite struct {
	Version   int
	Seed      uint64
	Sizes     []float64    // shares of the footprint
	Sample    float64      // share of the objects in the stage sample; 0: the stage is left out
	SampleBar *float64     `toml:"sample_bar"` // a lower score there ends the run
	Traces    []suiteTrace `toml:"trace"`
	Weights   suiteWeights
	Limits    suiteLimits

	sha256 string
	folder string // that names of files are relative to
	cache  string // folder for baselines; empty: none
	traces *traces.Options

	mu     sync.Mutex
	loaded map[string][]*suiteCell // by stage
}

type suiteTrace struct {
	File, SHA256 string
	Stage        string    // train or test; empty: train
	Sizes        []float64 // nil: those of the suite
	Weight       float64   // of each of its cells; 0: 1
	Format       string    // nil: detected
}

// suiteWeights make one number of the cells: mean and worst of the relative
// reductions of misses against FIFO, less time for each microsecond per request.
type suiteWeights struct{ Mean, Worst, Time float64 }

type suiteLimits struct {
	Time     time.Duration // for one module; 0: 10 minutes
	Progress time.Duration // without an answer; 0: 10 s
	Memory   string        // of an instance; empty: 1GiB
	memory   int64
}

// readSuite reads suite.toml.
func readSuite(path string) (*suite, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read suite: %w", err)
	}
	sum := sha256.Sum256(b)
	s := &suite{sha256: hex.EncodeToString(sum[:]), folder: filepath.Dir(path), loaded: make(map[string][]*suiteCell)}
	meta, err := toml.Decode(string(b), s)
	if err != nil {
		return nil, fmt.Errorf("read suite %s: %w", path, err)
	}
	if unknown := meta.Undecoded(); len(unknown) > 0 {
		return nil, fmt.Errorf("read suite %s: unknown key %q", path, unknown[0].String())
	}
	if err := s.complete(meta.IsDefined("weights")); err != nil {
		return nil, fmt.Errorf("suite %s: %w", path, err)
	}
	return s, nil
}

// complete sets defaults and finds values that cannot be.
func (s *suite) complete(weighted bool) error {
	if s.Version != 1 {
		return fmt.Errorf("version = %d: this cachesim reads version = 1", s.Version)
	}
	if !weighted {
		s.Weights.Mean = 1
	}
	if s.Weights.Mean < 0 || s.Weights.Worst < 0 || s.Weights.Time < 0 || s.Weights.Mean+s.Weights.Worst == 0 {
		return errors.New("weights: expected numbers from 0, and mean or worst above 0")
	}
	if !(s.Sample >= 0 && s.Sample < 1) {
		return fmt.Errorf("sample = %v: expected a share below 1", s.Sample)
	}
	if s.Limits.Time == 0 {
		s.Limits.Time = 10 * time.Minute
	}
	if s.Limits.Progress == 0 {
		s.Limits.Progress = 10 * time.Second
	}
	if s.Limits.Time < 0 || s.Limits.Progress < 0 {
		return errors.New("limits: expected positive times")
	}
	if s.Limits.Memory == "" {
		s.Limits.Memory = "1GiB"
	}
	memory, err := humanize.ParseBytes(s.Limits.Memory)
	if err != nil || memory < 1<<16 || memory > 4<<30 {
		return fmt.Errorf("limits: memory = %q: expected a size from 64KiB to 4GiB", s.Limits.Memory)
	}
	s.Limits.memory = int64(memory)
	if len(s.Traces) == 0 {
		return errors.New("it has no [[trace]]")
	}
	for i := range s.Traces {
		t := &s.Traces[i]
		if t.File == "" {
			return fmt.Errorf("trace %d has no file", i+1)
		}
		if t.Stage == "" {
			t.Stage = stageTrain
		}
		if t.Stage != stageTrain && t.Stage != stageTest {
			return fmt.Errorf("trace %s: stage = %q: expected train or test", t.File, t.Stage)
		}
		if t.Sizes == nil {
			t.Sizes = s.Sizes
		}
		if len(t.Sizes) == 0 {
			return fmt.Errorf("trace %s has no sizes: write sizes = [0.01, 0.1], shares of the footprint", t.File)
		}
		if t.Weight == 0 {
			t.Weight = 1
		}
		if t.Weight < 0 || slices.ContainsFunc(t.Sizes, func(f float64) bool { return !(f > 0 && f <= 1) }) {
			return fmt.Errorf("trace %s: expected sizes above 0 and up to 1, and a weight above 0", t.File)
		}
	}
	return nil
}

// A suiteCell is one trace at one capacity, with the baselines.
type suiteCell struct {
	trace    *sim.Trace
	number   []uint32 // by object: its number for the module
	share    float64
	capacity int64
	weight   float64
	base     baseline
}

// A baseline is what fifo, lru and belady came to.
type baseline struct {
	FIFO, LRU, Belady int64 // misses
}

// cells loads what a stage is scored on, once. Its traces stay open until the
// command ends.
func (s *suite) cells(ctx context.Context, stage string) ([]*suiteCell, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if cells, ok := s.loaded[stage]; ok {
		return cells, nil
	}
	from := stage
	if stage == stageSample {
		from = stageTrain
	}
	var cells []*suiteCell
	for _, st := range s.Traces {
		if st.Stage != from {
			continue
		}
		t, err := s.open(st)
		if err != nil {
			return nil, err
		}
		if stage == stageSample {
			whole := t
			if t, err = sim.Sample(whole, s.Sample, s.Seed); err != nil {
				return nil, err
			}
			t.Digest = fmt.Sprintf("%s sample=%v salt=%d", whole.Digest, s.Sample, s.Seed)
		}
		number := make([]uint32, t.Objects)
		for i, n := range rand.New(rand.NewPCG(s.Seed, 2)).Perm(t.Objects) {
			number[i] = uint32(n)
		}
		for _, share := range st.Sizes {
			c := &suiteCell{trace: t, number: number, share: share, capacity: size{share: share}.of(t.Footprint), weight: st.Weight}
			if c.base, err = s.baseline(ctx, t, c.capacity); err != nil {
				return nil, err
			}
			cells = append(cells, c)
		}
	}
	if len(cells) == 0 {
		return nil, fmt.Errorf("the suite has no trace with stage = %q", from)
	}
	s.loaded[stage] = cells
	return cells, nil
}

func (s *suite) open(st suiteTrace) (*sim.Trace, error) {
	file := st.File
	if !filepath.IsAbs(file) {
		file = filepath.Join(s.folder, file)
	}
	o := *s.traces
	o.Format = st.Format
	t, err := traces.Open([]string{file}, o)
	if err != nil {
		return nil, err
	}
	if st.SHA256 != "" {
		have := t.SHA256()
		if have == "" { // it was not read whole
			b, err := os.ReadFile(file)
			if err != nil {
				return nil, err
			}
			sum := sha256.Sum256(b)
			have = hex.EncodeToString(sum[:])
		}
		if !strings.EqualFold(have, st.SHA256) {
			return nil, fmt.Errorf("trace %s has SHA-256 %s, the suite expects %s", file, have, st.SHA256)
		}
	}
	return t, nil
}

// baselinePolicies are those that a score is relative to. They draw no random
// numbers and do not look at the numbers of objects.
var baselinePolicies = []string{"fifo", "lru", "belady"}

// baseline returns the misses of the baselines, which are computed once and kept
// by the IDs of their cells.
func (s *suite) baseline(ctx context.Context, t *sim.Trace, capacity int64) (b baseline, err error) {
	var tasks []sim.Task
	misses := make(map[string]int64)
	for _, name := range baselinePolicies {
		spec, ok := native.ByName(name)
		if !ok {
			return b, fmt.Errorf("no policy %s", name)
		}
		c := sim.Cell{Trace: t.Name, TraceDigest: t.Digest, Requests: t.Requests, Policy: name, Revision: spec.Revision,
			Capacity: capacity, Unit: sim.UnitBytes, Version: sim.Version{Engine: sim.NativeEngine}}
		var kept struct{ Misses int64 }
		if text, err := os.ReadFile(s.baselineFile(c)); err == nil && json.Unmarshal(text, &kept) == nil {
			misses[name] = kept.Misses
			continue
		}
		tasks = append(tasks, sim.Task{Cell: c, Needs: spec.Needs})
	}
	open := func(_ context.Context, c sim.Cell, t *sim.Trace, _ func()) (sim.Replayer, sim.Setup, error) {
		spec, _ := native.ByName(c.Policy)
		params, err := sim.CheckParams(c.Policy, spec.Params, nil)
		if err != nil {
			return nil, sim.Setup{}, err
		}
		return sim.Native(spec.New(sim.Config{Capacity: c.Capacity, Objects: t.Objects, Requests: c.Requests, Params: params})), sim.Setup{}, nil
	}
	measured, failed := sim.Run(ctx, t, tasks, open, sim.Options{Jobs: 1, Repeat: 1})
	if len(failed) > 0 {
		return b, failed[0]
	}
	if len(measured) < len(tasks) {
		return b, ctx.Err()
	}
	for _, m := range measured {
		misses[m.Policy] = m.Gets - m.Hits
		if s.cache != "" && os.MkdirAll(s.cache, 0o777) == nil {
			text, err := json.Marshal(map[string]any{"Misses": misses[m.Policy], "cell": m.Cell})
			if err == nil {
				_ = maybe.WriteFile(s.baselineFile(m.Cell), text, 0o666) // otherwise it is computed again
			}
		}
	}
	return baseline{misses["fifo"], misses["lru"], misses["belady"]}, nil
}

func (s *suite) baselineFile(c sim.Cell) string {
	if s.cache == "" {
		return ""
	}
	return filepath.Join(s.cache, c.ID()+".json")
}
