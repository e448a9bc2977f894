//go:build linux

package main

import (
	"bytes"
	_ "embed"
	"fmt"
	"math"
	"slices"
	"strings"
	"text/template"
	"time"

	"github.com/dustin/go-humanize"

	"cachesim/sim"
	"cachesim/sim/results"
)

//go:embed page.md.tmpl
var pageTemplate string

// data is what the page is made from. Its methods are what the template calls.
type data struct {
	release, debug       []results.CallCost
	matrix, ratios, hits []results.Result
	machine              machine
	run                  results.Provenance
	trace                results.Trace
}

func (d *data) render() ([]byte, error) {
	t, err := template.New("page").Option("missingkey=error").Parse(pageTemplate)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = t.Execute(&b, d)
	return b.Bytes(), err
}

// row writes one row of a table.
func row(b *strings.Builder, cells ...string) {
	fmt.Fprintf(b, "| %s |\n", strings.Join(cells, " | "))
}

func header(b *strings.Builder, left int, cells ...string) {
	row(b, cells...)
	rule := make([]string, len(cells))
	for i := range rule {
		rule[i] = "---:"
		if i < left {
			rule[i] = "---"
		}
	}
	row(b, rule...)
}

func number(f float64) string {
	switch {
	case f == 0 || math.IsNaN(f):
		return ""
	case math.Abs(f) >= 100:
		return humanize.Comma(int64(math.Round(f)))
	case math.Abs(f) >= 10:
		return fmt.Sprintf("%.0f", f)
	}
	return fmt.Sprintf("%.1f", f)
}

func (d *data) Machine() string {
	p := d.run
	return fmt.Sprintf("%d processors, %s, %s, %s/%s; cachesim %s", p.CPUs, strings.TrimSpace(p.CPU), p.Go, p.OS, p.Arch, p.Version)
}

func (d *data) Versions() string {
	var list []string
	p := d.run
	for _, e := range []string{"cranelift", "wazero", "wasmtime", "wamr"} {
		if v := p.Engines[e]; v != "" {
			list = append(list, v)
		}
	}
	return strings.Join(list, ", ")
}

func (d *data) Trace() string {
	t := d.trace
	return fmt.Sprintf("%s requests for %s objects, a footprint of %s bytes, %s bytes requested, %s requests that give their object another size than the first",
		humanize.Comma(int64(t.Requests)), humanize.Comma(int64(t.Objects)), humanize.Comma(t.Footprint), humanize.Comma(t.RequestBytes), humanize.Comma(int64(t.SizeChanges)))
}

func (d *data) Runs() int      { return d.release[0].Runs }
func (d *data) DebugRuns() int { return d.debug[0].Runs }

func find(costs []results.CallCost, kind, engine, test string) (results.CallCost, bool) {
	i := slices.IndexFunc(costs, func(c results.CallCost) bool { return c.Kind == kind && c.Engine == engine && c.Test == test })
	if i < 0 {
		return results.CallCost{}, false
	}
	return costs[i], true
}

func names[T any](list []T, keep func(T) bool, name func(T) string) []string {
	var all []string
	for _, x := range list {
		if keep(x) {
			all = add(all, name(x))
		}
	}
	return all
}

func isCall(c results.CallCost) bool {
	return c.Kind == results.CostOfCall && c.Engine != sim.NativeEngine
}
func engineOf(c results.CallCost) string {
	return c.Engine
}

// call is the least time of a test, 0 where there is none: other users of the
// machine make runs longer, never shorter.
func (d *data) call(engine, test string) float64 {
	c, _ := find(d.release, results.CostOfCall, engine, test)
	return c.Call.Min
}

// Micro is the table of the micro benchmark: tests by engines.
func (d *data) Micro() string {
	var b strings.Builder
	engines := names(d.release, isCall, engineOf)
	header(&b, 1, append([]string{"test"}, engines...)...)
	for _, t := range names(d.release, isCall, func(c results.CallCost) string { return c.Test }) {
		cells := []string{t}
		for _, e := range engines {
			cells = append(cells, number(d.call(e, t)))
		}
		row(&b, cells...)
	}
	return b.String()
}

