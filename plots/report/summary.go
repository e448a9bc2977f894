package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/dustin/go-humanize"

	"cachesim/plots"
	"cachesim/sim"
	"cachesim/sim/results"
)

// leastDifference is the difference of two ratios, in percentage points, below
// which none is called better: tables print two decimals.
const leastDifference = 0.05

// normal95 is the quantile of the normal distribution for intervals of 95 %.
const normal95 = 1.96

// notContenders know the future or have no limit: they win nothing. Nor do the
// variants of belady.
var notContenders = []string{"unbounded", "pfoo-l", "pfoo-u"}

// A group is results that can be compared: of one trace, replayed alike.
type group struct {
	heading string
	trace   results.Trace
	labels  map[string]string // of policies
	bound   string            // a policy that is no contender, besides the usual ones
	results []results.Result
}

// groups sorts results into groups, in the order in which they come.
func groups(set *results.Set, o plots.Options) []group {
	type key struct {
		trace, digest, clock, unit, objectSize string
		metadata                               int64
		warmup                                 int
	}
	labels := plots.Labels(set.Results, o.Labels)
	var keys []key
	var list []group
	at := make(map[key]int)
	for _, r := range set.Results {
		t := set.Trace(r)
		k := key{r.Cell.Trace, r.TraceDigest, r.Clock, r.Unit, t.ObjectSize, r.Metadata, r.Warmup}
		i, ok := at[k]
		if !ok {
			i = len(list)
			at[k] = i
			keys = append(keys, k)
			list = append(list, group{trace: t, labels: labels, bound: o.Bound})
		}
		list[i].results = append(list[i].results, r)
	}
	for i := range list {
		k := keys[i]
		words := []string{k.trace}
		differ := func(f func(key) any) bool {
			return slices.ContainsFunc(keys, func(o key) bool { return o.trace == k.trace && f(o) != f(k) })
		}
		if differ(func(k key) any { return k.digest + k.clock }) {
			words = append(words, "digest "+shortDigest(k.digest))
		}
		if differ(func(k key) any { return k.unit }) {
			words = append(words, "capacity in "+k.unit)
		}
		if differ(func(k key) any { return k.metadata }) {
			words = append(words, fmt.Sprintf("%d bytes of metadata", k.metadata))
		}
		if differ(func(k key) any { return k.warmup }) {
			words = append(words, "warm-up of "+humanize.Comma(int64(k.warmup))+" requests")
		}
		if differ(func(k key) any { return k.objectSize }) {
			words = append(words, k.objectSize+" size of an object")
		}
		list[i].heading = strings.Join(words, ", ")
	}
	return list
}

func shortDigest(s string) string {
	if len(s) > 12 {
		return s[:12]
	}
	return s
}

// contends reports whether a policy can win.
func (g group) contends(policy string) bool {
	name, _, _ := strings.Cut(policy, ":")
	return !slices.Contains(notContenders, name) && !strings.HasPrefix(name, "belady") && (g.bound == "" || g.bound != policy && g.bound != name)
}

// A metric is a ratio that policies are compared by.
type metric struct {
	name string
	of   func(results.Result) float64
	// observations is how many independent outcomes the ratio is at least an average of.
	observations func(results.Result, results.Trace) float64
}

var hitRatio = metric{"hit ratio", results.Result.HitRatio, func(r results.Result, _ results.Trace) float64 { return float64(r.Gets) }}

// Of a sum of bytes, the weights are what objects weigh: with weights of at most
// L that add up to B, the effective number of observations, B²/Σw², is at least
// B/L. Where L is not known the gets have to do.
var byteHitRatio = metric{"byte hit ratio", results.Result.ByteHitRatio, func(r results.Result, t results.Trace) float64 {
	if t.LargestSize <= 0 {
		return float64(r.Gets)
	}
	return min(float64(r.Gets), float64(r.Bytes)/float64(t.LargestSize))
}}

// A standing is what a policy came to at one capacity, in percent. With several
// seeds it is their mean, between Low and High with a confidence of 95 %.
type standing struct {
	policy, label string
	plots.Estimate
	variance float64 // of the estimate, if requests were drawn at random
}

// beats reports whether a is better than b by more than noise: than two decimals
// show, than 1.96 standard errors of the difference of two independent samples
// (both are of the same requests, so that the real error is smaller), and with
// several seeds by intervals that do not overlap.
func (a standing) beats(b standing) bool {
	noise := max(leastDifference, normal95*math.Sqrt(a.variance+b.variance))
	return a.Value-b.Value > noise && a.Low > b.High
}

