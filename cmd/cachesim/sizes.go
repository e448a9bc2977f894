package main

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/dustin/go-humanize"

	"cachesim/sim"
	"cachesim/sim/plan"
)

// A size is a cache size, as bytes or objects, or as a share of the trace's
// footprint or objects.
type size struct {
	value int64
	share float64 // 0: value counts
}

func (s size) of(footprint int64) int64 {
	if s.share > 0 {
		return max(1, int64(math.Round(s.share*float64(footprint))))
	}
	return s.value
}

// text writes the size as it is asked for on the command line.
func (s size) text(unit string) string {
	switch {
	case s.share > 0:
		return strconv.FormatFloat(100*s.share, 'g', 4, 64) + "%"
	case unit == sim.UnitObjects:
		return strconv.FormatInt(s.value, 10)
	}
	text := strings.ReplaceAll(humanize.IBytes(uint64(s.value)), " ", "")
	if n, err := humanize.ParseBytes(text); err != nil || int64(n) != s.value {
		return strconv.FormatInt(s.value, 10)
	}
	return text
}

// sizes are an element of --size: one size, or all from one to another,
// doubling.
type sizes struct{ from, to size }

// parseSizes reads the value of --size: 32MiB, 1GB, 10%, 0.1, 4MiB..8GiB, and
// lists; with the unit objects, numbers of them.
func parseSizes(values []string, unit string) ([]sizes, error) {
	var all []sizes
	for _, v := range values {
		from, to, isRange := strings.Cut(v, "..")
		if !isRange {
			to = from
		}
		a, err := parseSize(from, unit)
		if err != nil {
			return nil, usagef("--size %s: %w", v, err)
		}
		b, err := parseSize(to, unit)
		if err != nil {
			return nil, usagef("--size %s: %w", v, err)
		}
		if (a.share > 0) == (b.share > 0) && (a.value > b.value || a.share > b.share) {
			return nil, usagef("--size %s: the range goes down: write the smaller size first", v)
		}
		all = append(all, sizes{a, b})
	}
	return all, nil
}

func parseSize(s, unit string) (size, error) {
	s = strings.TrimSpace(s)
	if p, ok := strings.CutSuffix(s, "%"); ok {
		f, err := strconv.ParseFloat(strings.TrimSpace(p), 64)
		if err != nil || !(f > 0) || f > 1e6 {
			return size{}, fmt.Errorf("%q is not a share of the footprint, such as 10%%", s)
		}
		return size{share: f / 100}, nil
	}
	// A bare fraction is a share, as in other simulators.
	if f, err := strconv.ParseFloat(s, 64); err == nil && strings.Contains(s, ".") && f > 0 && f <= 1 {
		return size{share: f}, nil
	}
	if f, err := strconv.ParseFloat(strings.TrimSuffix(s, "B"), 64); err == nil && f != math.Trunc(f) {
		return size{}, fmt.Errorf("%q is not a whole number: with a unit it is a size, as 1.5GiB, and with %% a share of the footprint, as 150%%", s)
	}
	if unit == sim.UnitObjects {
		n, err := strconv.ParseInt(strings.ReplaceAll(s, "_", ""), 10, 64)
		if err != nil || n < 1 {
			return size{}, fmt.Errorf("%q is not a number of objects from 1, or a share such as 10%%", s)
		}
		return size{value: n}, nil
	}
	n, err := humanize.ParseBytes(s)
	if err != nil {
		return size{}, fmt.Errorf("%q is not a size: write bytes, 32MiB, 1GB or 10%% (of the footprint)", s)
	}
	if n == 0 || n > math.MaxInt64/2 {
		return size{}, fmt.Errorf("%q is out of range: a cache has at least one byte", s)
	}
	return size{value: int64(n)}, nil
}

// capacities returns the cache sizes for a trace of a footprint, each once,
// ascending. Without any, there are 8: the footprint, its half, and so on. A
// range from a share to bytes, or the other way round, may turn out to go down.
func capacities(all []sizes, footprint int64, unit string) ([]plan.Capacity, error) {
	if len(all) == 0 {
		all = []sizes{{size{share: 1.0 / 128}, size{share: 1}}}
	}
	var list []plan.Capacity
	for _, s := range all {
		from, to := s.from, s.to
		if from.share == 0 || to.share == 0 { // doubling shares rounds once, not at each step
			if from != to || from.share == 0 {
				from, to = size{value: from.of(footprint)}, size{value: to.of(footprint)}
			}
			if from.value > to.value {
				return nil, usagef("--size: for a footprint of %s a range goes down, from %s to %s",
					sim.FormatCapacity(footprint, unit), sim.FormatCapacity(from.value, unit), sim.FormatCapacity(to.value, unit))
			}
		}
		for ; from.value <= to.value && from.share <= to.share*(1+1e-9); from = (size{2 * from.value, 2 * from.share}) {
			list = append(list, plan.Capacity{Value: from.of(footprint), Text: from.text(unit)})
		}
	}
	slices.SortStableFunc(list, func(a, b plan.Capacity) int { return cmp.Compare(a.Value, b.Value) })
	return slices.CompactFunc(list, func(a, b plan.Capacity) bool { return a.Value == b.Value }), nil
}

// nearest returns the capacity nearest to a tenth of the footprint, in ratio.
func nearest(list []plan.Capacity, footprint int64) int64 {
	best := list[0].Value
	for _, c := range list {
		if nearer(c.Value, best, footprint) {
			best = c.Value
		}
	}
	return best
}

// nearer reports whether a is nearer to a tenth of the footprint than b.
func nearer(a, b, footprint int64) bool {
	distance := func(c int64) float64 {
		return math.Abs(math.Log(float64(c) / (float64(max(1, footprint)) / 10)))
	}
	return distance(a) < distance(b)
}