func (d *data) Native() string {
	c, _ := find(d.release, results.CostOfCall, sim.NativeEngine, "native")
	return fmt.Sprintf("%.1f ns", c.Call.Min)
}

// Debug compares builds: the cost in a debug build over that in a release build.
func (d *data) Debug() string {
	var b strings.Builder
	engines := names(d.debug, isCall, engineOf)
	header(&b, 1, append([]string{"debug over release"}, engines...)...)
	for _, t := range []string{"pair-cached-preload", "bytemuck-static-cached", "batch", "loop"} {
		cells := []string{t}
		for _, e := range engines {
			c, ok := find(d.debug, results.CostOfCall, e, t)
			text := ""
			if r := d.call(e, t); ok && r > 0 {
				text = fmt.Sprintf("%.2f", c.Call.Min/r)
			}
			cells = append(cells, text)
		}
		row(&b, cells...)
	}
	return b.String()
}

// Parts is where a call's time goes.
func (d *data) Parts() string {
	var b strings.Builder
	isPart := func(c results.CallCost) bool { return c.Kind == results.CostOfPart }
	engines := names(d.release, isPart, engineOf)
	header(&b, 1, append([]string{"ns"}, engines...)...)
	for _, p := range names(d.release, isPart, func(c results.CallCost) string { return c.Test }) {
		cells := []string{p}
		for _, e := range engines {
			c, _ := find(d.release, results.CostOfPart, e, p)
			cells = append(cells, number(c.Call.Median))
		}
		row(&b, cells...)
	}
	return b.String()
}

// Payloads is the table of at how many bytes copying has overtaken calling: where a call
// costs twice what it costs with 8 bytes.
func (d *data) Payloads() string {
	var b strings.Builder
	isPayload := func(c results.CallCost) bool { return c.Kind == results.CostOfPayload }
	abis := names(d.release, isPayload, func(c results.CallCost) string { return c.ABI })
	header(&b, 1, append([]string{"bytes at which a call costs twice"}, abis...)...)
	for _, e := range names(d.release, isPayload, engineOf) {
		cells := []string{e}
		for _, abi := range abis {
			first, at := 0.0, ""
			for _, c := range d.release {
				if !isPayload(c) || c.Engine != e || c.ABI != abi {
					continue
				}
				if first == 0 {
					first = c.Call.Min
				}
				if at == "" && c.Call.Min >= 2*first {
					at = humanize.Comma(int64(c.Payload))
				}
			}
			if at == "" {
				at = "beyond 65,536"
			}
			cells = append(cells, at)
		}
		row(&b, cells...)
	}
	return b.String()
}

// version finds a timed cell. Its time is that of the fastest replay.
func version(list []results.Result, policy, engine, abi, handle string) (results.Result, bool) {
	i := slices.IndexFunc(list, func(r results.Result) bool {
		return r.Timed && r.Policy == policy && r.Engine == engine && r.ABI == abi && r.Handle == handle
	})
	if i < 0 {
		return results.Result{}, false
	}
	r := list[i]
	r.Replay = r.ReplayMin
	return r, true
}

// over is a version's time over the native one's.
func over(list []results.Result, policy, engine, abi, handle string) float64 {
	n, _ := version(list, policy, sim.NativeEngine, "", "")
	r, ok := version(list, policy, engine, abi, handle)
	if !ok || n.Replay == 0 {
		return 0
	}
	return r.PerRequest() / n.PerRequest()
}

var policies = []string{"fifo", "lru", "lfu", "gdsize"}

