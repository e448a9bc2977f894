package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/urfave/cli/v2"

	"cachesim/plots"
	"cachesim/sim"
	"cachesim/sim/profile"
	"cachesim/sim/results"
	"cachesim/traces"
	"cachesim/traces/gen"
)

func traceCommand(stdout, stderr io.Writer) *cli.Command {
	return &cli.Command{
		Name:  "trace",
		Usage: "describe, show, convert, filter and generate traces",
		Subcommands: []*cli.Command{
			traceInfo(stdout, stderr), traceHead(stdout), traceConvert(stderr), traceFilter(stderr), traceSample(stderr), traceGen(stderr),
		},
	}
}

func traceInfo(stdout, stderr io.Writer) *cli.Command {
	return &cli.Command{
		Name:        "info",
		Usage:       "describe traces: requests, sizes, popularity, reuse, rate, and what looks wrong",
		ArgsUsage:   "TRACE [TRACE...]",
		Description: "Examples:\n  cachesim trace info access.log\n  cachesim trace info trace.zst --json\n  cachesim trace info trace.zst --out figures",
		Flags: append(append(traceFlags(), figureFlags()...),
			&cli.StringFlag{Category: aboutOutput, Name: "out", Usage: "`FOLDER` for figures (default: none are drawn)"},
			&cli.BoolFlag{Category: aboutOutput, Name: "json", Usage: "JSON lines on stdout instead of text"}),
		Action: func(c *cli.Context) error {
			o, err := newTraceOptions(c)
			if err != nil {
				return err
			}
			figures, err := newFigureOptions(c)
			if err != nil {
				return err
			}
			var rows plots.Rows
			for _, group := range o.groups {
				t, err := o.open(c.Context, group)
				if err != nil {
					return err
				}
				p, err := profile.Of(t)
				err = errors.Join(err, t.Close())
				if err != nil {
					return err
				}
				rows.Profiles = append(rows.Profiles, drawable(t, p))
				if c.Bool("json") {
					described := results.Describe(t)
					described.SHA256 = t.SHA256()
					err = json.NewEncoder(stdout).Encode(struct {
						Trace   results.Trace    `json:"trace"`
						Profile *profile.Profile `json:"profile"`
					}{described, p})
				} else {
					printProfile(stdout, t, p)
				}
				if err != nil {
					return err
				}
			}
			if dir := c.String("out"); dir != "" {
				if err := os.MkdirAll(dir, 0o777); err != nil {
					return fmt.Errorf("--out: %w", err)
				}
				if err := drawFigures(dir, rows, figures); err != nil {
					return err
				}
				fmt.Fprintf(stderr, "cachesim: figures are in %s\n", dir)
			}
			return nil
		},
	}
}

func printProfile(w io.Writer, t *sim.Trace, p *profile.Profile) {
	describe(w, t)
	percent := func(f float64) string { return fmt.Sprintf("%.1f %%", 100*f) }
	bytes := func(n int64) string { return humanize.IBytes(uint64(n)) }
	number := func(n int64) string { return humanize.Comma(n) }
	row := func(name string, format func(int64) string, q profile.Percentiles) []any {
		return []any{name, format(q.Min), format(q.P10), format(q.P50), format(q.P90), format(q.P99), format(q.Max), format(q.Mean)}
	}
	out := newTable(w, 1, "", "min", "10 %", "median", "90 %", "99 %", "max", "mean")
	out.AppendRow(row("sizes of objects", bytes, p.ObjectSizes))
	out.AppendRow(row("sizes of requests", bytes, p.RequestSizes))
	if p.ReuseDistance.Max > 0 {
		out.AppendRow(row("reuse distance, objects", number, p.ReuseDistance))
		out.AppendRow(row("reuse distance, bytes", bytes, p.ReuseBytes))
	}
	out.Render()
	fmt.Fprintln(w, "\nReuse distance: what was requested since the last request for the same object; an LRU cache of that size hits.")
	fmt.Fprintf(w, "First requests for an object: %s of all; no cache can hit them.\n", percent(float64(p.Objects)/float64(max(1, p.Requests))))
	fmt.Fprintf(w, "Objects requested once: %s. The most popular tenth of the objects gets %s of the requests.\n", percent(p.OneHit), percent(p.Top10))
	if p.Alpha > 0 {
		fmt.Fprintf(w, "Popularity: Zipf's law with alpha = %.2f (R² %.3f of the line through the logarithms).\n", p.Alpha, p.R2)
	}
	if p.Sets+p.Deletes > 0 {
		fmt.Fprintf(w, "Operations: %s gets, %s sets, %s deletes.\n", number(int64(p.Gets)), number(int64(p.Sets)), number(int64(p.Deletes)))
	}
	if p.Span > 0 {
		fmt.Fprintf(w, "Rate: %.3g requests a second, %.3g in the busiest %v.\n", p.Rate, p.PeakRate, p.Interval.Round(time.Millisecond))
	}
	for _, warning := range doubts(t, p) {
		fmt.Fprintln(w, "Warning:", warning)
	}
	fmt.Fprintln(w)
}

