// Package native holds the replacement policies that are Go structs: one file
// a policy, one line each in All, built on the parts in package kit.
package native

import "cachesim/sim"

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
