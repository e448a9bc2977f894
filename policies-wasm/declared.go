package wasm

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"cachesim/policies-wasm/engines"
	"cachesim/sim"
)

// paramsExport returns a text that describes the parameters of a module, as address and length: a
// line each, NAME DEFAULT MIN MAX and what it is.
const (
	paramsExport = "params_v1"
	paramsSig    = "() -> i64"
)

// describeTimeout is how long a module may take to return its text.
const describeTimeout = 2 * time.Second

// Declared returns what m says of its parameters: defaults, ranges and meanings, in its own order. A
// module that exports no params_v1 says only the names, with ranges that hold every number; see
// Params. It runs m on wazero, which every build has.
func (m *Binary) Declared() ([]sim.Param, error) {
	names := m.Params()
	if !m.Exports(paramsExport, paramsSig) {
		var all []sim.Param
		for _, name := range names {
			all = append(all, sim.Param{Name: name, Default: math.NaN(), Min: math.Inf(-1), Max: math.Inf(1)})
		}
		return all, nil
	}
	text, err := m.text(paramsExport)
	if err == nil {
		var all []sim.Param
		if all, err = parseParams(text, names); err == nil {
			return all, nil
		}
	}
	return nil, oneLine(fmt.Errorf("%s: %w", paramsExport, err))
}

// text calls an export that returns a text, on an instance of its own.
func (m *Binary) text(export string) (string, error) {
	if err := m.checkImports(); err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(context.Background(), describeTimeout)
	defer cancel()
	e, err := engines.Named("wazero")
	if err == nil && e.Missing != "" {
		e, err = engines.Named("wazero-interpreter")
	}
	if err != nil {
		return "", err
	}
	pages := uint64(1024) // 64 MiB, or what it begins with
	if first, _, ok := m.module.Memory(); ok {
		pages = max(pages, first)
	}
	b, err := m.module.Limited(pages)
	if err != nil {
		return "", err
	}
	g := &guest{instance: instance{ctx: ctx, bin: m, cached: true, limit: int64(pages << 16), engine: e.Name}}
	if g.module, _, err = e.Compile(ctx, b, engines.Options{Stoppable: true}); err != nil {
		if g.module != nil {
			g.module.Close()
		}
		return "", err
	}
	defer g.instance.close()
	if err := g.instantiate(0); err != nil {
		return "", err
	}
	if m.Exports("_initialize", "() -> ()") {
		if err := g.once("_initialize"); err != nil {
			return "", err
		}
	}
	f, err := g.inst.Function(export)
	if err != nil {
		return "", err
	}
	stack := make([]uint64, 1)
	if err := f.Call(stack); err != nil {
		return "", g.explain(err)
	}
	at, n := stack[0]>>32, stack[0]&0xffffffff
	if memory := uint64(len(g.memoryBytes())); n > 64<<10 || at+n > memory {
		return "", fmt.Errorf("it returned a text of %d bytes at %d, want at most 64 KiB inside its exported memory", n, at)
	}
	return string(g.memoryBytes()[at : at+n]), nil
}

// parseParams reads the lines of a description of the parameters with the given names.
func parseParams(text string, names []string) ([]sim.Param, error) {
	var all []sim.Param
	for _, line := range strings.Split(text, "\n") {
		fields := strings.Fields(line)
		if len(fields) == 0 {
			continue
		}
		if len(fields) < 4 {
			return nil, fmt.Errorf("line %q: want NAME DEFAULT MIN MAX DESCRIPTION", line)
		}
		p := sim.Param{Name: fields[0], Doc: strings.Join(fields[4:], " ")}
		for i, v := range []*float64{&p.Default, &p.Min, &p.Max} {
			var err error
			if *v, err = strconv.ParseFloat(fields[1+i], 64); err != nil {
				return nil, fmt.Errorf("line %q: %q is not a number", line, fields[1+i])
			}
		}
		switch {
		case !(p.Min <= p.Default && p.Default <= p.Max):
			return nil, fmt.Errorf("line %q: the default is not between MIN and MAX", line)
		case !slices.Contains(names, p.Name):
			return nil, fmt.Errorf("line %q: the module does not export %s%s (f64) -> ()", line, paramPrefix, p.Name)
		case slices.ContainsFunc(all, func(q sim.Param) bool { return q.Name == p.Name }):
			return nil, fmt.Errorf("line %q: the parameter is there twice", line)
		}
		all = append(all, p)
	}
	for _, name := range names {
		if !slices.ContainsFunc(all, func(p sim.Param) bool { return p.Name == name }) {
			return nil, errors.New("it does not describe " + paramPrefix + name)
		}
	}
	return all, nil
}
