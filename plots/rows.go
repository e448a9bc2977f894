package plots

import (
	"cmp"
	"fmt"
	"math"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/dustin/go-humanize"

	"cachesim/sim"
	"cachesim/sim/results"
)

// Rows are what figures and tables are made from.
type Rows struct {
	Results  []results.Result
	Traces   []results.Trace // descriptions of the traces of Results, if they are known
	Costs    []results.CallCost
	Profiles []TraceProfile
}

// printable returns rows whose names, which come from traces and modules, can be
// drawn: a control character makes an SVG file invalid.
func (rows Rows) printable() Rows {
	rows.Results, rows.Traces, rows.Profiles = slices.Clone(rows.Results), slices.Clone(rows.Traces), slices.Clone(rows.Profiles)
	for i := range rows.Results {
		r := &rows.Results[i]
		r.Cell.Trace, r.Policy, r.Title = sim.Printable(r.Cell.Trace), sim.Printable(r.Policy), sim.Printable(r.Title)
	}
	for i := range rows.Traces {
		rows.Traces[i].Name = sim.Printable(rows.Traces[i].Name)
	}
	for i := range rows.Profiles {
		rows.Profiles[i].Trace = sim.Printable(rows.Profiles[i].Trace)
	}
	return rows
}

// objectSizes returns a function from results to the rule for sizes of objects
// that they were replayed with: that of results.Set.Trace, for many traces.
func (rows Rows) objectSizes() func(results.Result) string {
	type key struct{ digest, clock, name string }
	exact, byDigest := make(map[key]string), make(map[string]string)
	for _, t := range rows.Traces {
		k := key{t.Digest, t.Clock, t.Name}
		if _, ok := exact[k]; !ok {
			exact[k] = t.ObjectSize
		}
		if _, ok := byDigest[t.Digest]; !ok {
			byDigest[t.Digest] = t.ObjectSize
		}
	}
	return func(r results.Result) string {
		if s, ok := exact[key{r.TraceDigest, r.Clock, r.Cell.Trace}]; ok {
			return s
		}
		return byDigest[r.TraceDigest]
	}
}

// A Field is a property of results by which they can be chosen and grouped.
type Field struct {
	Name, Doc string
	value     func(results.Result) string
}

// Fields lists the fields.
var Fields = []Field{
	{"trace", "base name of the trace's file", func(r results.Result) string { return r.Cell.Trace }},
	{"policy", "with its parameters, or without them", func(r results.Result) string { return r.Policy }},
	{"size", "as it was asked for, or the capacity", SizeLabel},
	{"unit", "bytes or objects", func(r results.Result) string { return r.Unit }},
	{"engine", "", func(r results.Result) string { return r.Engine }},
	{"abi", "", func(r results.Result) string { return r.ABI }},
	{"handle", "", func(r results.Result) string { return r.Handle }},
	{"version", "engine/abi/handle", func(r results.Result) string { return r.Version.String() }},
	{"seed", "", func(r results.Result) string { return strconv.FormatUint(r.Seed, 10) }},
	{"metadata", "bytes added to each object", func(r results.Result) string { return strconv.FormatInt(r.Metadata, 10) }},
	{"warmup", "requests before those that count", func(r results.Result) string { return strconv.Itoa(r.Warmup) }},
	{"sample", "share of the objects that it is estimated from, in percent; 100: exact", func(r results.Result) string {
		if r.Sampling.Rate == 0 {
			return "100"
		}
		return strconv.FormatFloat(100*r.Sample().Rate, 'g', 3, 64)
	}},
	{"requests", "replayed", func(r results.Result) string { return strconv.Itoa(r.Requests) }},
	{"revision", "of a policy that cachesim provides", func(r results.Result) string { return strconv.Itoa(r.Revision) }},
	{"module", "SHA-256 of a policy's module; * for what it goes on with", func(r results.Result) string { return r.ModuleSHA }},
	{"timed", "true or false", func(r results.Result) string { return strconv.FormatBool(r.Timed) }},
}

