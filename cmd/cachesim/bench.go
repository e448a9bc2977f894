package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/google/renameio/v2/maybe"
	"github.com/schollz/progressbar/v3"
	"github.com/urfave/cli/v2"
	"golang.org/x/term"

	"cachesim/plots"
	wasm "cachesim/policies-wasm"
	"cachesim/policies-wasm/engines"
	"cachesim/policies-wasm/micro"
	"cachesim/sim"
	"cachesim/sim/results"
)

// goFormat is the format of the Go tools, for benchstat.
const goFormat = "go"

type benchOptions struct {
	micro.Options
	out         string
	figures     figureOptions
	goFormat    bool
	json, quiet bool
	// languageNames are those to compare, instead of measuring calls.
	languageNames []string

	stdout, stderr io.Writer
}

func benchCommand(stdout, stderr io.Writer) *cli.Command {
	var tests []string
	for _, t := range micro.Tests {
		tests = append(tests, t.Name)
	}
	return &cli.Command{
		Name:      "bench",
		Usage:     "measure what a call into WASM costs, and where the cost comes from",
		ArgsUsage: " ",
		Description: `Examples:
  cachesim bench
  cachesim bench --engine cranelift,wazero --test native,pair-cached-preload,batch --budget 30s
  cachesim bench --languages all --engine wazero,cranelift --out languages
  cachesim bench --format go > new.txt`,
		Flags: []cli.Flag{
			&cli.StringSliceFlag{Name: "engine", Usage: strings.Join(engines.Names(false), ", ") + " or all (default: those that compile)"},
			&cli.StringSliceFlag{Name: "test", Usage: strings.Join(tests, ", ") + " or all", Value: cli.NewStringSlice("all")},
			&cli.StringSliceFlag{Name: "measure", Usage: strings.Join(measures, ", ") + " or all", Value: cli.NewStringSlice("all")},
			&cli.IntFlag{Name: "calls", Usage: "calls of a run", Value: 100_000},
			&cli.IntFlag{Name: "runs", Usage: "runs of each test, taking turns", Value: 100},
			&cli.IntFlag{Name: "warmups", Usage: "runs before them, which do not count", Value: 1},
			&cli.DurationFlag{Name: "budget", Usage: "make fewer runs, but 3, where all would take longer; 0: never", Value: 4 * time.Minute},
			&cli.StringFlag{Name: "module", Usage: "a guest of your own: FILE.wasm, with the exports of the published experiment; of one that passes a struct, FILE.wasm:abi=bytemuck"},
			&cli.StringSliceFlag{Name: "languages", Usage: "compare the policies of policy new in `LANGUAGES` instead of measuring calls: " + strings.Join(allLanguages(), ", ") + " or all; those whose tools are here are built"},
			&cli.Uint64Flag{Name: "seed", Usage: "of the order in which tests take turns", Value: 1},
			&cli.StringFlag{Name: "out", Usage: "folder for result files and figures", Value: "results/bench"},
			&cli.StringSliceFlag{Name: "format", Usage: "of the figures: " + strings.Join(plots.Formats, ", ") + "; go prints the runs for benchstat instead of tables", Value: cli.NewStringSlice("png", "pdf")},
			&cli.StringFlag{Name: "title", Usage: "of the figures"},
			&cli.BoolFlag{Name: "quiet", Usage: "no progress on stderr"},
			&cli.BoolFlag{Name: "json", Usage: "JSON lines on stdout instead of tables"},
		},
		Action: func(c *cli.Context) error {
			o, err := newBenchOptions(c, stdout, stderr)
			if err != nil {
				return err
			}
			return o.run(c.Context)
		},
	}
}

// measures are what users call the kinds of a results.CallCost.
var (
	measures    = []string{"calls", "payload", "breakdown"}
	measureKind = map[string]string{"calls": results.CostOfCall, "payload": results.CostOfPayload, "breakdown": results.CostOfPart}
)

