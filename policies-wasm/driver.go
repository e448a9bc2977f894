package wasm

import (
	"embed"
	"fmt"

	"cachesim/policies-wasm/engines"
	"cachesim/sim"
)

// The modules that stand between host and policy are assembled from the .wat
// files beside them by adapters/build.sh.
//
//go:embed adapters/*.wasm
var adapters embed.FS

// outcomesAt is where loop.wat leaves the outcomes in its memory.
const outcomesAt = 16 * chunk

// driven puts a loop between host and policy, inside the sandbox: the host
// crosses once a batch, and the calls for each request are calls from guest to
// guest, which cost nanoseconds. The policy needs no export for it. Where its
// convention isn't that of the loop, adapters stand between the two.
//
//	host -> loop -> [count ->] [bytes ->] policy
func (g *guest) driven() (replayer, error) {
	// at is the next link's export that takes a request.
	at := g.export(g.conv.send)
	loopName, loopImports := "loop", make(map[engines.ImportName]engines.Provider)
	if g.conv.record > 0 {
		name := "bytes"
		if !g.conv.returns {
			name = "bytes-void"
		}
		adapter, err := g.link(name, map[engines.ImportName]engines.Provider{
			policyImport("memory"): g.export("memory"),
			policyImport("alloc"):  g.export("alloc"),
			policyImport("send"):   at,
		})
		if err != nil {
			return nil, err
		}
		var place uint32
		if g.conv.static {
			alloc, err := g.callee("alloc")
			if err != nil {
				return nil, err
			}
			if place, err = alloc.allocate(g.conv.record); err != nil {
				return nil, err
			}
			if _, err := g.slice(place, g.conv.record); err != nil {
				return nil, err
			}
		}
		if err := start(adapter, uint64(place), uint64(g.conv.record)); err != nil {
			return nil, err
		}
		at = engines.Provider{Instance: adapter, Export: "send"}
		if g.conv.record == 16 {
			loopName = "loop-time"
			loopImports[policyImport("time")] = engines.Provider{Instance: adapter, Export: "time"}
		}
	}
	if !g.conv.returns {
		adapter, err := g.link("count", map[engines.ImportName]engines.Provider{
			policyImport("send"):  at,
			policyImport("stats"): g.export("stats"),
		})
		if err != nil {
			return nil, err
		}
		if err := start(adapter); err != nil {
			return nil, err
		}
		at = engines.Provider{Instance: adapter, Export: "send"}
	}
	loopImports[policyImport("send")] = at
	loop, err := g.link(loopName, loopImports)
	if err != nil {
		return nil, err
	}
	replay, err := loop.Function("replay")
	if err != nil {
		return nil, err
	}
	memory, err := loop.Memory("memory")
	if err != nil {
		return nil, err
	}
	// The loop's memory cannot grow, so it stays where it is.
	b := memory.Bytes()
	stack := make([]uint64, 1)
	return g.chunked(func(reqs []sim.Request, hit []bool) error {
		out := b[outcomesAt : outcomesAt+len(reqs)]
		fill(out)
		copyRecords(b, reqs)
		stack[0] = uint64(len(reqs))
		if err := replay.Call(stack); err != nil {
			// An outcome of 255 could be the guest's own, which is not one either.
			return g.locate(err, reqs, out, true)
		}
		if err := g.outcomes(out, reqs, hit); err != nil {
			return err
		}
		if uint32(stack[0]) > 1 { // a byte cannot show it
			return fmt.Errorf("impossible outcome: the guest returned neither 0 (miss) nor 1 (hit)")
		}
		return nil
	}), nil
}

// policyImport is what adapters call an import from the next link.
func policyImport(name string) engines.ImportName {
	return engines.ImportName{Module: "policy", Name: name}
}

// start calls an adapter's start export.
func start(adapter engines.Instance, args ...uint64) error {
	f, err := adapter.Function("start")
	if err != nil {
		return err
	}
	return f.Call(append(args, 0))
}
