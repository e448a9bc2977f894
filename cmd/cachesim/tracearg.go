package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/urfave/cli/v2"

	"cachesim/sim"
	"cachesim/traces"
)

// Categories of flags, in the order in which help shows them.
const (
	aboutTraces   = "1. Traces"
	aboutFilters  = "1. Traces: which requests count (default: all)"
	aboutPolicies = "2. Policies and sizes"
	aboutRuns     = "3. Long runs"
	aboutOutput   = "4. Output"
	aboutEngines  = "5. Comparing engines"
	aboutCosts    = "7. Costs"
	aboutSampling = "6. Estimates from samples"
)

// traceOptions say which traces to read, and how. All commands that read traces
// have the same flags for it.
type traceOptions struct {
	groups  [][]string // files, those of a group being one trace
	options traces.Options
}

func traceFlags() []cli.Flag {
	flags := []cli.Flag{
		&cli.StringFlag{Category: aboutTraces, Name: "trace-format", Usage: "`FORMAT` of the traces; cachesim formats lists them (default: detected from the content)"},
		textsFlag(aboutTraces, "trace-param", "`NAME=VALUE` of a parameter of the format; cachesim formats FORMAT lists them"),
		&cli.BoolFlag{Category: aboutTraces, Name: "separate", Usage: "replay each file as a trace of its own (default: several files are one trace, in the order given, rotated logs from the oldest)"},
		&cli.BoolFlag{Category: aboutTraces, Name: "merge", Usage: "several files are one trace, merged by the times of requests, as rotated logs (default: in the order given, rotated logs from the oldest)"},
		&cli.StringFlag{Category: aboutTraces, Name: "object-size", Usage: "`RULE` for an object that a trace gives several sizes: its first, last or max one counts; new (each size is an object of its own); update (a hit that stores it with the new size); as-miss (a miss that replaces it)", Value: traces.FirstSize},
		&cli.StringFlag{Category: aboutTraces, Name: "zero-size", Usage: "`RULE` for requests of size 0: keep (their objects take no room), one (they get 1 byte), skip (they are left out)", Value: traces.KeepZero},
		&cli.BoolFlag{Category: aboutTraces, Name: "ignore-size", Usage: "every object has size 1"},
		&cli.StringFlag{Category: aboutTraces, Name: "ops", Usage: "`HOW` operations count: reads (only these are replayed), apply (sets store, deletes remove, times to live expire), ignore (each is a get)", Value: traces.ReadsOnly},
		&cli.IntFlag{Category: aboutTraces, Name: "skip", Usage: "leave out the first `N` requests"},
		&cli.IntFlag{Category: aboutTraces, Name: "limit", Usage: "read `N` requests at most (default: all)"},
		&cli.StringFlag{Category: aboutTraces, Name: "skip-bad", Usage: "tolerate `N` or P% malformed records, which are counted and left out", Value: "0"},
		&cli.DurationFlag{Category: aboutTraces, Name: "time-unit", Usage: "`UNIT` of the trace's times, such as 1ms (default: that of the format, or its parameter time-unit)"},
		&cli.StringFlag{Category: aboutTraces, Name: "memory", Usage: "`SIZE` of memory that a trace may occupy; a larger one is kept in a file", Value: "2GiB"},
		&cli.StringFlag{Category: aboutTraces, Name: "trace-cache", Usage: "`FOLDER` that keeps decoded traces for the next run, or off", Value: defaultTraceCache()},
		&cli.StringFlag{Category: aboutTraces, Name: "trace-cache-size", Usage: "`SIZE` that the trace cache may have; the traces that were used longest ago leave it first", Value: "20GiB"},
	}
	for _, p := range paramFlags {
		flags = append(flags, p.flag())
	}
	return append(flags,
		&cli.StringFlag{Category: aboutFilters, Name: "min-size", Usage: "those of `SIZE` or more, as the trace has it"},
		&cli.StringFlag{Category: aboutFilters, Name: "max-size", Usage: "those of `SIZE` or less"},
		&cli.StringFlag{Category: aboutFilters, Name: "from", Usage: "those from `TIME` on: since the first request, as 1h30m, or a date, as 2015-05-17 or 2015-05-17T10:05:03Z"},
		&cli.StringFlag{Category: aboutFilters, Name: "until", Usage: "those before `TIME`, given as for --from"},
		&cli.StringFlag{Category: aboutFilters, Name: "only-ops", Usage: "those with one of the operations `LIST`, of get, set, delete; see --ops"},
		&cli.StringFlag{Category: aboutFilters, Name: "include", Usage: "those whose id, in access logs host and URI, matches the regular expression `RE`"},
		&cli.StringFlag{Category: aboutFilters, Name: "exclude", Usage: "those whose id, in access logs host and URI, does not match `RE`"},
		&cli.StringFlag{Category: aboutFilters, Name: "ids", Usage: "those for the objects in `FILE`, an id a line"},
	)
}