// A size is the standings at one capacity, the best first.
type size struct {
	capacity   int64
	name       string
	contenders []standing
	bounds     []standing
}

// leaders returns the best policy with those that it does not beat.
func (s size) leaders() []standing {
	var list []standing
	for i, c := range s.contenders {
		if i == 0 || !s.contenders[0].beats(c) {
			list = append(list, c)
		}
	}
	return list
}

// runnerUp returns the best policy that the best one beats.
func (s size) runnerUp() (standing, bool) {
	for _, c := range s.contenders {
		if s.contenders[0].beats(c) {
			return c, true
		}
	}
	return standing{}, false
}

// sizes returns the standings of whole replays at each capacity, ascending.
func (g group) sizes(m metric) []size {
	type place struct {
		policy   string
		capacity int64
		seed     uint64
	}
	type cell struct {
		values   []float64
		variance float64
	}
	seen := make(map[place]bool)
	cells := make(map[int64]map[string]*cell)
	var policies []string
	var list []size
	for _, r := range g.results {
		p := place{r.Policy, r.Capacity, r.Seed}
		if !r.Whole || r.Gets <= 0 || m.name == byteHitRatio.name && r.Bytes <= 0 || seen[p] {
			continue
		}
		seen[p] = true // versions of a policy agree
		if cells[r.Capacity] == nil {
			cells[r.Capacity] = make(map[string]*cell)
			name := sizeName(r)
			if share, ok := strings.CutSuffix(plots.SizeLabel(r), "%"); ok {
				if v, err := strconv.ParseFloat(share, 64); err == nil {
					share = strconv.FormatFloat(v, 'g', 3, 64) // 0.781, not 0.7812
				}
				name += " (" + share + "%)"
			}
			list = append(list, size{capacity: r.Capacity, name: name})
		}
		if !slices.Contains(policies, r.Policy) {
			policies = append(policies, r.Policy)
		}
		c := cells[r.Capacity][r.Policy]
		if c == nil {
			c = &cell{}
			cells[r.Capacity][r.Policy] = c
		}
		v := m.of(r)
		c.values = append(c.values, 100*v)
		c.variance = 100 * 100 * v * (1 - v) / max(1, m.observations(r, g.trace))
	}
	slices.SortFunc(list, func(a, b size) int { return cmp.Compare(a.capacity, b.capacity) })
	for i := range list {
		s := &list[i]
		for _, policy := range policies {
			c := cells[s.capacity][policy]
			if c == nil {
				continue
			}
			st := standing{policy, g.labels[policy], plots.Mean(c.values), c.variance}
			if g.contends(policy) {
				s.contenders = append(s.contenders, st)
			} else {
				s.bounds = append(s.bounds, st)
			}
		}
		slices.SortStableFunc(s.contenders, func(a, b standing) int { return cmp.Compare(b.Value, a.Value) })
	}
	return slices.DeleteFunc(list, func(s size) bool { return len(s.contenders) == 0 })
}

func sizeName(r results.Result) string { return strings.Replace(r.Cell.Size(), ".0 ", " ", 1) }