// Macro is the experiment's figure of running times: policies by version, on
// Cranelift and LLVM.
func (d *data) Macro() string {
	var b strings.Builder
	header(&b, 2, "policy", "version", "cranelift ns", "x native", "llvm ns", "x native")
	for _, p := range policies {
		n, _ := version(d.matrix, p, sim.NativeEngine, "", "")
		row(&b, p, "native", number(n.PerRequest()), "1.0", number(n.PerRequest()), "1.0")
		for _, v := range [][2]string{{"pair", "uncached"}, {"pair", "srs"}, {"bincode", "uncached"}, {"bincode", "srs"},
			{"bytemuck-static", "uncached"}, {"bytemuck-static", "srs"}, {"pair", "driver"}, {"batch", "srs"}} {
			cells := []string{p, v[0] + ", " + v[1]}
			for _, e := range []string{"cranelift", "llvm"} {
				r, ok := version(d.matrix, p, e, v[0], v[1])
				if !ok {
					cells = append(cells, "", "")
					continue
				}
				cells = append(cells, number(r.PerRequest()), number(over(d.matrix, p, e, v[0], v[1])))
			}
			row(&b, cells...)
		}
	}
	return b.String()
}

// Hits is the experiment's figure of hit rates: cache sizes by policy.
func (d *data) Hits() string {
	var b strings.Builder
	header(&b, 0, append([]string{"cache size"}, policies...)...)
	sizes := map[int64]map[string]float64{}
	for _, r := range d.hits {
		if r.Whole {
			if sizes[r.Capacity] == nil {
				sizes[r.Capacity] = map[string]float64{}
			}
			sizes[r.Capacity][r.Policy] = 100 * r.HitRatio()
		}
	}
	var order []int64
	for s := range sizes {
		order = append(order, s)
	}
	slices.Sort(order)
	for _, s := range order {
		cells := []string{humanize.IBytes(uint64(s))}
		for _, p := range policies {
			cells = append(cells, fmt.Sprintf("%.2f %%", sizes[s][p]))
		}
		row(&b, cells...)
	}
	return b.String()
}

// Runtimes is the table of all engines.
func (d *data) Runtimes() string {
	var b strings.Builder
	header(&b, 1, "engine", "cached pair call", "lru: pair, srs", "lru: pair, driver", "lru: batch", "compile lru.wasm", "instantiate", "peak memory", "its library")
	for _, f := range d.machine.Footprints {
		cells := []string{f.Engine}
		if f.Engine == sim.NativeEngine {
			n, _ := version(d.matrix, "lru", sim.NativeEngine, "", "")
			row(&b, f.Engine, d.Native(), number(n.PerRequest())+" ns", "", "", "", "", humanize.IBytes(uint64(f.Peak)), "")
			continue
		}
		cells = append(cells, number(d.call(f.Engine, "pair-cached-preload"))+" ns")
		for _, v := range [][2]string{{"pair", "srs"}, {"pair", "driver"}, {"batch", "srs"}} {
			r, _ := version(d.matrix, "lru", f.Engine, v[0], v[1])
			cells = append(cells, number(r.PerRequest())+" ns")
		}
		r, _ := version(d.matrix, "lru", f.Engine, "batch", "srs")
		library := "in the binary"
		if f.Library > 0 {
			library = humanize.IBytes(uint64(f.Library))
		}
		cells = append(cells, milliseconds(r.Compile), milliseconds(r.Instantiate), humanize.IBytes(uint64(f.Peak)), library)
		row(&b, cells...)
	}
	return b.String()
}

func milliseconds(d time.Duration) string { return fmt.Sprintf("%.1f ms", float64(d)/1e6) }

func (d *data) Binaries() string {
	return fmt.Sprintf("The binary with cgo has %s, the static one %s.", humanize.IBytes(uint64(d.machine.Binary)), humanize.IBytes(uint64(d.machine.Static)))
}

