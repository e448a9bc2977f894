package main

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/renameio/v2/maybe"

	"cachesim/plots"
	native "cachesim/policies-native"
	wasm "cachesim/policies-wasm"
	"cachesim/policies-wasm/examples"
	"cachesim/sim"
	"cachesim/sim/results"
)

// A built is a policy in a language, as a module.
type built struct {
	language, policy string
	module           *wasm.Binary // nil: the native policy
	build            time.Duration
}

// name is that of the policy in tables and figures.
func (b built) name() string { return strings.ToUpper(b.policy) + " " + b.language }

// languages compares the examples of policy new: the same policies in several
// languages, by ABI and engine.
func (o *benchOptions) languages(ctx context.Context) error {
	list, err := o.buildLanguages(ctx)
	if err != nil {
		return err
	}
	t := languageTrace()
	var tasks []sim.Task
	byName := make(map[string]built)
	for _, b := range list {
		byName[b.name()] = b
		versions := []sim.Version{{Engine: sim.NativeEngine}}
		if b.module != nil {
			versions = nil
			for _, e := range o.Engines {
				if why := wasm.Refuses(b.module, e.Name); why != "" {
					fmt.Fprintf(o.stderr, "cachesim: note: %s is left out on %s: %s\n", b.name(), e.Name, why)
					continue
				}
				versions = append(versions, sim.Version{Engine: e.Name, ABI: wasm.Pair, Handle: wasm.Driver}, sim.Version{Engine: e.Name, ABI: wasm.Batch, Handle: wasm.SRS})
			}
		}
		for _, v := range versions {
			tasks = append(tasks, sim.Task{Timed: true, Cell: sim.Cell{
				Trace: t.Name, Requests: t.Requests, Policy: b.name(), Version: v, Capacity: t.Footprint / 10, Unit: sim.UnitBytes,
			}})
		}
	}
	open := func(ctx context.Context, c sim.Cell, t *sim.Trace, heartbeat func()) (sim.Replayer, sim.Setup, error) {
		b := byName[c.Policy]
		config := sim.Config{Capacity: c.Capacity, Objects: t.Objects, Requests: c.Requests}
		if b.module != nil {
			return wasm.Open(ctx, wasm.Config{Config: config, Version: c.Version, Binary: b.module, Memory: 1 << 30, Heartbeat: heartbeat})
		}
		spec, _ := native.ByName(b.policy)
		return sim.Native(spec.New(config)), sim.Setup{}, nil
	}
	measured, failures := sim.Run(ctx, t, tasks, open, sim.Options{Jobs: 1, Repeat: max(1, min(o.Runs, languageRepeats)), Seed: o.Seed})
	if ctx.Err() != nil {
		return errInterrupted
	}
	for _, f := range failures {
		err = errors.Join(err, f)
	}
	var rows []results.Result
	compile := make(map[[2]string]time.Duration) // by policy and engine: the longest, since runtimes keep what they compiled
	for _, m := range measured {
		for _, s := range m.Setups {
			k := [2]string{m.Policy, m.Engine}
			compile[k] = max(compile[k], s.Compile)
		}
	}
	expected := make(map[string]string) // outcome by policy: that of the native one, which comes first
	for _, m := range measured {
		policy := byName[m.Policy].policy
		if want, ok := expected[policy]; ok && m.Outcome != want {
			err = errors.Join(err, fmt.Errorf("%s: its outcomes are not those of the native policy", m.Cell))
			continue
		} else if !ok {
			expected[policy] = m.Outcome
		}
		r := results.New(m)
		r.Compile = compile[[2]string{m.Policy, m.Engine}]
		rows = append(rows, r)
	}
	return errors.Join(err, o.writeLanguages(rows, byName))
}

// languageRepeats are enough replays for a median.
const languageRepeats = 5

