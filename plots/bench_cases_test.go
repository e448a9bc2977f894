package plots

import (
	"math"
	"slices"
	"strings"

	"cachesim/sim"
	"cachesim/sim/results"
)

// The tests and engines of the micro benchmark.
var (
	callTests = strings.Fields(`native
		pair-uncached-hotload pair-uncached-preload pair-cached-hotload pair-cached-preload pair-srs-hotload pair-srs-preload
		bincode-uncached bincode-cached bytemuck-uncached bytemuck-cached bytemuck-static-uncached bytemuck-static-cached
		bincode-static-uncached bincode-static-cached batch driver host-import loop`)
	callEngines  = []string{"singlepass", "cranelift", "llvm", "wazero", "wasmtime", "wamr"}
	bothModes    = []string{"release", "debug"}
	release      = bothModes[:1]
	payloadTests = []string{"bincode-uncached", "bincode-cached", "bytemuck-uncached", "bytemuck-cached", "bytemuck-static-cached", "bincode-static-cached"}
	callParts    = []string{"boxing", "crossing", "runtime", "guest"}
)

func around(v float64) results.Stats {
	return results.Stats{Mean: v * 1.02, SD: v * 0.1, Median: v, Low: v * 0.93, High: v * 1.09, Min: v * 0.9}
}

// tested names a test's ABI, handle and loading as the benchmark does.
func tested(test, engine, mode string) results.CallCost {
	c := results.CallCost{Kind: results.CostOfCall, Test: test, Engine: engine, Mode: mode, Calls: 100_000, Runs: 30}
	for _, l := range []string{"hotload", "preload"} {
		if rest, ok := strings.CutSuffix(test, "-"+l); ok {
			c.Loading, test = l, rest
		}
	}
	for _, h := range []string{"uncached", "cached", "srs"} {
		if rest, ok := strings.CutSuffix(test, "-"+h); ok {
			c.Handle, test = h, rest
		}
	}
	switch test {
	case "native", "loop":
	case "driver":
		c.ABI, c.Handle = "pair", "driver"
	case "host-import":
		c.ABI = "pair"
	default:
		c.ABI = test
	}
	return c
}

// called makes costs of calls about as different as those of real runtimes.
func called(tests, engines, modes []string) []results.CallCost {
	var costs []results.CallCost
	for m, mode := range modes {
		for i, test := range tests {
			on := engines
			if test == "native" {
				on = []string{sim.NativeEngine}
			}
			for j, engine := range on {
				c := tested(test, engine, mode)
				ns := []float64{620, 560, 540, 28, 75, 48}[j%6]
				switch {
				case c.Handle == "uncached":
					ns *= 4.5
				case c.Loading == "hotload":
					ns *= 1.08
				case test == "native":
					ns = 1.3
				case test == "loop" || c.Handle == "driver" || test == "batch":
					ns = 2 + 1.7*float64(6-j%6)
				}
				ns *= (1 + 0.05*float64(i%5)) * (1 + 0.4*float64(m))
				c.Call = around(ns)
				if test != "native" {
					c.Setup = around(1e6 * []float64{0.9, 3.5, 41, 2.2, 6.5, 0.12}[j%6] * (1 + 0.1*float64(m)))
				}
				c.Total = around(ns + c.Setup.Median/float64(c.Calls))
				costs = append(costs, c)
			}
		}
	}
	return costs
}

// paid makes costs of calls that pass 8 bytes to 64 KiB.
func paid(tests, engines, modes []string) []results.CallCost {
	var costs []results.CallCost
	for _, c := range called(tests, engines, modes) {
		perByte := 0.02
		if strings.HasPrefix(c.Test, "bincode") {
			perByte = 0.3
		}
		for size := 8; size <= 64<<10; size *= 2 {
			c.Kind, c.Payload = results.CostOfPayload, size
			c.Call = around(c.Total.Median + perByte*float64(size))
			costs = append(costs, c)
		}
	}
	return costs
}

// parted makes costs of the parts of a call.
func parted(parts, engines, modes []string) []results.CallCost {
	var costs []results.CallCost
	for _, mode := range modes {
		for j, engine := range engines {
			for i, part := range parts {
				ns := []float64{620, 560, 540, 9, 24, 18}[j%6] * []float64{0.45, 0.3, 0.23, 0.02}[i%4]
				costs = append(costs, results.CallCost{Kind: results.CostOfPart, Test: part, Engine: engine, Mode: mode, Call: around(ns)})
			}
		}
	}
	return costs
}

func everything(modes []string) []results.CallCost {
	return slices.Concat(called(callTests, callEngines, modes), paid(payloadTests, callEngines, modes), parted(callParts, callEngines, modes))
}

