// Package native holds the replacement policies that are Go structs: one file
// a policy, one line each in All, built on the parts in package kit.
package native

import (
	"fmt"
	"strconv"
	"strings"

	"cachesim/sim"
)

// All lists the native policies in the order in which they are shown.
var All = []sim.Spec{
	fifoSpec,
	lruSpec,
	lfuSpec,
	gdSizeSpec,

	// adaptive
	arcSpec,
	carSpec,
	lirsSpec,
	clockProSpec,
	gdsfSpec,
	campSpec,
	hyperbolicSpec,
	lhdSpec,
	leCaRSpec,
	cacheusSpec,
	wTinyLFUSpec,
	wTinyLFUAdaptiveSpec,
	merlinSpec,
	adaptiveClimbSpec,
}

// ByName returns the spec of the named policy.
func ByName(name string) (sim.Spec, bool) {
	for _, s := range All {
		if s.Name == name {
			return s, true
		}
	}
	return sim.Spec{}, false
}

// Defaults returns the names of the policies that are compared where none is
// named.
func Defaults() []string {
	var names []string
	for _, s := range All {
		if s.Default {
			names = append(names, s.Name)
		}
	}
	return names
}

// Parse reads a policy and its parameters as --policy names them: "lru" or
// "s3fifo:small=0.2,ghost=0.5". It returns the parameters that are given, which
// are known and in range; sim.CheckParams adds the others.
func Parse(text string) (sim.Spec, map[string]float64, error) {
	name, list, _ := strings.Cut(text, ":")
	s, ok := ByName(name)
	if !ok {
		return sim.Spec{}, nil, fmt.Errorf("unknown policy %q%s", name, sim.DidYouMean(name, names()))
	}
	given := map[string]float64{}
	for _, part := range strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ':' }) {
		key, value, ok := strings.Cut(part, "=")
		if !ok {
			return sim.Spec{}, nil, fmt.Errorf("policy %s: %q is not a parameter: write name=value", name, part)
		}
		v, err := strconv.ParseFloat(value, 64)
		if err != nil {
			return sim.Spec{}, nil, fmt.Errorf("policy %s: %s=%s is not a number", name, key, value)
		}
		given[key] = v
	}
	if _, err := sim.CheckParams(name, s.Params, given); err != nil {
		return sim.Spec{}, nil, err
	}
	return s, given, nil
}

// names lists the names of all policies.
func names() []string {
	var list []string
	for _, s := range All {
		list = append(list, s.Name)
	}
	return list
}