// doubts are what makes a trace look as if it was misread, beside its notes.
func doubts(t *sim.Trace, p *profile.Profile) (all []string) {
	if p.Zero > 0 && p.ObjectSizes.Max > 0 {
		all = append(all, count(p.Zero, "object")+" of size 0")
	}
	if 10*t.SizeChanges > t.Requests {
		all = append(all, fmt.Sprintf("in %s the object has another size than the one that counts", count(t.SizeChanges, "request")))
	}
	return all
}

// drawable makes figures' data of a profile.
func drawable(t *sim.Trace, p *profile.Profile) plots.TraceProfile {
	d := plots.TraceProfile{Trace: t.Name, ReuseUnit: sim.UnitBytes}
	for _, r := range p.Popularity {
		d.Popularity = append(d.Popularity, plots.Rank{Rank: int64(r.Rank), Requests: int64(r.Count)})
	}
	if n := len(p.Popularity); p.Alpha > 0 && n > 1 {
		d.Zipf = &plots.ZipfFit{Alpha: p.Alpha, Scale: p.Scale, From: int64(p.Popularity[0].Rank), To: int64(p.Popularity[n-1].Rank)}
	}
	shares := func(list []profile.Share) (all []plots.Share) {
		for _, s := range list {
			all = append(all, plots.Share{Value: float64(s.Value), Share: s.Share})
		}
		return all
	}
	d.ObjectSizes, d.RequestSizes, d.Reuse = shares(p.ObjectSizeCDF), shares(p.RequestSizeCDF), shares(p.ReuseBytesCDF)
	for i, n := range p.Rates {
		d.Load = append(d.Load, plots.Load{Start: time.Duration(i) * p.Interval, Length: p.Interval, Requests: int64(n)})
	}
	return d
}

// errEnough ends the reading of a trace of which enough was read.
var errEnough = errors.New("enough")

