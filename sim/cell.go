package sim

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/dustin/go-humanize"
)

// NativeEngine is the engine of policies that are Go structs.
const NativeEngine = "native"

// A Cell is one independent piece of a plan: one version of one policy, at one
// capacity, over one trace. What it holds decides its outcome completely, so
// that a cell can be run anywhere, at any time, and found again by its ID.
type Cell struct {
	Trace       string `json:"trace"`        // base name of the trace's file
	TraceSHA256 string `json:"trace_sha256"` // of that file
	ObjectSize  string `json:"object_size"`  // which size of an object counts: first, last or max
	Requests    int    `json:"requests"`     // replayed from the trace's start
	Policy      string `json:"policy"`       // canonical name and parameters, see PolicyName
	ModuleSHA   string `json:"module_sha256,omitempty"`
	Capacity    int64  `json:"capacity_bytes"`
	Seed        uint64 `json:"seed"`
	Engine      string `json:"engine"`           // NativeEngine or the name of a WASM engine
	ABI         string `json:"abi,omitempty"`    // calling convention; empty for native
	Handle      string `json:"handle,omitempty"` // how exports are found; empty for native
}

// ID returns a name made from everything in the cell: 16 hex digits of a
// SHA-256 of its JSON. (String, which fmt would call, leaves most of it out.)
func (c Cell) ID() string {
	b, err := json.Marshal(c)
	if err != nil {
		panic(err) // strings and numbers are always representable
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:8])
}

// Version names the engine, the ABI and the handle: "native" or
// "cranelift/pair/srs".
func (c Cell) Version() string {
	if c.Engine == NativeEngine {
		return NativeEngine
	}
	return c.Engine + "/" + c.ABI + "/" + c.Handle
}

// String names the cell for people.
func (c Cell) String() string {
	return fmt.Sprintf("%s: %s at %s, %s", c.Trace, c.Policy, humanize.IBytes(uint64(c.Capacity)), c.Version())
}

// A group is what every version of a policy must agree on: cells that differ
// in engine, ABI, handle and module only have the same outcome.
type group struct {
	trace, objectSize, policy string
	requests                  int
	capacity                  int64
	seed                      uint64
}

func (c Cell) group() group {
	return group{c.TraceSHA256, c.ObjectSize, c.Policy, c.Requests, c.Capacity, c.Seed}
}