// SizeLabel names a capacity as it was asked for where that is a share of the
// footprint ("10%"), else by its bytes or objects: so sizes of different traces
// can be compared.
func SizeLabel(r results.Result) string {
	if strings.HasSuffix(r.Size, "%") {
		return r.Size
	}
	return capacityText(r)
}

// capacityText writes the capacity of r: "1 GiB", "5,000 objects".
func capacityText(r results.Result) string { return strings.Replace(r.Cell.Size(), ".0 ", " ", 1) }

// capacityName is part of the name of a file.
func capacityName(r results.Result) string {
	return fileName(strings.NewReplacer(" ", "", ",", "").Replace(capacityText(r)))
}

func fieldNamed(name string) (Field, error) {
	var known []string
	for _, f := range Fields {
		if f.Name == name {
			return f, nil
		}
		known = append(known, f.Name)
	}
	return Field{}, fmt.Errorf("unknown field %q: known are %s", name, strings.Join(known, ", "))
}

// A Condition chooses results: those of which a field has one of the values or,
// with Not, none of them. A value may have the wildcards of path.Match. That of
// a policy matches it with its parameters and without, that of a size also in
// other units.
type Condition struct {
	Field  string
	Values []string
	Not    bool
}

// ParseCondition reads a condition: "policy=lru,arc", "size!=10%". Parameters of
// a policy may be part of it: "policy=2q:in=0.25,out=0.5,lru".
func ParseCondition(s string) (Condition, error) {
	name, list, ok := strings.Cut(s, "=")
	c := Condition{Field: strings.TrimSuffix(name, "!"), Not: strings.HasSuffix(name, "!")}
	if !ok || list == "" {
		return c, fmt.Errorf("condition %q: expected a field and values, as in policy=lru,arc", s)
	}
	if _, err := fieldNamed(c.Field); err != nil {
		return c, fmt.Errorf("condition %q: %w", s, err)
	}
	for _, v := range strings.Split(list, ",") {
		if last := len(c.Values) - 1; last >= 0 && strings.Contains(v, "=") && !strings.Contains(v, ":") && strings.Contains(c.Values[last], ":") {
			c.Values[last] += "," + v // the next parameter of a policy
			continue
		}
		if _, err := path.Match(v, ""); err != nil {
			return c, fmt.Errorf("condition %q: value %q: %w", s, v, err)
		}
		c.Values = append(c.Values, v)
	}
	return c, nil
}

func (c Condition) holds(r results.Result) bool {
	f, err := fieldNamed(c.Field)
	if err != nil {
		return false
	}
	return slices.ContainsFunc(c.Values, func(v string) bool { return matches(f, v, r) }) != c.Not
}

func matches(f Field, pattern string, r results.Result) bool {
	value := f.value(r)
	match := func(s string) bool {
		ok, err := path.Match(strings.ReplaceAll(pattern, "/", "\x00"), strings.ReplaceAll(s, "/", "\x00"))
		return err == nil && ok || pattern == s
	}
	switch f.Name {
	case "policy":
		name, _, _ := strings.Cut(value, ":")
		return match(value) || match(name)
	case "size":
		if match(value) || match(r.Size) {
			return true
		}
		n, err := humanize.ParseBytes(pattern)
		return err == nil && r.Capacity == int64(n)
	}
	return match(value)
}

// Filter returns the results for which all conditions hold, in their order.
func Filter(rs []results.Result, conditions ...Condition) []results.Result {
	var list []results.Result
	for _, r := range rs {
		if !slices.ContainsFunc(conditions, func(c Condition) bool { return !c.holds(r) }) {
			list = append(list, r)
		}
	}
	return list
}

// A Group is results with the same values of some fields.
type Group struct {
	Values  []string // in the order of the fields
	Results []results.Result
}

