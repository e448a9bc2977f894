package sim

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"github.com/dustin/go-humanize"
)

// NativeEngine is the engine of policies that are Go structs.
const NativeEngine = "native"

// Units of a cache's capacity.
const (
	UnitBytes   = "bytes"
	UnitObjects = "objects" // every object counts as 1
)

// Units lists them, the default first.
var Units = []string{UnitBytes, UnitObjects}

// A Version is one way to run a policy.
type Version struct {
	Engine string `json:"engine"`           // NativeEngine or the name of a WASM engine
	ABI    string `json:"abi,omitempty"`    // calling convention; empty for native
	Handle string `json:"handle,omitempty"` // how exports are found; empty for native
}

// String names the version: "native" or "cranelift/pair/srs".
func (v Version) String() string {
	if v.Engine == NativeEngine {
		return NativeEngine
	}
	return v.Engine + "/" + v.ABI + "/" + v.Handle
}

// A Window is how long the intervals of a series are: in requests or, where
// Requests is 0, in time. The zero value stands for no series.
type Window struct {
	Requests int           `json:"requests,omitempty"`
	Time     time.Duration `json:"time_ns,omitempty"`
}

// A Cell is one independent piece of a plan: one version of one policy, at one
// capacity, over one trace. What it holds decides its outcome completely, so
// that a cell can be run anywhere, at any time, and found again by its ID.
type Cell struct {
	Trace       string `json:"trace"` // base name of the trace's file; no part of the ID
	TraceDigest string `json:"trace_digest"`
	Clock       string `json:"clock_digest,omitempty"`
	Requests    int    `json:"requests"`         // replayed from the trace's start
	Warmup      int    `json:"warmup,omitempty"` // of those, the first, which are not counted
	Window      Window `json:"window,omitzero"`

	Policy    string `json:"policy"`                    // canonical name and parameters, see PolicyName
	Revision  int    `json:"policy_revision,omitempty"` // of a policy that cachesim provides
	ModuleSHA string `json:"module_sha256,omitempty"`
	Keys      string `json:"keys_digest,omitempty"` // see Trace.KeysDigest; empty where the policy is not given keys
	Seed      uint64 `json:"seed"`

	// Sampling says how the result is estimated; the zero value: it is exact.
	Sampling Sampling `json:"sampling,omitzero"`

	// Delayed says how long a fetch takes, where an object enters the cache only
	// when its fetch is complete; the zero value: it enters at once.
	Delayed Latency `json:"delayed,omitzero"`

	Capacity int64  `json:"capacity"` // in Unit
	Unit     string `json:"capacity_unit"`
	Metadata int64  `json:"metadata_bytes,omitempty"` // added to the size of each object

	GuestMemory int64 `json:"guest_memory_bytes,omitempty"` // that a guest may have; 0 for native
	Version
}

// ID returns a name made from everything in the cell that decides its outcome:
// 16 hex digits of a SHA-256 of its JSON. (String, which fmt would call, leaves
// most of it out.)
func (c Cell) ID() string {
	c.Trace = ""
	b, err := json.Marshal(c)
	if err != nil {
		panic(err) // strings and numbers are always representable
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:8])
}

// String names the cell for people.
func (c Cell) String() string {
	s := fmt.Sprintf("%s: %s at %s, %s", c.Trace, c.Policy, c.Size(), c.Version)
	if c.Sampling != (Sampling{}) {
		s += ", estimated from " + c.Sampling.String()
	}
	if c.Delayed != (Latency{}) {
		s += ", stored after " + c.Delayed.String()
	}
	return s
}

// Size writes the capacity with its unit.
func (c Cell) Size() string { return FormatCapacity(c.Capacity, c.Unit) }

// FormatCapacity writes a capacity with its unit: "64 MiB", "5,000 objects".
func FormatCapacity(capacity int64, unit string) string {
	if unit == UnitObjects {
		return humanize.Comma(capacity) + " objects"
	}
	return humanize.IBytes(uint64(capacity))
}

// Group returns what every version of a policy must agree on: cells that differ
// in engine, ABI, handle and module only have the same outcome.
func (c Cell) Group() Cell {
	c.Trace, c.ModuleSHA, c.GuestMemory, c.Version = "", "", 0, Version{}
	return c
}
