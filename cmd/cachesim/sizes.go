package main

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/dustin/go-humanize"
)

// A size is a cache size, as bytes or as a share of the trace's footprint.
type size struct {
	bytes int64
	share float64 // 0: bytes counts
}

func (s size) of(footprint int64) int64 {
	if s.share > 0 {
		return max(1, int64(math.Round(s.share*float64(footprint))))
	}
	return s.bytes
}

// sizes are an element of --size: one size, or all from one to another,
// doubling.
type sizes struct{ from, to size }

// parseSizes reads the value of --size: 32MiB, 1GB, 10%, 4MiB..8GiB, and lists.
func parseSizes(values []string) ([]sizes, error) {
	var all []sizes
	for _, v := range values {
		from, to, isRange := strings.Cut(v, "..")
		if !isRange {
			to = from
		}
		a, err := parseSize(from)
		if err != nil {
			return nil, usagef("--size %s: %w", v, err)
		}
		b, err := parseSize(to)
		if err != nil {
			return nil, usagef("--size %s: %w", v, err)
		}
		if (a.share > 0) == (b.share > 0) && (a.bytes > b.bytes || a.share > b.share) {
			return nil, usagef("--size %s: the range goes down: write the smaller size first", v)
		}
		all = append(all, sizes{a, b})
	}
	return all, nil
}

func parseSize(s string) (size, error) {
	s = strings.TrimSpace(s)
	if p, ok := strings.CutSuffix(s, "%"); ok {
		f, err := strconv.ParseFloat(strings.TrimSpace(p), 64)
		if err != nil || !(f > 0) || f > 1e6 {
			return size{}, fmt.Errorf("%q is not a share of the footprint, such as 10%%", s)
		}
		return size{share: f / 100}, nil
	}
	n, err := humanize.ParseBytes(s)
	if err != nil {
		return size{}, fmt.Errorf("%q is not a size: write bytes, 32MiB, 1GB or 10%% (of the footprint)", s)
	}
	if n == 0 || n > math.MaxInt64/2 {
		return size{}, fmt.Errorf("%q is out of range: a cache has at least one byte", s)
	}
	return size{bytes: int64(n)}, nil
}

// capacities returns the cache sizes in bytes for a trace of a footprint, each
// once, ascending. Without any, there are 8: the footprint, its half, and so on.
// A range from a share to bytes, or the other way round, may turn out to go down.
func capacities(all []sizes, footprint int64) ([]int64, error) {
	if len(all) == 0 {
		all = []sizes{{size{share: 1.0 / 128}, size{share: 1}}}
	}
	var list []int64
	for _, s := range all {
		from, to := s.from, s.to
		if from.share == 0 || to.share == 0 { // doubling shares rounds once, not at each step
			from, to = size{bytes: from.of(footprint)}, size{bytes: to.of(footprint)}
			if from.bytes > to.bytes {
				return nil, usagef("--size: for a footprint of %s a range goes down, from %s to %s",
					humanize.IBytes(uint64(footprint)), humanize.IBytes(uint64(from.bytes)), humanize.IBytes(uint64(to.bytes)))
			}
		}
		for ; from.bytes <= to.bytes && from.share <= to.share; from = (size{2 * from.bytes, 2 * from.share}) {
			list = append(list, from.of(footprint))
		}
	}
	slices.Sort(list)
	return slices.Compact(list), nil
}

// nearest returns the capacity nearest to a tenth of the footprint, in ratio.
func nearest(list []int64, footprint int64) int64 {
	best := list[0]
	for _, c := range list {
		if distance(c, footprint) < distance(best, footprint) {
			best = c
		}
	}
	return best
}

func distance(c, footprint int64) float64 {
	return math.Abs(math.Log(float64(c) / (float64(footprint) / 10)))
}