// GroupBy groups results by fields, in the order in which the values come.
func GroupBy(rs []results.Result, fields ...string) ([]Group, error) {
	var by []Field
	for _, name := range fields {
		f, err := fieldNamed(name)
		if err != nil {
			return nil, fmt.Errorf("group results: %w", err)
		}
		by = append(by, f)
	}
	var groups []Group
	at := make(map[string]int)
	for _, r := range rs {
		var values []string
		for _, f := range by {
			values = append(values, f.value(r))
		}
		key := strings.Join(values, "\x00")
		i, ok := at[key]
		if !ok {
			i = len(groups)
			at[key] = i
			groups = append(groups, Group{Values: values})
		}
		groups[i].Results = append(groups[i].Results, r)
	}
	return groups, nil
}

// semantics are what results in one chart must agree on, apart from the trace.
type semantics struct {
	unit       string
	metadata   int64
	warmup     int // in the results of one trace requests, in those of several percent
	objectSize string
	timed      int         // requests that times are over; 0 where ratios are shown
	delayed    sim.Latency // after which a fetched object enters the cache
}

// differences names what a and b differ in: "metadata 0 B and 64 B".
func (a semantics) differences(b semantics) string {
	var list []string
	if a.unit != b.unit {
		list = append(list, fmt.Sprintf("the unit of the capacity (%s and %s)", a.unit, b.unit))
	}
	if a.metadata != b.metadata {
		list = append(list, fmt.Sprintf("the metadata of an object (%d and %d bytes)", a.metadata, b.metadata))
	}
	if a.warmup != b.warmup {
		list = append(list, fmt.Sprintf("the warm-up (%d and %d %% of the requests)", a.warmup, b.warmup))
	}
	if a.objectSize != b.objectSize {
		list = append(list, fmt.Sprintf("the size of objects that counts (%s and %s)", a.objectSize, b.objectSize))
	}
	if a.delayed != b.delayed {
		list = append(list, fmt.Sprintf("when fetched objects are stored (after %v and %v)", a.delayed, b.delayed))
	}
	return strings.Join(list, " and ")
}

// chartGroup is the results that one chart may show: those of one trace, replayed
// with the same semantics.
type chartGroup struct {
	trace     string // name
	digest    string // of requests and times
	semantics semantics
	suffix    string // of the names of its files
	note      string // how it differs from the other groups, for the title
	results   []results.Result
}

// ratioGroups are the groups of the results that are not timed or, if all are, of
// all of them.
func (rows Rows) ratioGroups() []chartGroup {
	untimed := slices.DeleteFunc(slices.Clone(rows.Results), func(r results.Result) bool { return r.Timed })
	if len(untimed) == 0 {
		untimed = rows.Results
	}
	return rows.chartGroups(untimed, func(r results.Result) (warmup, timed int) { return r.Warmup, 0 })
}

// timeGroups are the groups of the timed results. What their warm-up is does not
// matter: the time of a replay is of all its requests.
func (rows Rows) timeGroups() []chartGroup {
	timed := slices.DeleteFunc(slices.Clone(rows.Results), func(r results.Result) bool { return !r.Timed })
	return rows.chartGroups(timed, func(r results.Result) (warmup, timed int) { return 0, r.Requests })
}