// filterFlags are the names of the flags that make up a traces.Filter.
var filterFlags = []string{"min-size", "max-size", "from", "until", "only-ops", "include", "exclude", "ids"}

// newFilter reads them.
func newFilter(c *cli.Context) (f traces.Filter, err error) {
	for _, name := range filterFlags {
		if c.IsSet(name) && c.String(name) == "" {
			return f, usagef("--%s is empty", name)
		}
	}
	for _, size := range []struct {
		name string
		to   *int64
	}{{"min-size", &f.MinSize}, {"max-size", &f.MaxSize}} {
		if !c.IsSet(size.name) {
			continue
		}
		n, err := humanize.ParseBytes(c.String(size.name))
		if err != nil || n == 0 || n > sim.MaxSize {
			return f, usagef("--%s %q: expects a size from 1, such as 64KiB", size.name, c.String(size.name))
		}
		*size.to = int64(n)
	}
	if list := c.String("only-ops"); list != "" {
		for _, name := range strings.Split(list, ",") {
			i := slices.IndexFunc(filterOps, func(op sim.Op) bool { return op.String() == strings.TrimSpace(name) })
			if i < 0 {
				return f, usagef("--only-ops %s: %q is no operation; expects some of get, set, delete", list, name)
			}
			f.Ops = append(f.Ops, filterOps[i])
		}
	}
	f.From, f.Until, f.Include, f.Exclude, f.IDs = c.String("from"), c.String("until"), c.String("include"), c.String("exclude"), c.String("ids")
	if err := f.Check(); err != nil {
		return f, usagef("--%w", err)
	}
	return f, nil
}

var filterOps = []sim.Op{sim.Get, sim.Set, sim.Delete}

// A paramFlag is a flag that sets a parameter of the same name, and the format
// if only one has that parameter.
type paramFlag struct {
	name, usage string
	format      string // empty: several have it
	value       string // that the flag, which takes none, stands for
}

// paramFlags are the parameters that are asked for most.
var paramFlags = []paramFlag{
	{name: "log-format", format: "log-format", usage: "`LAYOUT` of an access log as nginx, Apache, Squid or HAProxy define it, or @FILE:NAME of their configuration"},
	{name: "columns", format: "csv", usage: "`COLUMNS` of a csv by number or name: id=5,size=4,time=2"},
	{name: "block", usage: "`SIZE` of the objects of block traces: 4KiB; request: an object is a request's offset"},
	{name: "key", usage: "`TEMPLATE` of an object's id in access logs: $host$path"},
	{name: "strip-query", value: "yes", usage: "drop the query strings of access logs"},
	{name: "kv-order", format: "kv-jsonl", usage: "`ORDER` of the blocks of an LLM request: forward or reverse"},
	{name: "bytes-per-token", format: "kv-jsonl", usage: "`N` bytes of an LLM's token"},
}

func (p paramFlag) flag() cli.Flag {
	if p.value != "" {
		return &cli.BoolFlag{Category: aboutTraces, Name: p.name, Usage: p.usage}
	}
	return &cli.StringFlag{Category: aboutTraces, Name: p.name, Usage: p.usage}
}

// formatParams returns the parameters of the format that the flags give, and
// the format.
func formatParams(c *cli.Context) (format string, params map[string]string, err error) {
	format = c.String("trace-format")
	set := func(flag, name, value string) error {
		if _, ok := params[name]; ok {
			return usagef("%s: the parameter %s is given twice", flag, name)
		}
		if params == nil {
			params = make(map[string]string)
		}
		params[name] = value
		return nil
	}
	for _, s := range textsOf(c, "trace-param") {
		name, value, ok := strings.Cut(s, "=")
		if !ok {
			return "", nil, usagef("--trace-param %s: write NAME=VALUE", s)
		}
		if slices.Contains(filterFlags, name) {
			return "", nil, usagef("--trace-param %s: that is a flag of its own: --%s '%s'", s, name, value)
		}
		if err := set("--trace-param "+s, name, value); err != nil {
			return "", nil, err
		}
	}
	implied := ""
	for _, p := range paramFlags {
		if !c.IsSet(p.name) {
			continue
		}
		value := c.String(p.name)
		if p.value != "" {
			if value = p.value; !c.Bool(p.name) {
				continue
			}
		}
		if err := set("--"+p.name, p.name, value); err != nil {
			return "", nil, err
		}
		if p.format == "" || c.IsSet("trace-format") {
			continue
		}
		if implied != "" && format != p.format {
			return "", nil, usagef("--%s is for traces of format %s, but --%s for %s", implied, format, p.name, p.format)
		}
		implied, format = p.name, p.format
	}
	return format, params, nil
}

