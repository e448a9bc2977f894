// Package native holds the replacement policies that are Go structs: one file
// a policy, one line each in All, built on the parts in package kit.
package native

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"cachesim/sim"
)

// All lists the native policies in the order in which they are shown.
var All = []sim.Spec{
	// Classic.
	fifoSpec,
	lruSpec,
	mruSpec,
	clockSpec,
	randomSpec,
	lfuSpec,
	perfectLFUSpec,
	lfudaSpec,
	sizeSpec,
	gdSizeSpec,
	lruKSpec,

	// Built of several queues.
	twoQSpec,
	slruSpec,
	s4LRUSpec,
	mqSpec,
	fifoMergeSpec,
	qdlpSpec,
	s3fifoSpec,
	sieveSpec,
	s4fifoSpec,
	clock2QPlusSpec,

	// Adaptive.
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

	// Offline.
	beladySpec,
	beladyBypassSpec,
	beladySizeSpec,
}

// ByName returns the spec of the named policy, which may have a filter in front
// of it: lru+adaptsize. Case and hyphens make no difference.
func ByName(name string) (sim.Spec, bool) {
	s, err := find(name)
	return s, err == nil
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

// find is ByName with an error that says what is not known.
func find(name string) (sim.Spec, error) {
	policy, filter, joined := strings.Cut(name, "+")
	i := slices.IndexFunc(All, func(s sim.Spec) bool { return spelled(s.Name, policy) })
	if i < 0 {
		var known []string
		for _, s := range All {
			known = append(known, s.Name)
		}
		return sim.Spec{}, fmt.Errorf("unknown policy %q%s", policy, sim.DidYouMean(policy, known))
	}
	if !joined {
		return All[i], nil
	}
	f, ok := FilterByName(filter)
	if !ok {
		if strings.Contains(filter, "+") {
			return sim.Spec{}, fmt.Errorf("policy %s: want one filter at most", name)
		}
		var known []string
		for _, f := range Filters {
			known = append(known, f.Name)
		}
		return sim.Spec{}, fmt.Errorf("policy %s: unknown filter %q%s", name, filter, sim.DidYouMean(filter, known))
	}
	return Join(All[i], f)
}

// Parse reads a policy and its parameters as --policy names them: "lru",
// "s3fifo:small=0.2,ghost=0.5" or "lru+adaptsize:window=100000". It returns the
// parameters that are given, which are known and in range; sim.CheckParams adds
// the others.
func Parse(text string) (sim.Spec, map[string]float64, error) {
	name, list, _ := strings.Cut(text, ":")
	s, err := find(name)
	if err != nil {
		return sim.Spec{}, nil, err
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
	if _, err := sim.CheckParams(s.Name, s.Params, given); err != nil {
		return sim.Spec{}, nil, err
	}
	return s, given, nil
}

// spelled reports whether a user means name: S3-FIFO, as papers write it, is
// s3fifo.
func spelled(name, as string) bool {
	return strings.EqualFold(strings.ReplaceAll(name, "-", ""), strings.ReplaceAll(as, "-", ""))
}