// Ratios is the table of the fast versions over native, all requests.
func (d *data) Ratios() string {
	var b strings.Builder
	header(&b, 2, append([]string{"engine", "version"}, policies...)...)
	for _, e := range names(d.ratios, func(r results.Result) bool { return r.Timed && r.Engine != sim.NativeEngine }, func(r results.Result) string { return r.Engine }) {
		for _, v := range [][2]string{{"batch", "srs"}, {"pair", "driver"}, {"pair", "srs"}} {
			cells := []string{e, v[0] + ", " + v[1]}
			for _, p := range policies {
				r, _ := version(d.ratios, p, e, v[0], v[1])
				cells = append(cells, fmt.Sprintf("%.2f (%s ns)", over(d.ratios, p, e, v[0], v[1]), number(r.PerRequest())))
			}
			row(&b, cells...)
		}
	}
	cells := []string{"native", ""}
	for _, p := range policies {
		n, _ := version(d.ratios, p, sim.NativeEngine, "", "")
		cells = append(cells, number(n.PerRequest())+" ns")
	}
	row(&b, cells...)
	return b.String()
}

// span is the smallest and the largest of some numbers that are not 0.
func span(x ...float64) (low, high float64) {
	x = slices.DeleteFunc(x, func(f float64) bool { return f == 0 || math.IsNaN(f) || math.IsInf(f, 0) })
	if len(x) == 0 {
		return 0, 0
	}
	return slices.Min(x), slices.Max(x)
}

func verdict(agrees bool) string {
	if agrees {
		return "agrees"
	}
	return "**differs**"
}

// quartiles are the bounds of the middle half of some numbers, and their median; 0 of
// none.
func quartiles(x []float64) (low, median, high float64) {
	if len(x) == 0 {
		return 0, 0, 0
	}
	x = slices.Sorted(slices.Values(x))
	return x[len(x)/4], x[len(x)/2], x[len(x)*3/4]
}

// verdictOf is for measurements of which half are from low to high, where from and to
// bound what they found.
func verdictOf(low, high, from, to float64) string {
	switch {
	case low >= from && high <= to:
		return verdict(true)
	case high < from || low > to:
		return verdict(false)
	}
	return "unclear: they scatter"
}