// winners says in words which policy wins at which size and by how much.
func winners(m metric, sizes []size) (headline string, items []string) {
	if len(sizes) == 0 {
		return "", nil
	}
	first, last := sizes[0], sizes[len(sizes)-1]
	alone := true
	for _, s := range sizes {
		alone = alone && len(s.contenders) == 1 && s.contenders[0].policy == first.contenders[0].policy
	}
	if alone {
		c := first.contenders[0]
		if len(sizes) == 1 {
			return fmt.Sprintf("%s has a %s of %s at %s. No other policy was replayed.", c.label, m.name, percent(c.Value), first.name), nil
		}
		return fmt.Sprintf("%s has a %s of %s at %s and of %s at %s. No other policy was replayed.",
			c.label, m.name, percent(c.Value), first.name, percent(last.contenders[0].Value), last.name), nil
	}
	var order []string // of those that win
	wins := make(map[string]int)
	ties := 0
	for _, s := range sizes {
		l := s.leaders()
		if len(s.contenders) < 2 {
			continue
		}
		if len(l) > 1 {
			ties++
			continue
		}
		if wins[l[0].label] == 0 {
			order = append(order, l[0].label)
		}
		wins[l[0].label]++
	}
	slices.SortStableFunc(order, func(a, b string) int { return wins[b] - wins[a] })
	if len(order) == 0 {
		headline = fmt.Sprintf("No policy has the best %s beyond noise at any cache size.", m.name)
	} else {
		var parts []string
		for i, label := range order {
			if i == 0 {
				parts = append(parts, fmt.Sprintf("%s has the best %s at %d of %s", label, m.name, wins[label], count(len(sizes), "cache size")))
			} else {
				parts = append(parts, fmt.Sprintf("%s at %d", label, wins[label]))
			}
		}
		headline = and(parts) + "."
		if ties > 0 {
			headline += fmt.Sprintf(" At %d the best ones are within noise of each other.", ties)
		}
	}
	// Neighbouring sizes with the same leaders share a sentence.
	for i := 0; i < len(sizes); {
		j := i + 1
		for j < len(sizes) && sameLeaders(sizes[i], sizes[j]) {
			j++
		}
		items = append(items, outcome(sizes[i:j]))
		i = j
	}
	return headline, items
}

func sameLeaders(a, b size) bool {
	x, y := a.leaders(), b.leaders()
	if len(x) != len(y) || (len(a.contenders) > 1) != (len(b.contenders) > 1) || (len(x) == len(a.contenders)) != (len(y) == len(b.contenders)) {
		return false
	}
	for _, s := range x {
		if !slices.ContainsFunc(y, func(o standing) bool { return o.policy == s.policy }) {
			return false
		}
	}
	return true
}

// outcome says who leads at neighbouring sizes with the same leaders.
func outcome(sizes []size) string {
	first, last := sizes[0], sizes[len(sizes)-1]
	at := "At " + first.name
	switch {
	case len(sizes) == 2:
		at = fmt.Sprintf("At %s and %s", first.name, last.name)
	case len(sizes) > 2:
		at = fmt.Sprintf("From %s to %s (%d sizes)", first.name, last.name, len(sizes))
	}
	leaders := first.leaders()
	names := make([]string, len(leaders))
	for i, l := range leaders {
		names[i] = l.label
	}
	low, high := math.Inf(1), 0.0 // lead over the next one that is behind
	for _, s := range sizes {
		if next, ok := s.runnerUp(); ok {
			lead := s.contenders[0].Value - next.Value
			low, high = min(low, lead), max(high, lead)
		}
	}
	lead := points(low)
	if len(sizes) > 1 && points(low) != points(high) {
		lead = fmt.Sprintf("%.2f to %s", low, points(high))
	}
	best := first.contenders[0]
	switch {
	case len(first.contenders) == 1:
		return fmt.Sprintf("%s, %s alone was replayed: %s.", at, names[0], percent(best.Value))
	case len(leaders) == 1 && len(sizes) == 1:
		next, _ := first.runnerUp()
		return fmt.Sprintf("%s, %s wins with %s, %s above %s (%s).", at, names[0], percent(best.Value), lead, next.label, percent(next.Value))
	case len(leaders) == 1:
		return fmt.Sprintf("%s, %s wins by %s over the next policy, with %s to %s.", at, names[0], lead, percent(best.Value), percent(last.contenders[0].Value))
	case len(leaders) == len(first.contenders):
		return fmt.Sprintf("%s, nobody wins: %s are within noise of each other, at %s.", at, few(names), spanOf(sizes))
	}
	return fmt.Sprintf("%s, %s lead and are within noise of each other; the best is %s above the next policy, at %s.", at, few(names), lead, spanOf(sizes))
}

// spanOf writes the best values of sizes.
func spanOf(sizes []size) string {
	low, high := math.Inf(1), math.Inf(-1)
	for _, s := range sizes {
		low, high = min(low, s.contenders[0].Value), max(high, s.contenders[0].Value)
	}
	if percent(low) == percent(high) {
		return percent(low)
	}
	return percent(low) + " to " + percent(high)
}