// buildLanguages builds what can be built here, native policies first.
func (o *benchOptions) buildLanguages(ctx context.Context) (list []built, err error) {
	dir, err := os.MkdirTemp("", "cachesim-languages-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	policies := examples.Policies[1:] // FIFO is too little work to compare
	for _, p := range policies {
		list = append(list, built{language: sim.NativeEngine, policy: p})
	}
	for _, name := range o.languageNames {
		l, err := examples.Named(name)
		if err != nil {
			return nil, usagef("--languages: %w", err)
		}
		if err := l.Missing(); err != nil {
			fmt.Fprintf(o.stderr, "cachesim: note: %s is left out: it needs %s: %v\n", l.Title, l.Needs, err)
			continue
		}
		for _, p := range policies {
			project := filepath.Join(dir, l.Name+"-"+p)
			if _, err := l.New(project, p, p); err != nil {
				return nil, err
			}
			began := time.Now()
			if out, err := exec.CommandContext(ctx, "sh", filepath.Join(project, "build.sh")).CombinedOutput(); err != nil {
				return nil, fmt.Errorf("build %s in %s: %w: %.300s", p, l.Title, err, out)
			}
			b := built{language: l.Title, policy: p, build: time.Since(began)}
			if b.module, err = wasm.ReadFile(filepath.Join(project, p+".wasm")); err != nil {
				return nil, err
			}
			list = append(list, b)
		}
	}
	if len(list) == len(policies) {
		return nil, errors.New("bench --languages: the tools of none of the languages are here")
	}
	slices.SortStableFunc(list, func(a, b built) int { return strings.Compare(a.policy, b.policy) })
	return list, nil
}

// languageTrace is a trace of a skewed popularity, the same in every run.
func languageTrace() *sim.Trace {
	const requests, objects = 200_000, 20_000
	rng := rand.New(rand.NewPCG(1, 1))
	zipf := rand.NewZipf(rng, 1.1, 10, objects-1)
	source := &sim.Memory{Objects: objects}
	t := &sim.Trace{Name: "zipf", Requests: requests, Gets: requests, Objects: objects, Source: source, ObjectName: func(id uint32) string { return strconv.Itoa(int(id)) }}
	for id := range int64(objects) {
		t.Footprint += 100 + id%1000
	}
	for range requests {
		id := uint32(zipf.Uint64())
		r := sim.Request{ID: id, Size: int64(100 + id%1000)}
		t.RequestBytes += r.Size
		t.LargestSize = max(t.LargestSize, r.Size)
		source.Append(r, sim.Get, 0)
	}
	return t
}

// writeLanguages prints the table and writes languages.csv and the figure.
func (o *benchOptions) writeLanguages(rows []results.Result, byName map[string]built) error {
	if len(rows) == 0 {
		return nil
	}
	natively := make(map[string]float64)
	for _, r := range rows {
		if r.Engine == sim.NativeEngine {
			natively[byName[r.Policy].policy] = r.PerRequest()
		}
	}
	header := []string{"policy", "language", "engine", "abi", "ns_per_request", "x_native", "module_bytes", "build_seconds", "compile_ms"}
	lines := [][]string{header}
	t := newTable(o.stdout, 4, "policy", "language", "engine", "abi", "ns/request", "x native", "bytes", "build s", "compile ms")
	for _, r := range rows {
		b := byName[r.Policy]
		line := []string{b.policy, b.language, r.Engine, r.ABI, fmt.Sprintf("%.1f", r.PerRequest()), fmt.Sprintf("%.2f", r.PerRequest()/natively[b.policy]), "", "", ""}
		if b.module != nil {
			line[6], line[7] = strconv.Itoa(len(b.module.Bytes)), fmt.Sprintf("%.2f", b.build.Seconds())
			line[8] = fmt.Sprintf("%.1f", float64(r.Compile.Microseconds())/1000)
		}
		lines = append(lines, line)
		row := make([]any, len(line))
		for i, s := range line {
			row[i] = s
		}
		t.AppendRow(row)
	}
	fmt.Fprintf(o.stdout, "The same policies in each language, with equal outcomes: ns per request, median of %d replays of %d requests; pair by the driver\n", rows[0].Repeats, rows[0].Requests)
	t.Render()
	var text strings.Builder
	if err := csv.NewWriter(&text).WriteAll(lines); err != nil {
		return err
	}
	if err := maybe.WriteFile(filepath.Join(o.out, "languages.csv"), []byte(text.String()), 0o644); err != nil {
		return fmt.Errorf("write results: %w", err)
	}
	figures, err := plots.Make(plots.Rows{Results: rows}, o.figures.Options, "runtime")
	if err != nil {
		return err
	}
	for i := range figures {
		figures[i].Name = strings.Replace(figures[i].Name, "runtime", "languages", 1)
	}
	return writeFigures(o.out, figures, o.figures.formats)
}

// allLanguages is what --languages all stands for.
func allLanguages() (names []string) {
	for _, l := range examples.Languages {
		names = append(names, l.Name)
	}
	return slices.Clip(names)
}