// altered returns costs with each changed by f.
func altered(costs []results.CallCost, f func(i int, c *results.CallCost)) []results.CallCost {
	costs = slices.Clone(costs)
	for i := range costs {
		f(i, &costs[i])
	}
	return costs
}

func times(factor float64) func(int, *results.CallCost) {
	return func(_ int, c *results.CallCost) {
		for _, s := range []*results.Stats{&c.Call, &c.Total, &c.Setup} {
			s.Median, s.Low, s.High = s.Median*factor, s.Low*factor, s.High*factor
		}
	}
}

var longNames = func(_ int, c *results.CallCost) {
	c.Test += "-with-a-name-that-goes-on-and-on-and-on"
	if c.Engine != sim.NativeEngine {
		c.Engine += "-of-some-version-with-a-very-long-name-indeed-2.0.1-rc1"
	}
}

// benchCases are costs from simple to difficult. The names of their figures
// follow.
var benchCases = []struct {
	name  string
	costs []results.CallCost
	want  string
}{
	{"all", everything(bothModes), "bench-calls bench-compile bench-payload bench-breakdown"},
	{"release", everything(release), "bench-calls bench-compile bench-payload bench-breakdown"},
	{"debug", everything(bothModes[1:]), "bench-calls bench-compile bench-payload bench-breakdown"},
	{"calls", called(callTests, callEngines, release), "bench-calls bench-compile"},
	{"native", called(callTests[:1], callEngines, bothModes), "bench-calls"},
	{"1-test", called(callTests[4:5], callEngines[:1], release), "bench-calls bench-compile"},
	{"3-tests", called(callTests[2:5], callEngines[:2], bothModes), "bench-calls bench-compile"},
	{"1-engine", slices.Concat(called(callTests, callEngines[:1], bothModes), paid(payloadTests, callEngines[:1], bothModes), parted(callParts, callEngines[:1], bothModes)), "bench-calls bench-compile bench-payload bench-breakdown"},
	{"1-engine-release", slices.Concat(called(callTests, callEngines[3:4], release), paid(payloadTests, callEngines[3:4], release), parted(callParts, callEngines[3:4], release)), "bench-calls bench-compile bench-payload bench-breakdown"},
	{"2-engines", slices.Concat(called(callTests, callEngines[2:4], bothModes), paid(payloadTests, callEngines[2:4], release), parted(callParts, callEngines[2:4], release)), "bench-calls bench-compile bench-payload bench-breakdown"},
	{"3-engines", slices.Concat(called(callTests, callEngines[:3], bothModes), paid(payloadTests, callEngines[:3], release), parted(callParts, callEngines[:3], release)), "bench-calls bench-compile bench-payload bench-breakdown"},
	{"22-tests", called(count(22, "test-%d"), callEngines[:2], release), "bench-calls bench-compile"},
	{"70-tests", called(count(70, "test-%d"), callEngines[:1], release), "bench-calls bench-compile"},
	{"5-payload-engines", paid(payloadTests, callEngines[:5], release), "bench-payload"},
	{"payload-native", paid([]string{"native", "bytemuck-cached"}, callEngines, release), "bench-payload"},
	{"1-payload", altered(called(callTests[7:9], callEngines[:1], release), func(_ int, c *results.CallCost) { c.Kind, c.Payload = results.CostOfPayload, 24 }), "bench-payload"},
	{"20-payload-tests", paid(count(20, "test-%d"), callEngines[:1], release), "bench-payload"},
	{"12-parts", parted(count(12, "part %d"), callEngines, release), "bench-breakdown"},
	{"30-part-engines", parted(callParts, count(30, "e%d"), release), "bench-breakdown"},
	{"9-engines", slices.Concat(called(callTests, count(9, "engine%d"), bothModes), paid(payloadTests, count(9, "engine%d"), release)), "bench-calls bench-compile bench-payload"},
	{"long-names", altered(everything(bothModes), longNames), "bench-calls bench-compile bench-payload bench-breakdown"},
	{"huge", altered(everything(bothModes), times(1e8)), "bench-calls bench-compile bench-payload bench-breakdown"},
	{"tiny", altered(everything(bothModes), times(1e-4)), "bench-calls bench-compile bench-payload bench-breakdown"},
	{"zero", altered(everything(bothModes), times(0)), "bench-calls bench-breakdown"},
	{"wide-range", altered(everything(release), func(i int, c *results.CallCost) { times(math.Pow(10, float64(i%9)))(i, c) }), "bench-calls bench-compile bench-payload bench-breakdown"},
}