// attainable is the hit ratio, in percent, of a cache that never evicts, where
// the results give it; else the highest of all.
func (g group) attainable(sizes []size) (value float64, what string) {
	highest := 0.0
	for _, s := range sizes {
		for _, b := range s.bounds {
			if name, _, _ := strings.Cut(b.policy, ":"); name == "unbounded" {
				return b.Value, "that of a cache that never evicts"
			}
			highest = max(highest, b.Value)
		}
		highest = max(highest, s.contenders[0].Value)
	}
	plain := g.trace.Objects > 0 && g.trace.Gets == g.trace.Requests
	for _, r := range g.results {
		plain = plain && r.Warmup == 0 && r.Sets+r.Deletes+r.Expired == 0
	}
	if plain {
		return 100 * (1 - float64(g.trace.Objects)/float64(g.trace.Requests)), "that of a cache that never evicts"
	}
	return highest, "the highest of all results"
}

// reached says at which size each policy reaches 90 % of the attainable ratio.
func (g group) reached(sizes []size) (headline string, items []string) {
	if len(sizes) == 0 {
		return "", nil
	}
	const share = 0.9
	limit, what := g.attainable(sizes)
	if limit <= 0 {
		return "", nil
	}
	found := make(map[string]bool)
	var never []string
	for _, s := range sizes {
		var here []string
		for _, c := range s.contenders {
			if !found[c.policy] && c.Value >= share*limit {
				found[c.policy] = true
				here = append(here, c.label)
			}
		}
		if len(here) > 0 {
			items = append(items, fmt.Sprintf("At %s: %s.", s.name, and(here)))
		}
	}
	for _, r := range g.results {
		if s := g.labels[r.Policy]; r.Whole && r.Gets > 0 && g.contends(r.Policy) && !found[r.Policy] && !slices.Contains(never, s) {
			never = append(never, s)
		}
	}
	if len(never) > 0 {
		items = append(items, fmt.Sprintf("At none of these sizes: %s.", and(never)))
	}
	return fmt.Sprintf("The attainable hit ratio is %s, %s. The smallest of these sizes at which a policy reaches 90 %% of it (%s):",
		percent(limit), what, percent(share*limit)), items
}

// aboveBest says how far the bounds are from the best policy.
func aboveBest(sizes []size) (items []string) {
	var policies []standing
	for _, s := range sizes {
		for _, b := range s.bounds {
			name, _, _ := strings.Cut(b.policy, ":")
			if name != "unbounded" && !slices.ContainsFunc(policies, func(p standing) bool { return p.policy == b.policy }) {
				policies = append(policies, b)
			}
		}
	}
	for _, p := range policies {
		kind := "the bound" // that was given
		if strings.HasPrefix(p.policy, "belady") || strings.HasPrefix(p.policy, "pfoo-") {
			kind = "which knows the future"
		}
		var low, high size
		least, most := math.Inf(1), math.Inf(-1)
		for _, s := range sizes {
			i := slices.IndexFunc(s.bounds, func(b standing) bool { return b.policy == p.policy })
			if i < 0 {
				continue
			}
			gap := s.bounds[i].Value - s.contenders[0].Value
			if gap < least {
				least, low = gap, s
			}
			if gap > most {
				most, high = gap, s
			}
		}
		text := fmt.Sprintf("%s, %s, is %s the best policy", p.label, kind, distance(most))
		if low.capacity != high.capacity {
			text = fmt.Sprintf("%s, %s, is between %s (at %s) and %s (at %s) the best policy", p.label, kind, distance(least), low.name, distance(most), high.name)
		}
		items = append(items, text+".")
	}
	return items
}

// distance says how far something is above, or below.
func distance(v float64) string {
	if v < 0 {
		return points(-v) + " below"
	}
	return points(v) + " above"
}

func percent(v float64) string { return fmt.Sprintf("%.2f\u00a0%%", v) }

func points(v float64) string {
	if fmt.Sprintf("%.2f", v) == "1.00" {
		return "1.00 percentage point"
	}
	return fmt.Sprintf("%.2f percentage points", v)
}

// count writes n of what, with its plural.
func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	if strings.HasSuffix(what, "cy") { // policy, not replay
		return humanize.Comma(int64(n)) + " " + strings.TrimSuffix(what, "y") + "ies"
	}
	return humanize.Comma(int64(n)) + " " + what + "s"
}

// and joins names as a sentence does.
func and(list []string) string {
	if len(list) < 2 {
		return strings.Join(list, "")
	}
	return strings.Join(list[:len(list)-1], ", ") + " and " + list[len(list)-1]
}

// few is and with the first names alone.
func few(list []string) string {
	const most = 6
	if len(list) <= most {
		return and(list)
	}
	return strings.Join(list[:most], ", ") + fmt.Sprintf(" and %d more", len(list)-most)
}

