// Package native holds the replacement policies that are Go structs: one file
// a policy, one line each in All, built on the parts in package kit.
package native

import "cachesim/sim"

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