// chartGroups sorts results into groups. Their suffixes differ; that of a single
// group is empty.
func (rows Rows) chartGroups(rs []results.Result, spans func(results.Result) (warmup, timed int)) []chartGroup {
	var groups []chartGroup
	type key struct {
		trace, digest string
		semantics
	}
	at := make(map[key]int)
	objectSize := rows.objectSizes()
	for _, r := range rs {
		warmup, timed := spans(r)
		s := semantics{r.Unit, r.Metadata, warmup, objectSize(r), timed, r.Delayed}
		k := key{r.Cell.Trace, r.TraceDigest + " " + r.Clock, s}
		i, ok := at[k]
		if !ok {
			i = len(groups)
			at[k] = i
			groups = append(groups, chartGroup{trace: k.trace, digest: k.digest, semantics: s})
		}
		groups[i].results = append(groups[i].results, r)
	}
	differ := func(f func(g chartGroup) any) bool {
		return slices.ContainsFunc(groups, func(g chartGroup) bool { return f(g) != f(groups[0]) })
	}
	var notes []func(g chartGroup) (suffix, note string)
	if len(names(rows.Results, func(r results.Result) string { return placeOf(r).trace })) > 1 { // also if there is one in rs
		notes = append(notes, func(g chartGroup) (string, string) { return fileName(g.trace), g.trace })
	}
	if differ(func(g chartGroup) any { return g.semantics.unit }) {
		notes = append(notes, func(g chartGroup) (string, string) {
			return g.semantics.unit, "capacity in " + g.semantics.unit
		})
	}
	if differ(func(g chartGroup) any { return g.semantics.metadata }) {
		notes = append(notes, func(g chartGroup) (string, string) {
			return fmt.Sprintf("metadata%d", g.semantics.metadata), fmt.Sprintf("%d bytes of metadata", g.semantics.metadata)
		})
	}
	if differ(func(g chartGroup) any { return g.semantics.warmup }) {
		notes = append(notes, func(g chartGroup) (string, string) {
			return fmt.Sprintf("warmup%d", g.semantics.warmup), fmt.Sprintf("warm-up of %s requests", humanize.Comma(int64(g.semantics.warmup)))
		})
	}
	if differ(func(g chartGroup) any { return g.semantics.delayed }) {
		notes = append(notes, func(g chartGroup) (string, string) {
			if g.semantics.delayed == (sim.Latency{}) {
				return "at-once", "objects stored at once"
			}
			return fileName("after " + g.semantics.delayed.String()), "objects stored after " + g.semantics.delayed.String()
		})
	}
	if differ(func(g chartGroup) any { return g.semantics.objectSize }) {
		notes = append(notes, func(g chartGroup) (string, string) {
			return g.semantics.objectSize, g.semantics.objectSize + " size of an object"
		})
	}
	// Traces differ in their lengths anyhow.
	if slices.ContainsFunc(groups, func(g chartGroup) bool {
		return slices.ContainsFunc(groups, func(o chartGroup) bool {
			return o.trace == g.trace && o.digest == g.digest && o.semantics.timed != g.semantics.timed
		})
	}) {
		notes = append(notes, func(g chartGroup) (string, string) {
			return fmt.Sprintf("first%d", g.semantics.timed), fmt.Sprintf("the first %s requests", humanize.Comma(int64(g.semantics.timed)))
		})
	}
	taken := make(map[string]bool)
	for i := range groups {
		g := &groups[i]
		var words []string
		for _, f := range notes {
			suffix, note := f(*g)
			g.suffix += "-" + suffix
			words = append(words, note)
		}
		g.note = strings.Join(words, ", ")
		suffix, note := g.suffix, g.note
		for n := 2; taken[g.suffix]; n++ { // traces of one name in several folders
			g.suffix = fmt.Sprintf("%s-%d", suffix, n)
			g.note = fmt.Sprintf("%s (%d)", note, n)
		}
		taken[g.suffix] = true
	}
	return groups
}

// ratios returns the results of replays of whole traces that are not timed, or
// are of cells that have none, one for each policy, capacity and seed: versions
// of a policy agree. What is exact comes before what is estimated.
func ratios(rs []results.Result) []results.Result {
	return ratiosBy(rs, func(results.Result) float64 { return 0 })
}

// ratiosBy returns the same, one for each value of by too.
func ratiosBy(rs []results.Result, by func(results.Result) float64) []results.Result {
	type key struct {
		policy   string
		capacity int64
		seed     uint64
		by       float64
	}
	at := make(map[key]int)
	var list []results.Result
	for _, r := range rs {
		if !r.Whole || r.Gets == 0 {
			continue
		}
		k := key{r.Policy, r.Capacity, r.Seed, by(r)}
		i, ok := at[k]
		switch {
		case !ok:
			at[k] = len(list)
			list = append(list, r)
		case accuracy(r) > accuracy(list[i]):
			list[i] = r
		}
	}
	return list
}