// timed returns the timed cells by capacity, each policy and version once.
func (g group) timed() (capacities []int64, cells map[int64][]results.Result) {
	type key struct {
		policy   string
		version  sim.Version
		capacity int64
	}
	seen := make(map[key]bool)
	cells = make(map[int64][]results.Result)
	for _, r := range g.results {
		k := key{r.Policy, r.Version, r.Capacity}
		if !isTimed(r) || r.Replay <= 0 || seen[k] {
			continue
		}
		seen[k] = true
		if cells[r.Capacity] == nil {
			capacities = append(capacities, r.Capacity)
		}
		cells[r.Capacity] = append(cells[r.Capacity], r)
	}
	return capacities, cells
}

// A version's cost over the policies that were timed in it.
type versionCost struct {
	sim.Version
	results []results.Result
	ratios  []float64 // to native, of the policies that have it; ascending
	mean    float64   // geometric, of ratios; of ns per request without any native one
	native  bool      // mean is of ratios
}

// costs returns what each version costs, the fastest first.
func costs(timed []results.Result) []versionCost {
	native := make(map[string]float64)
	for _, r := range timed {
		if r.Engine == sim.NativeEngine {
			native[r.Policy] = r.PerRequest()
		}
	}
	var list []versionCost
	for _, r := range timed {
		i := slices.IndexFunc(list, func(v versionCost) bool { return v.Version == r.Version })
		if i < 0 {
			i = len(list)
			list = append(list, versionCost{Version: r.Version})
		}
		v := &list[i]
		v.results = append(v.results, r)
		if n := native[r.Policy]; n > 0 && r.Engine != sim.NativeEngine {
			v.ratios = append(v.ratios, r.PerRequest()/n)
		}
	}
	for i := range list {
		v := &list[i]
		slices.Sort(v.ratios)
		of := v.ratios
		if v.native = len(of) > 0; !v.native {
			for _, r := range v.results {
				of = append(of, r.PerRequest())
			}
		}
		sum := 0.0
		for _, x := range of {
			sum += math.Log(x)
		}
		v.mean = math.Exp(sum / float64(len(of)))
	}
	// Ratios cannot be compared with times: those without a native twin come last.
	slices.SortStableFunc(list, func(a, b versionCost) int {
		if a.native != b.native {
			if a.native {
				return -1
			}
			return 1
		}
		return cmp.Compare(a.mean, b.mean)
	})
	return list
}

// faster reports whether a is faster than b by more than noise, over the policies
// that were timed in both: with six or more by the Wilcoxon signed-rank test of
// the logarithms of their ratios at 5 %, else where the replays of every one are
// faster by the Mann-Whitney U test.
func (a versionCost) faster(b versionCost) bool {
	var logs []float64
	each := true
	for _, x := range a.results {
		i := slices.IndexFunc(b.results, func(y results.Result) bool { return y.Policy == x.Policy })
		if i < 0 {
			continue
		}
		y := b.results[i]
		logs = append(logs, math.Log(y.PerRequest()/x.PerRequest()))
		each = each && plots.FasterThan(x, y)
	}
	if len(logs) < 6 {
		return len(logs) > 0 && each
	}
	slices.Sort(logs)
	p, _ := plots.WilcoxonSignedRank(logs)
	return p < 0.05 && plots.Quantile(logs, 0.5) > 0
}

func (v versionCost) words() string {
	if !v.native {
		return fmt.Sprintf("%s ns per request", nanoseconds(v.mean))
	}
	s := fmt.Sprintf("%.2f times native", v.mean)
	if n := len(v.ratios); n > 1 {
		s += fmt.Sprintf(" (geometric mean over %d policies, %.2f to %.2f)", n, v.ratios[0], v.ratios[n-1])
	}
	return s
}

// nanoseconds writes a time with three or four digits.
func nanoseconds(v float64) string {
	switch {
	case v < 10:
		return fmt.Sprintf("%.2f", v)
	case v < 1000:
		return fmt.Sprintf("%.1f", v)
	}
	return humanize.Comma(int64(math.Round(v)))
}