func defaultTraceCache() string {
	dir, err := traces.DefaultCache()
	if err != nil {
		return "off"
	}
	return dir
}

func newTraceOptions(c *cli.Context) (traceOptions, error) {
	var o traceOptions
	files, err := expandGlobs(c.Args().Slice())
	if err != nil {
		return o, err
	}
	if len(files) == 0 {
		return o, usagef("%s expects a trace: cachesim %s TRACE [TRACE...]; cachesim help %s shows the flags", c.Command.Name, c.Command.Name, c.Command.Name)
	}
	piped := slices.IndexFunc(files, isStdin)
	if piped >= 0 && slices.ContainsFunc(files[piped+1:], isStdin) {
		return o, usagef("standard input is named twice, but can be read once")
	}
	if !c.Bool("separate") && !c.Bool("merge") {
		var changed bool
		if files, changed = traces.InTimeOrder(files); changed {
			fmt.Fprintf(c.App.ErrWriter, "cachesim: rotated logs are read from the oldest to the newest: %s\n", strings.Join(files, ", "))
		}
	}
	o.groups = [][]string{files}
	if c.Bool("separate") {
		o.groups = nil
		for _, f := range files {
			o.groups = append(o.groups, []string{f})
		}
	}
	p := &o.options
	if p.Merge = c.Bool("merge"); p.Merge && c.Bool("separate") {
		return o, usagef("--merge makes one trace of several files, --separate a trace of each: give one of them")
	}
	if p.Format, p.Params, err = formatParams(c); err != nil {
		return o, err
	}
	p.SizeRule, p.ZeroSize, p.IgnoreSize, p.Ops = c.String("object-size"), c.String("zero-size"), c.Bool("ignore-size"), c.String("ops")
	if err := oneOf("--object-size", p.SizeRule, traces.SizeRules); err != nil {
		return o, err
	}
	if err := oneOf("--zero-size", p.ZeroSize, traces.ZeroSizes); err != nil {
		return o, err
	}
	if err := oneOf("--ops", p.Ops, traces.OpsModes); err != nil {
		return o, err
	}
	if p.Format != "" {
		if _, err := formatNamed(p.Format); err != nil {
			return o, usagef("--trace-format: %w", err)
		}
	}
	for _, n := range []string{"skip", "limit"} {
		if c.Int(n) < 0 {
			return o, usagef("--%s %d: expects a number from 0", n, c.Int(n))
		}
	}
	if p.Filter, err = newFilter(c); err != nil {
		return o, err
	}
	p.Skip, p.Limit, p.TimeUnit = c.Int("skip"), c.Int("limit"), c.Duration("time-unit")
	if c.IsSet("limit") && p.Limit == 0 {
		return o, usagef("--limit 0: expects at least 1 request")
	}
	if p.TimeUnit < 0 {
		return o, usagef("--time-unit %v: expects a positive duration, such as 1ms", p.TimeUnit)
	}
	bad := c.String("skip-bad")
	if share, ok := strings.CutSuffix(bad, "%"); ok {
		f, err := strconv.ParseFloat(share, 64)
		if err != nil || !(f >= 0 && f <= 100) {
			return o, usagef("--skip-bad %s: expects a number, or 0%% to 100%%", bad)
		}
		p.SkipBadShare = f / 100
	} else {
		n, err := strconv.ParseInt(bad, 10, 64)
		if err != nil || n < 0 {
			return o, usagef("--skip-bad %s: expects a number, or 0%% to 100%%", bad)
		}
		p.SkipBad = n
	}
	memory, err := humanize.ParseBytes(c.String("memory"))
	if err != nil {
		return o, usagef("--memory %q: expects a size, such as 2GiB", c.String("memory"))
	}
	p.Memory = int64(memory)
	if dir := c.String("trace-cache"); dir != "off" {
		p.Cache = dir
	}
	size, err := humanize.ParseBytes(c.String("trace-cache-size"))
	if err != nil {
		return o, usagef("--trace-cache-size %q: expects a size, such as 20GiB", c.String("trace-cache-size"))
	}
	p.CacheSize = int64(size)
	return o, nil
}

// expandGlobs replaces patterns that the shell has not expanded by the files
// that match.
func expandGlobs(args []string) (files []string, err error) {
	for _, arg := range args {
		if _, err := os.Stat(arg); err == nil || !strings.ContainsAny(arg, "*?[") {
			files = append(files, arg)
			continue
		}
		format, arg := cutFormat(arg)
		if _, err := os.Stat(arg); err == nil || traces.InArchive(arg) {
			files = append(files, format+arg)
			continue
		}
		found, err := filepath.Glob(arg)
		if err != nil {
			return nil, usagef("%s: %w", arg, err)
		}
		if len(found) == 0 {
			return nil, fmt.Errorf("open trace %s: no file has a name like that", arg)
		}
		for _, f := range found {
			files = append(files, format+f)
		}
	}
	return files, nil
}