// Claims is what they found beside what is found here.
func (d *data) Claims() string {
	var b strings.Builder
	header(&b, 3, "they found", "here", "")
	wasmer := []string{"singlepass", "cranelift", "llvm"}

	var calls, inside []float64
	for _, p := range policies {
		for _, e := range []string{"cranelift", "llvm"} {
			calls = append(calls, over(d.matrix, p, e, "pair", "srs"))
			inside = append(inside, over(d.ratios, p, e, "batch", "srs"), over(d.ratios, p, e, "pair", "driver"))
		}
	}
	low, high := span(calls...)
	row(&b, "WASM policies are 5 to 10 times slower than native ones",
		fmt.Sprintf("called once a request through wasmer-go, on Cranelift and LLVM, they take %s to %s times as long", number(low), number(high)),
		verdict(low >= 3 && high <= 12))
	low, high = span(inside...)
	row(&b, "the same",
		fmt.Sprintf("called once a batch, or by a driver in the sandbox, on the same engines, %.2f to %.2f times as long; on others see below", low, high), verdict(low >= 5))

	ratio := func(a, b results.Result) float64 { return a.PerRequest() / b.PerRequest() }
	get := func(p, e, abi, handle string) results.Result { r, _ := version(d.matrix, p, e, abi, handle); return r }
	n := ratio(get("lfu", sim.NativeEngine, "", ""), get("fifo", sim.NativeEngine, "", ""))
	w := ratio(get("lfu", "cranelift", "pair", "srs"), get("fifo", "cranelift", "pair", "srs"))
	row(&b, "the call is what costs: native FIFO is over twice as fast as native LFU, their WASM versions hardly differ",
		fmt.Sprintf("LFU takes %.1f times FIFO's time natively, %.2f times on cached pair (Cranelift)", n, w), verdict(n > 2 && w > 1/1.3 && w < 1.3))

	var gains []float64
	for _, e := range wasmer {
		for _, abi := range []string{"pair", "bincode", "bytemuck-static"} {
			for _, p := range policies {
				u, s := get(p, e, abi, "uncached"), get(p, e, abi, "srs")
				if u.Replay > 0 && s.Replay > 0 {
					gains = append(gains, 100*(1-s.PerRequest()/u.PerRequest()))
				}
			}
		}
	}
	low, median, high := quartiles(gains)
	row(&b, "cached handles win up to 15.3 %",
		fmt.Sprintf("a median of %.0f %%, half of them from %.0f to %.0f %%", median, low, high), verdictOf(low, high, 0, 20))

	var behind, dynamic []float64
	for _, e := range wasmer {
		behind = append(behind, 100*(d.call(e, "bytemuck-static-cached")/d.call(e, "pair-cached-preload")-1))
		dynamic = append(dynamic, 100*(d.call(e, "bytemuck-cached")/d.call(e, "pair-cached-preload")-1))
	}
	low, high = span(behind...)
	low2, high2 := span(dynamic...)
	row(&b, "Pair is fastest, static Bytemuck about 20 % behind, dynamic memory behind that, for its second call",
		fmt.Sprintf("static Bytemuck is %.0f to %.0f %% behind, dynamic %.0f to %.0f %%", low, high, low2, high2),
		verdict(low > 0 && low2 > high))

	var faster []float64
	for _, p := range policies {
		for _, abi := range []string{"pair", "bincode", "bytemuck-static"} {
			for _, h := range []string{"uncached", "srs"} {
				c, l := get(p, "cranelift", abi, h), get(p, "llvm", abi, h)
				if l.Replay > 0 && c.Replay > 0 {
					faster = append(faster, ratio(c, l))
				}
			}
		}
	}
	llvm, cranelift := get("lru", "llvm", "batch", "srs"), get("lru", "cranelift", "batch", "srs")
	if len(faster) > 0 {
		low, median, high := quartiles(faster)
		row(&b, "LLVM runs marginally faster than Cranelift",
			fmt.Sprintf("on calls for each request Cranelift takes %.2f times LLVM's time in the median (half of them %.2f to %.2f)", median, low, high),
			verdictOf(low, high, 1, 1.3))
		times := float64(llvm.Compile) / float64(cranelift.Compile)
		row(&b, "and compiles about four times slower",
			fmt.Sprintf("%s against %s for lru.wasm: %.0f times", milliseconds(llvm.Compile), milliseconds(cranelift.Compile), times), verdict(times > 2 && times < 8))
	}

	var longer []float64
	for _, e := range []string{"singlepass", "cranelift"} {
		c, _ := find(d.release, results.CostOfCall, e, "pair-cached-preload")
		longer = append(longer, 100*(c.Total.Min/c.Call.Min-1))
	}
	low, high = span(longer...)
	row(&b, "with compile time included, runs of 100,000 calls take about 50 % longer on Cranelift and Singlepass",
		fmt.Sprintf("%.0f to %.0f %%", low, high), verdict(low > 25 && high < 100))

	var loops []float64
	for _, e := range wasmer {
		loops = append(loops, d.call(e, "pair-cached-preload")/d.call(e, "loop"))
	}
	low, high = span(loops...)
	row(&b, "the loop inside the guest is the floor, far below any call",
		fmt.Sprintf("a call costs %.0f to %.0f times a turn of the loop", low, high), verdict(low > 5))

	same, all := 0, 0
	for _, r := range d.matrix {
		if r.Timed {
			all++
			if n, ok := version(d.matrix, r.Policy, sim.NativeEngine, "", ""); ok && n.Outcome == r.Outcome {
				same++
			}
		}
	}
	row(&b, "each version of a policy reports the same hits", fmt.Sprintf("%d of %d timed cells have the native version's outcome at every request", same, all), verdict(same == all))
	return b.String()
}