// contradictions returns an error where two exact results of one policy, size and
// seed differ, of which a chart could only show one: those of two revisions, or of
// modules of one name.
func (rows Rows) contradictions() error {
	for _, g := range rows.ratioGroups() {
		type key struct {
			policy   string
			capacity int64
			seed     uint64
		}
		seen := make(map[key]results.Result)
		for _, r := range g.results {
			if r.Timed || !r.Whole || r.Sampling.Rate > 0 {
				continue
			}
			k := key{r.Policy, r.Capacity, r.Seed}
			first, ok := seen[k]
			if !ok {
				seen[k] = r
				continue
			}
			if first.Hits == r.Hits && first.HitBytes == r.HitBytes {
				continue
			}
			why := "choose the results of one"
			switch {
			case first.ModuleSHA != r.ModuleSHA:
				why = fmt.Sprintf("they are of the modules %.8s and %.8s: choose one with --where 'module=%.8s*', or give them names of their own", first.ModuleSHA, r.ModuleSHA, r.ModuleSHA)
			case first.Revision != r.Revision:
				why = fmt.Sprintf("they are of revisions %d and %d of the policy: choose one with --where revision=%d", first.Revision, r.Revision, max(first.Revision, r.Revision))
			}
			return fmt.Errorf("two results of %s at %s on %s differ, with %s and %s hits, and a chart can show but one: %s",
				r.Policy, capacityText(r), cmp.Or(r.Cell.Trace, "a trace"), humanize.Comma(first.Hits), humanize.Comma(r.Hits), why)
		}
	}
	return nil
}

// accuracy grows with how exact a result is.
func accuracy(r results.Result) float64 {
	if r.Sampling.Rate == 0 {
		return math.Inf(1)
	}
	return r.Sample().Rate * float64(r.Sampling.Salts)
}

// names returns the distinct values of f over rs, in their order.
func names(rs []results.Result, f func(results.Result) string) []string {
	var list []string
	seen := make(map[string]bool)
	for _, r := range rs {
		if n := f(r); !seen[n] {
			seen[n] = true
			list = append(list, n)
		}
	}
	return list
}

func policyOf(r results.Result) string { return r.Policy }

// drawable returns what is wrong with r's numbers. A scale needs the right ones,
// and a result file can be edited.
func drawable(r results.Result) error {
	switch {
	case r.Capacity <= 0:
		return fmt.Errorf("capacity of %d %s: want a positive number", r.Capacity, r.Unit)
	case r.Requests < 0:
		return fmt.Errorf("%d requests: want no negative number", r.Requests)
	case r.Hits < 0 || r.Hits > r.Gets:
		return fmt.Errorf("%d hits of %d gets", r.Hits, r.Gets)
	case r.HitBytes < 0 || r.HitBytes > r.Bytes:
		return fmt.Errorf("%d of %d bytes are hits", r.HitBytes, r.Bytes)
	case min(r.Replay, r.ReplayMin, r.ReplayMax) < 0:
		return fmt.Errorf("replay took %v, from %v to %v: want no negative time", r.Replay, r.ReplayMin, r.ReplayMax)
	case r.Unit != sim.UnitBytes && r.Unit != sim.UnitObjects:
		return fmt.Errorf("capacity in %q: known are %s", r.Unit, strings.Join(sim.Units, ", "))
	}
	for _, v := range r.Series {
		if v.Hits < 0 || v.Hits > v.Gets || v.Start < 0 || v.Time < 0 {
			return fmt.Errorf("interval at request %d: %d hits of %d gets", v.Start, v.Hits, v.Gets)
		}
	}
	return nil
}