func traceHead(stdout io.Writer) *cli.Command {
	return &cli.Command{
		Name:        "head",
		Usage:       "print the first requests as cachesim understands them",
		ArgsUsage:   "TRACE",
		Description: "Example:\n  cachesim trace head access.log --limit 20",
		Flags:       append(traceFlags(), &cli.IntFlag{Name: "lines", Usage: "print `N` requests", Value: 10}),
		Action: func(c *cli.Context) error {
			o, err := newTraceOptions(c)
			if err != nil {
				return err
			}
			lines := c.Int("lines")
			if lines < 1 {
				return usagef("--lines %d: expects at least 1", lines)
			}
			if o.options.Limit == 0 || o.options.Limit > lines {
				o.options.Limit = lines
			}
			o.options.Cache = ""
			for _, group := range o.groups {
				t, err := o.open(c.Context, group)
				if err != nil {
					return err
				}
				describe(stdout, t)
				table := newTable(stdout, 1, "", "time", "operation", "size", "ttl", "object")
				err = t.Each(sim.ColumnOps|sim.ColumnTTL, func(start int, b sim.Batch) error {
					for i, r := range b.Requests {
						op, ttl := sim.Get, ""
						if b.Ops != nil {
							op = b.Ops[i]
						}
						if b.TTL != nil && b.TTL[i] > 0 {
							ttl = (time.Duration(b.TTL[i]) * t.Tick).String()
						}
						table.AppendRow([]any{start + i + 1, time.Duration(r.Time) * t.Tick, op, r.Size, ttl, clean(t.ObjectName(r.ID))})
						if table.Length() == lines {
							return errEnough
						}
					}
					return nil
				})
				if errors.Is(err, errEnough) {
					err = nil
				}
				table.Render()
				if err := errors.Join(err, t.Close()); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

func traceConvert(stderr io.Writer) *cli.Command {
	return traceWriter(stderr, "convert", "write a trace in another format", `
  cachesim trace convert access.log --output access.oracleGeneral.bin.zst
  cachesim trace convert server1.log server2.log --merge --to cachesim --output all.cachesim`,
		func(*cli.Context) error { return nil })
}

func traceFilter(stderr io.Writer) *cli.Command {
	return traceWriter(stderr, "filter", "write those requests of a trace that are of a size, a time, an operation or for certain objects", `
  cachesim trace filter access.log --include '\.(jpg|png)$' --min-size 10KiB --to cachesim --output images.cachesim
  cachesim trace filter trace.zst --from 24h --until 48h --output second-day.oracleGeneral.bin.zst
  cachesim trace filter trace.zst --ids popular.txt --to id-size --output -`,
		func(c *cli.Context) error {
			if slices.ContainsFunc(slices.Concat(filterFlags, []string{"skip", "limit"}), c.IsSet) {
				return nil
			}
			return usagef("filter expects a rule: one or several of --%s, --skip and --limit; cachesim trace convert writes all requests", strings.Join(filterFlags, ", --"))
		})
}

func traceSample(stderr io.Writer) *cli.Command {
	return traceWriter(stderr, "sample", "write all requests for a part of the objects of a trace, which are chosen by a hash", `
  cachesim trace sample trace.zst --sample 1% --to id-size --output -`,
		func(c *cli.Context) error {
			if c.IsSet("sample") {
				return nil
			}
			return usagef("sample expects the share of the objects to keep, as --sample 1%%")
		})
}

// traceWriter is a command that writes a trace that it has read. check returns what it lacks.
func traceWriter(stderr io.Writer, name, usage, examples string, check func(*cli.Context) error) *cli.Command {
	return &cli.Command{
		Name:      name,
		Usage:     usage,
		ArgsUsage: "TRACE [TRACE...]",
		Description: `Formats to write: ` + strings.Join(traces.EncodingNames(), ", ") + `. The file is compressed if its name ends in .gz or .zst.
Examples:` + examples,
		Flags: append(traceFlags(),
			&cli.StringFlag{Name: "to", Usage: "`FORMAT` to write", Value: traces.EncodingNames()[0]},
			&cli.StringFlag{Name: "output", Usage: "`FILE` to write, - for standard output", Required: true},
			&cli.StringFlag{Name: "sample", Usage: "keep a `SHARE` of the objects, as 1%, with all their requests, chosen by a hash", Value: "100%"},
			&cli.Uint64Flag{Name: "seed", Usage: "`N` of the hash for --sample", Value: 1},
			&cli.BoolFlag{Name: "force", Usage: "replace the file if it is there"},
		),
		Action: func(c *cli.Context) error {
			o, err := newTraceOptions(c)
			if err != nil {
				return err
			}
			if len(o.groups) > 1 {
				return usagef("%s writes one trace; --separate has no meaning here", name)
			}
			if err := check(c); err != nil {
				return err
			}
			if err := oneOf("--to", c.String("to"), traces.EncodingNames()); err != nil {
				return err
			}
			share, err := parseShare(c.String("sample"))
			if err != nil {
				return err
			}
			t, err := o.open(c.Context, o.groups[0])
			if err != nil {
				return err
			}
			defer t.Close()
			describe(stderr, t)
			if share < 1 {
				if err := oneSize(t, "--sample"); err != nil {
					return err
				}
				if t, err = sim.Sample(t, share, c.Uint64("seed")); err != nil {
					return err
				}
			}
			return writeFile(c.String("output"), c.Bool("force"), stderr, func(w io.Writer) error { return traces.Encode(w, t, c.String("to")) })
		},
	}
}

func parseShare(s string) (float64, error) {
	v, err := parseSpan("sample", s)
	if s == "100%" {
		return 1, nil
	}
	if err != nil || v.share <= 0 {
		return 0, usagef("--sample %q: expects a share above 0%%, such as 1%%", s)
	}
	return v.share, nil
}

// writeFile writes a file, compressed as its name says, and renames it into
// place when it is whole.
func writeFile(name string, force bool, stderr io.Writer, write func(io.Writer) error) (err error) {
	if name == "-" {
		b := bufio.NewWriterSize(os.Stdout, 1<<18)
		return errors.Join(write(b), b.Flush())
	}
	if _, err := os.Stat(name); err == nil && !force {
		return fmt.Errorf("%s is there already; --force replaces it", name)
	}
	f, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+"-*")
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
		}
	}()
	var w io.WriteCloser = nopCloser{f}
	switch filepath.Ext(name) {
	case ".gz":
		w = gzip.NewWriter(f)
	case ".zst":
		if w, err = zstd.NewWriter(f); err != nil {
			return err
		}
	}
	b := bufio.NewWriterSize(w, 1<<18)
	if err = errors.Join(write(b), b.Flush(), w.Close()); err != nil {
		return err
	}
	if err = errors.Join(f.Chmod(0o644), f.Close()); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	if err = os.Rename(f.Name(), name); err == nil {
		fmt.Fprintf(stderr, "cachesim: wrote %s\n", name)
	}
	return err
}

type nopCloser struct{ io.Writer }

func (nopCloser) Close() error { return nil }

func traceGen(stderr io.Writer) *cli.Command {
	d := gen.Default
	return &cli.Command{
		Name:      "gen",
		Usage:     "generate a synthetic trace",
		ArgsUsage: " ",
		Description: `Popularity follows Zipf's law; sizes are lognormal with a Pareto tail. The same flags give the same bytes.
Examples:
  cachesim trace gen --output zipf.oracleGeneral.bin.zst
  cachesim trace gen --requests 10000000 --objects 1000000 --skew 0.8 --drift 0.3 --scan 0.05 --output drift.bin
  cachesim trace gen --ttl 0.5 --deletes 0.01 --sets 0.1 --to csv --output kv.csv.gz`,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "output", Usage: "`FILE` to write, - for standard output", Required: true},
			&cli.BoolFlag{Name: "force", Usage: "replace the file if it is there"},
			&cli.StringFlag{Name: "to", Usage: "`FORMAT` to write: " + strings.Join(traces.EncodingNames(), ", "), Value: d.Format},
			&cli.Uint64Flag{Name: "seed", Usage: "`N` of the random numbers", Value: 1},
			&cli.IntFlag{Name: "requests", Usage: "`N` requests", Value: d.Requests},
			&cli.IntFlag{Name: "objects", Usage: "`N` objects that requests are drawn from", Value: d.Objects},
			&cli.Float64Flag{Name: "skew", Usage: "exponent `ALPHA` of Zipf's law; 0: all objects are alike", Value: d.Skew},
			&cli.Float64Flag{Name: "drift", Usage: "`SHARE` of the objects that is replaced by new ones over the trace", Value: d.Drift},
			&cli.Float64Flag{Name: "scan", Usage: "`SHARE` of the requests that belong to scans", Value: d.Scan},
			&cli.IntFlag{Name: "scan-length", Usage: "`N` requests of a scan", Value: d.ScanLength},
			&cli.IntFlag{Name: "scan-objects", Usage: "`N` objects that are scanned over and over", Value: d.ScanObjects},
			&cli.Int64Flag{Name: "median-size", Usage: "`BYTES`", Value: d.MedianSize},
			&cli.Float64Flag{Name: "size-sigma", Usage: "standard deviation `SIGMA` of the logarithm of sizes; 0: all are alike", Value: d.SizeSigma},
			&cli.Float64Flag{Name: "size-tail", Usage: "`SHARE` of objects from the Pareto tail", Value: d.SizeTail},
			&cli.Float64Flag{Name: "tail-shape", Usage: "exponent `ALPHA` of the tail", Value: d.TailShape},
			&cli.Int64Flag{Name: "largest", Usage: "`BYTES` that sizes are cut to", Value: d.LargestAt},
			&cli.DurationFlag{Name: "duration", Usage: "`TIME` that the trace spans", Value: d.Duration},
			&cli.Float64Flag{Name: "ttl", Usage: "`SHARE` of objects with a time to live of a minute, an hour or a day", Value: d.TTL},
			&cli.Float64Flag{Name: "sets", Usage: "`SHARE` of requests that are sets", Value: d.Sets},
			&cli.Float64Flag{Name: "deletes", Usage: "`SHARE` of requests that are deletes", Value: d.Deletes},
		},
		Action: func(c *cli.Context) error {
			if c.NArg() > 0 {
				return usagef("trace gen takes no arguments, only flags")
			}
			if err := oneOf("--to", c.String("to"), traces.EncodingNames()); err != nil {
				return err
			}
			o := gen.Options{
				Seed: c.Uint64("seed"), Requests: c.Int("requests"), Objects: c.Int("objects"), Skew: c.Float64("skew"), Drift: c.Float64("drift"),
				Scan: c.Float64("scan"), ScanLength: c.Int("scan-length"), ScanObjects: c.Int("scan-objects"),
				MedianSize: c.Int64("median-size"), SizeSigma: c.Float64("size-sigma"), SizeTail: c.Float64("size-tail"), TailShape: c.Float64("tail-shape"), LargestAt: c.Int64("largest"),
				Duration: c.Duration("duration"), TTL: c.Float64("ttl"), Sets: c.Float64("sets"), Deletes: c.Float64("deletes"), Format: c.String("to"),
			}
			return writeFile(c.String("output"), c.Bool("force"), stderr, func(w io.Writer) error { return gen.Write(w, o) })
		},
	}
}