func newBenchOptions(c *cli.Context, stdout, stderr io.Writer) (*benchOptions, error) {
	o := &benchOptions{
		out: c.String("out"), json: c.Bool("json"), quiet: c.Bool("quiet"),
		stdout: stdout, stderr: stderr,
		Options: micro.Options{
			Calls: c.Int("calls"), Runs: c.Int("runs"), Warmups: c.Int("warmups"),
			Budget: c.Duration("budget"), Seed: c.Uint64("seed"), Mode: buildMode(),
		},
	}
	if c.NArg() > 0 {
		return nil, usagef("bench takes no arguments; cachesim help bench tells its flags")
	}
	if o.Calls < 1 || o.Runs < 1 || o.Warmups < 0 || o.Budget < 0 {
		return nil, usagef("--calls and --runs want at least 1, --warmups and --budget at least 0")
	}
	names := c.StringSlice("engine")
	if len(names) == 0 {
		names = slices.DeleteFunc(defaultEngines(), func(e string) bool { return !isWASM(e) })
	}
	chosen, notes, err := parseChoice(names, nil, nil)
	if err != nil {
		return nil, err
	}
	for _, name := range chosen.Engines {
		if !isWASM(name) {
			continue // it is measured in any case
		}
		e, err := engines.Named(name)
		if err != nil {
			return nil, usageError{err}
		}
		o.Engines = append(o.Engines, e)
	}
	if len(o.Engines) == 0 {
		return nil, usagef("--engine names native only, which needs no call into WASM")
	}
	if given := c.StringSlice("languages"); len(given) > 0 {
		for _, f := range []string{"test", "measure", "module", "json", "calls"} {
			if c.IsSet(f) {
				return nil, usagef("--%s is of the measuring of calls, which --languages leaves out", f)
			}
		}
		if o.languageNames, err = pick("language", given, allLanguages(), allLanguages()); err != nil {
			return nil, err
		}
	}
	tests := micro.Tests
	if m := c.String("module"); m != "" {
		if o.Guest, tests, err = benchModule(m); err != nil {
			return nil, err
		}
		if c.IsSet("measure") {
			return nil, usagef("--measure chooses for cachesim's own guest: --module is measured in calls only")
		}
	}
	var known []string
	for _, t := range tests {
		known = append(known, t.Name)
	}
	picked, err := pick("test", c.StringSlice("test"), known, known)
	if err != nil {
		return nil, err
	}
	for _, t := range tests {
		if slices.Contains(picked, t.Name) {
			o.Tests = append(o.Tests, t)
		}
	}
	wanted, err := pick("measure", c.StringSlice("measure"), measures, measures)
	if err != nil {
		return nil, err
	}
	if c.IsSet("test") && !c.IsSet("measure") {
		wanted = []string{"calls"} // other measures have no tests to choose
	} else if c.IsSet("test") && !slices.Contains(wanted, "calls") {
		return nil, usagef("--test chooses among calls, which --measure leaves out")
	}
	for _, w := range wanted {
		o.Kinds = append(o.Kinds, measureKind[w])
	}
	formats := c.StringSlice("format")
	if o.goFormat = slices.Contains(formats, goFormat); o.goFormat {
		formats = slices.DeleteFunc(slices.Clone(formats), func(f string) bool { return f == goFormat })
	}
	o.figures.Title = c.String("title")
	if o.figures.formats, err = pick("figure format", formats, plots.Formats, plots.Formats); err != nil {
		return nil, err
	}
	for _, n := range notes {
		fmt.Fprintln(stderr, "cachesim: note:", n)
	}
	return o, nil
}

// benchModule reads a guest, and finds the tests that it has the exports for.
func benchModule(arg string) (*wasm.Binary, []micro.Test, error) {
	path, params, declared := strings.Cut(arg, ":abi=")
	if declared && !slices.Contains(wasm.ABIs, params) {
		return nil, nil, usagef("--module: unknown ABI %q%s", params, sim.DidYouMean(params, wasm.ABIs))
	}
	b, err := wasm.ReadFile(path)
	if err != nil {
		return nil, nil, err
	}
	tests := micro.Fits(b, params)
	if len(tests) == 1 {
		return nil, nil, fmt.Errorf("module %s has none of the exports that tests call: multiply; multiply_many_times; wasm_prepare_buffer or wasm_get_buffer with struct_add", path)
	}
	return b, tests, nil
}

// buildMode tells how this program was built: debug is without the compiler's
// optimisations, -gcflags='all=-N -l'.
func buildMode() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "-gcflags" && strings.Contains(s.Value, "-N") {
				return "debug"
			}
		}
	}
	return "release"
}