// times says in words what versions cost at one capacity.
func (g group) times(timed []results.Result) (headline string, items []string, table plots.Table) {
	var natives []results.Result
	for _, r := range timed {
		if r.Engine == sim.NativeEngine {
			natives = append(natives, r)
		}
	}
	all := costs(timed)
	guests := slices.DeleteFunc(slices.Clone(all), func(v versionCost) bool { return v.Engine == sim.NativeEngine })
	slices.SortStableFunc(natives, func(a, b results.Result) int { return cmp.Compare(a.PerRequest(), b.PerRequest()) })
	if n := len(natives); n > 0 {
		fast, slow := natives[0], natives[n-1]
		if n == 1 {
			items = append(items, fmt.Sprintf("Native %s takes %s ns per request.", g.labels[fast.Policy], nanoseconds(fast.PerRequest())))
		} else {
			items = append(items, fmt.Sprintf("Native policies take from %s ns (%s) to %s ns (%s) per request.",
				nanoseconds(fast.PerRequest()), g.labels[fast.Policy], nanoseconds(slow.PerRequest()), g.labels[slow.Policy]))
		}
	}
	if len(guests) > 0 {
		var equals []string // of the fastest, itself included
		for i, v := range guests {
			if i == 0 || !guests[0].faster(v) {
				equals = append(equals, v.String())
			}
		}
		switch {
		case len(guests) == 1:
			headline = fmt.Sprintf("%s takes %s.", guests[0], guests[0].words())
		case len(equals) == 1:
			headline = fmt.Sprintf("The fastest WASM version is %s: %s.", guests[0], guests[0].words())
		case len(equals) == len(guests):
			headline = fmt.Sprintf("No WASM version is the fastest beyond noise. The first of them, %s, takes %s.", guests[0], guests[0].words())
		default:
			headline = fmt.Sprintf("The fastest WASM versions are within noise of each other: %s. The first of them takes %s.", few(equals), guests[0].words())
		}
		items = append(items, bestOf("engine", guests, func(v sim.Version) string { return v.Engine })...)
		items = append(items, bestOf("ABI", guests, func(v sim.Version) string { return v.ABI })...)
		least := timed[0].Repeats
		for _, r := range timed {
			least = min(least, len(r.Replays))
		}
		if least < 4 {
			items = append(items, fmt.Sprintf("With %s of a cell the times of one policy cannot be told from noise: 4 or more (--repeat) could.", count(least, "replay")))
		}
	}
	table = costTable(all)
	return headline, items, table
}

// bestOf says what the fastest version of each engine, or ABI, takes.
func bestOf(what string, guests []versionCost, of func(sim.Version) string) []string {
	var parts []string
	seen := make(map[string]bool)
	for _, v := range guests {
		name := of(v.Version)
		if seen[name] {
			continue
		}
		seen[name] = true
		cost := fmt.Sprintf("%.2f×", v.mean)
		if !v.native {
			cost = nanoseconds(v.mean) + " ns"
		}
		parts = append(parts, fmt.Sprintf("%s %s (%s)", name, cost, v.Version))
	}
	if len(parts) < 2 {
		return nil
	}
	return []string{fmt.Sprintf("By %s, in its fastest version: %s.", what, strings.Join(parts, ", "))}
}

// costTable has a row for each version.
func costTable(all []versionCost) plots.Table {
	t := plots.Table{
		Header: []string{"engine", "ABI", "handle", "policies", "× native", "least", "most", "ns/request"}, Left: 3,
		Notes: []string{"× native: geometric mean over the policies, with the least and the most of them. ns/request: their median."},
	}
	number := func(v float64, text string) plots.TableCell {
		return plots.TableCell{Text: text, Raw: fmt.Sprintf("%.4f", v)}
	}
	for _, v := range all {
		row := []plots.TableCell{{Text: v.Engine}, {Text: v.ABI}, {Text: v.Handle}, {Text: fmt.Sprint(len(v.results))}, {}, {}, {}}
		if n := len(v.ratios); n > 0 {
			row[4] = number(v.mean, fmt.Sprintf("%.2f", v.mean))
			row[5] = number(v.ratios[0], fmt.Sprintf("%.2f", v.ratios[0]))
			row[6] = number(v.ratios[n-1], fmt.Sprintf("%.2f", v.ratios[n-1]))
		}
		var ns []float64
		for _, r := range v.results {
			ns = append(ns, r.PerRequest())
		}
		slices.Sort(ns)
		median := plots.Quantile(ns, 0.5)
		t.Rows = append(t.Rows, append(row, number(median, nanoseconds(median))))
	}
	return t
}