// cutFormat is traces.CutFormat that leaves the colon at the format.
func cutFormat(name string) (format, file string) {
	if format, file = traces.CutFormat(name); format != "" {
		format += ":"
	}
	return format, file
}

// absTrace makes the path of a trace absolute, relative to a folder.
func absTrace(dir, name string) string {
	format, file := cutFormat(name)
	if !filepath.IsAbs(file) {
		file = filepath.Join(dir, file)
	}
	return format + filepath.Clean(file)
}

func isStdin(file string) bool { return file == "-" || strings.HasSuffix(file, ":-") }

// open reads the trace of a group, and gives up waiting for it when ctx ends.
func (o traceOptions) open(ctx context.Context, group []string) (*sim.Trace, error) {
	type opened struct {
		t   *sim.Trace
		err error
	}
	done := make(chan opened, 1)
	go func() {
		t, err := traces.Open(group, o.options)
		var syntax *traces.SyntaxError
		if errors.As(err, &syntax) && syntax.Record {
			err = fmt.Errorf("%w; --skip-bad N or P%% leaves malformed records out", err)
		}
		done <- opened{t, err}
	}()
	select {
	case r := <-done:
		return r.t, r.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// span is a number of requests that is given as such, as a share of the trace,
// or as a time.
type span struct {
	requests int
	share    float64
	time     time.Duration
}

func parseSpan(flag, s string) (v span, err error) {
	if p, ok := strings.CutSuffix(s, "%"); ok {
		f, err := strconv.ParseFloat(p, 64)
		if err != nil || !(f >= 0 && f < 100) {
			return v, usagef("--%s %s: expects a share below 100%%", flag, s)
		}
		return span{share: f / 100}, nil
	}
	if n, err := strconv.Atoi(s); err == nil && n >= 0 {
		return span{requests: n}, nil
	}
	d, err := time.ParseDuration(s)
	if err != nil || d <= 0 {
		return v, usagef("--%s %q: expects a number of requests, a share such as 10%%, or a time such as 1h", flag, s)
	}
	return span{time: d}, nil
}

// of returns how many requests of t the span is.
func (v span) of(flag string, t *sim.Trace) (int, error) {
	switch {
	case v.share > 0:
		return int(v.share * float64(t.Requests)), nil
	case v.time > 0:
		if t.Tick == 0 {
			return 0, fmt.Errorf("--%s %v: trace %s has no times; give a number of requests or a share", flag, v.time, t.Name)
		}
		n, err := t.RequestsBefore(v.time)
		if err == nil && n >= t.Requests {
			err = fmt.Errorf("--%s %v: trace %s spans only %v", flag, v.time, t.Name, time.Duration(t.Span)*t.Tick)
		}
		return n, err
	}
	if v.requests > 0 && v.requests >= t.Requests {
		return 0, fmt.Errorf("--%s %d: trace %s has only %d requests", flag, v.requests, t.Name, t.Requests)
	}
	return v.requests, nil
}

// oneSize fails where what needs objects that keep their size.
func oneSize(t *sim.Trace, what string) error {
	if !t.SizesVary() {
		return nil
	}
	return usagef("%s: objects of trace %s change their size, by --object-size %s; it needs --object-size first, last, max or new", what, t.Name, t.SizeRule)
}

// describe prints what was read of a trace.
func describe(w io.Writer, t *sim.Trace) {
	times := ""
	if t.Tick > 0 && t.Span > 0 {
		times = ", over " + (time.Duration(t.Span) * t.Tick).Round(time.Second).String()
	}
	fmt.Fprintf(w, "%s: %s for %s%s; footprint (all objects together) %s, %s requested\n",
		clean(t.Name), count(t.Requests, "request"), count(t.Objects, "object"), times,
		humanize.IBytes(uint64(t.Footprint)), humanize.IBytes(uint64(t.RequestBytes)))
	if t.SizeChanges > 0 {
		rule := map[string]string{
			traces.FirstSize: "its first one counts", traces.LastSize: "its last one counts", traces.MaxSize: "its largest one counts",
			traces.UpdateSize: "a hit stores it with the new one", traces.AsMiss: "they are misses that replace it",
		}[t.SizeRule]
		give := "give their"
		if t.SizeChanges == 1 {
			give = "gives its"
		}
		fmt.Fprintf(w, "%s %s object another size; %s (--object-size)\n", count(t.SizeChanges, "request"), give, rule)
	}
	for _, n := range t.Notes {
		fmt.Fprintln(w, clean(n))
	}
	fmt.Fprintln(w)
}