func (o *benchOptions) run(ctx context.Context) error {
	if err := os.MkdirAll(o.out, 0o777); err != nil {
		return fmt.Errorf("--out: %w", err)
	}
	if o.languageNames != nil {
		return o.languages(ctx)
	}
	p := newProvenance(os.Args)
	o.Provenance = &p
	if !o.quiet {
		o.Round = roundProgress(o.stderr)
	}
	costs, notes, err := micro.Run(ctx, o.Options)
	for _, n := range notes {
		fmt.Fprintln(o.stderr, "cachesim: note:", n)
	}
	if len(costs) > 0 {
		if err := errors.Join(o.write(costs), o.report(costs)); err != nil {
			return err
		}
	}
	if ctx.Err() != nil {
		if len(costs) == 0 {
			fmt.Fprintln(o.stderr, "cachesim: interrupted before a round was over")
		} else {
			fmt.Fprintf(o.stderr, "cachesim: interrupted after %d runs, which are kept in %s\n", costs[0].Runs, o.out)
		}
		return errInterrupted
	}
	if err != nil {
		return err
	}
	if runs := costs[0].Runs; runs < o.Runs {
		fmt.Fprintf(o.stderr, "cachesim: note: %d of %d runs were made in the time of --budget %v\n", runs, o.Runs, o.Budget)
	}
	fmt.Fprintf(o.stderr, "cachesim: results and figures are in %s\n", o.out)
	return nil
}

// roundProgress shows a bar where w is a terminal, and a line every tenth round
// elsewhere.
func roundProgress(w io.Writer) func(done, of int) {
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		var bar *progressbar.ProgressBar
		return func(done, of int) {
			if bar == nil {
				bar = progressbar.NewOptions(of, progressbar.OptionSetWriter(w), progressbar.OptionSetPredictTime(true),
					progressbar.OptionFullWidth(), progressbar.OptionClearOnFinish(), progressbar.OptionSetDescription("rounds"))
			}
			_ = bar.Set(done)
		}
	}
	return func(done, of int) {
		if done%10 == 0 || done == of {
			fmt.Fprintf(w, "round %d of at most %d\n", done, of)
		}
	}
}

func (o *benchOptions) write(costs []results.CallCost) error {
	for ext, write := range map[string]func(io.Writer, []results.CallCost) error{"csv": results.WriteCallCostCSV, "json": results.WriteCallCostJSON} {
		var b bytes.Buffer
		if err := write(&b, costs); err != nil {
			return err
		}
		if err := maybe.WriteFile(filepath.Join(o.out, "bench."+ext), b.Bytes(), 0o644); err != nil {
			return fmt.Errorf("write results: %w", err)
		}
	}
	return drawFigures(o.out, plots.Rows{Costs: costs}, o.figures)
}

func (o *benchOptions) report(costs []results.CallCost) error {
	switch {
	case o.json:
		e := json.NewEncoder(o.stdout)
		for _, c := range costs {
			if err := e.Encode(c); err != nil {
				return err
			}
		}
	case o.goFormat:
		goBenchmarks(o.stdout, costs)
	default:
		callTable(o.stdout, costs)
		payloadTable(o.stdout, costs)
		partTable(o.stdout, costs)
	}
	return nil
}

// goBenchmarks prints every run as a line of the Go benchmark format
// (golang.org/design/14313-benchmark-format).
func goBenchmarks(w io.Writer, costs []results.CallCost) {
	p := costs[0].Provenance
	fmt.Fprintf(w, "goos: %s\ngoarch: %s\npkg: cachesim/policies-wasm/micro\ncpu: %s\n", p.OS, p.Arch, p.CPU)
	for _, c := range costs {
		if c.Kind == results.CostOfPart {
			continue // differences are no benchmarks
		}
		name := fmt.Sprintf("BenchmarkCall/test=%s/engine=%s/mode=%s", c.Test, c.Engine, c.Mode)
		if c.Kind == results.CostOfPayload {
			name = fmt.Sprintf("BenchmarkPayload/abi=%s/engine=%s/mode=%s/bytes=%d", c.ABI, c.Engine, c.Mode, c.Payload)
		}
		for _, s := range c.Samples {
			fmt.Fprintf(w, "%s %d %.2f ns/op %.0f B/op %.0f allocs/op\n", name, c.Calls, s, c.AllocBytes, c.Allocs)
		}
	}
}

func ofKind(costs []results.CallCost, kind string) []results.CallCost {
	return slices.DeleteFunc(slices.Clone(costs), func(c results.CallCost) bool { return c.Kind != kind })
}

// callTable prints a row a test.
func callTable(w io.Writer, costs []results.CallCost) {
	costs = ofKind(costs, results.CostOfCall)
	if len(costs) == 0 {
		return
	}
	c := costs[0]
	fmt.Fprintf(w, "Cost of a call, ns: %d runs of %d calls after %d that do not count; %s build; interval of the median, 95 %%\n", c.Runs, c.Calls, c.Warmups, c.Mode)
	t := newTable(w, 2, "engine", "test", "median", "interval", "mean", "sd", "min", "x native", "x cached pair", "allocs", "bytes", "with set-up", "set-up ms")
	for _, c := range costs {
		row := []any{c.Engine, c.Test, ns(c.Call.Median), ns(c.Call.Low) + " to " + ns(c.Call.High), ns(c.Call.Mean), ns(c.Call.SD), ns(c.Call.Min),
			factor(c.ToNative), factor(c.ToPair), fmt.Sprintf("%.1f", c.Allocs), fmt.Sprintf("%.0f", c.AllocBytes)}
		if c.Engine == sim.NativeEngine {
			row = append(row, "", "")
		} else {
			row = append(row, ns(c.Total.Median), fmt.Sprintf("%.2f", c.Setup.Median/1e6))
		}
		t.AppendRow(row)
	}
	t.Render()
	fmt.Fprintln(w)
}

func factor(s results.Stats) string {
	if s.Median == 0 {
		return ""
	}
	return fmt.Sprintf("%.3g", s.Median)
}

// ns writes nanoseconds with three digits that mean something.
func ns(f float64) string {
	switch {
	case f >= 100 || f <= -100:
		return fmt.Sprintf("%.0f", f)
	case f >= 10 || f <= -10:
		return fmt.Sprintf("%.1f", f)
	}
	return fmt.Sprintf("%.2f", f)
}

// payloadTable prints a row an engine and ABI and a column a size.
func payloadTable(w io.Writer, costs []results.CallCost) {
	costs = ofKind(costs, results.CostOfPayload)
	if len(costs) == 0 {
		return
	}
	fmt.Fprintf(w, "Cost of a call by the bytes that it passes, ns: median of %d runs\n", costs[0].Runs)
	grid(w, costs, "engine, abi",
		func(c results.CallCost) string { return c.Engine + ", " + c.ABI },
		func(c results.CallCost) string { return fmt.Sprint(c.Payload) })
}

// partTable prints a row a part and a column an engine.
func partTable(w io.Writer, costs []results.CallCost) {
	costs = ofKind(costs, results.CostOfPart)
	if len(costs) == 0 {
		return
	}
	fmt.Fprintf(w, "Where a cached pair call's time goes, ns: each part is the difference of two measurements, median of %d runs\n", costs[0].Runs)
	grid(w, costs, "part",
		func(c results.CallCost) string { return c.Test },
		func(c results.CallCost) string { return c.Engine })
}

// grid prints medians in rows and columns, in the order of their names' first
// appearance.
func grid(w io.Writer, costs []results.CallCost, corner string, row, column func(results.CallCost) string) {
	var rows, columns []string
	cell := make(map[[2]string]string)
	for _, c := range costs {
		r, col := row(c), column(c)
		if !slices.Contains(rows, r) {
			rows = append(rows, r)
		}
		if !slices.Contains(columns, col) {
			columns = append(columns, col)
		}
		cell[[2]string{r, col}] = ns(c.Call.Median)
	}
	header := []any{corner}
	for _, c := range columns {
		header = append(header, c)
	}
	t := newTable(w, 1, header...)
	for _, r := range rows {
		line := []any{r}
		for _, c := range columns {
			line = append(line, cell[[2]string{r, c}])
		}
		t.AppendRow(line)
	}
	t.Render()
	fmt.Fprintln(w)
}
