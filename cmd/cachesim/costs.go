package main

import (
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/urfave/cli/v2"

	"cachesim/sim"
	"cachesim/sim/costs"
	"cachesim/sim/results"
)

func costFlags() []cli.Flag {
	return []cli.Flag{
		&cli.BoolFlag{Category: aboutCosts, Name: "costs", Usage: "traffic from the origin and writes to the cache; the flags below imply it"},
		&cli.StringFlag{Category: aboutCosts, Name: "latency", Usage: "`LATENCIES` of hits and misses: hit=1ms,miss=50ms+8ns/B, or columns: those of the trace (--columns hit_us=9,miss_us=10); their mean and percentiles, and delayed hits"},
		&cli.StringFlag{Category: aboutCosts, Name: "delayed", Usage: "`WHEN` a fetched object enters the cache: at-once, or strict, when its fetch is complete; until then requests for it wait, and start no other", Value: "at-once"},
		&cli.DurationFlag{Category: aboutCosts, Name: "origin-interval", Usage: "`TIME` over which traffic from the origin is measured, for its 95th percentile and peak", Value: 5 * time.Minute},
		&cli.StringFlag{Category: aboutCosts, Name: "egress-cost", Usage: "`PRICE/GB` of traffic from the origin (10^9 bytes), as 0.08/GB"},
	}
}

// newCosts reads costFlags. It returns nil where none is given.
func newCosts(c *cli.Context) (*costs.Model, error) {
	m := costs.Model{Interval: c.Duration("origin-interval")}
	if m.Interval <= 0 {
		return nil, usagef("--origin-interval %v: expects a time, such as 5m", m.Interval)
	}
	var err error
	if s := c.String("latency"); s != "" {
		if m.Columns = s == "columns"; !m.Columns {
			if m.Hit, m.Miss, err = costs.ParseLatency(s); err != nil {
				return nil, usagef("--latency %w, or columns", err)
			}
		}
		m.Latency = true
	}
	if err := oneOf("--delayed", c.String("delayed"), []string{"at-once", "strict"}); err != nil {
		return nil, err
	}
	if m.Strict = c.String("delayed") == "strict"; m.Strict && (!m.Latency || m.Miss == sim.Latency{}) {
		return nil, usagef("--delayed strict needs --latency with a miss that takes time, as hit=1ms,miss=50ms")
	}
	if s := c.String("egress-cost"); s != "" {
		number := s
		if n := len(s) - len("/GB"); n > 0 && s[n:] == "/GB" {
			number = s[:n]
		}
		if m.Price, err = strconv.ParseFloat(number, 64); err != nil || !(m.Price > 0) || m.Price > 1e9 {
			return nil, usagef("--egress-cost %q: expects a price of 10^9 bytes, as 0.08/GB", s)
		}
	}
	if !c.Bool("costs") && !m.Latency && m.Price == 0 && !c.IsSet("origin-interval") {
		return nil, nil
	}
	return &m, nil
}

// costTable prints what policies cost at the size nearest to a tenth of the
// footprint.
func costTable(w io.Writer, t *sim.Trace, m *costs.Model, list []results.Result) {
	var with []results.Result
	for _, r := range list {
		if !r.Timed && r.Costs.Model != "" {
			with = append(with, r)
		}
	}
	if len(with) == 0 || m == nil {
		return
	}
	at := with[0]
	footprint := t.Footprint
	if at.Unit == sim.UnitObjects {
		footprint = int64(t.Objects)
	}
	for _, r := range with {
		if nearer(r.Capacity, at.Capacity, footprint) {
			at = r
		}
	}
	columns := []struct {
		name string
		of   func(c results.Costs) *float64
		form string
	}{
		{"latency ms", func(c results.Costs) *float64 { return c.LatencyMean }, "%.4g"},
		{"p50", func(c results.Costs) *float64 { return c.LatencyP50 }, "%.4g"},
		{"p90", func(c results.Costs) *float64 { return c.LatencyP90 }, "%.4g"},
		{"p99", func(c results.Costs) *float64 { return c.LatencyP99 }, "%.4g"},
		{"delayed hits", func(c results.Costs) *float64 { return float(c.DelayedHits) }, "%.0f"},
		{"origin GB", func(c results.Costs) *float64 { return scale(float(c.OriginBytes), 1e-9) }, "%.4g"},
		{"Gbit/s", func(c results.Costs) *float64 { return c.OriginMean }, "%.3g"},
		{"p95", func(c results.Costs) *float64 { return c.OriginP95 }, "%.3g"},
		{"peak", func(c results.Costs) *float64 { return c.OriginPeak }, "%.3g"},
		{"miss cost", func(c results.Costs) *float64 { return c.MissCost }, "%.6g"},
		{"cost saved", func(c results.Costs) *float64 { return c.CostSaving }, "%.4f"},
		{"egress cost", func(c results.Costs) *float64 { return c.EgressCost }, "%.4g"},
		{"written/requested", func(c results.Costs) *float64 { return c.WriteRatio }, "%.3f"},
		{"writes a day", func(c results.Costs) *float64 { return c.WritesPerDay }, "%.3g"},
	}
	header := []any{"policy"}
	var used []int
	for i, column := range columns {
		for _, r := range with {
			if r.Capacity == at.Capacity && column.of(r.Costs) != nil {
				used = append(used, i)
				header = append(header, column.name)
				break
			}
		}
	}
	stored := ""
	if m.Strict {
		stored = ", where objects enter the cache when their fetch is complete"
	}
	fmt.Fprintf(w, "Costs at %s%s; results.csv has them for all sizes\n", at.Cell.Size(), stored)
	table := newTable(w, 1, header...)
	for _, r := range with {
		if r.Capacity != at.Capacity {
			continue
		}
		row := []any{clean(r.Policy)}
		for _, i := range used {
			text := ""
			if v := columns[i].of(r.Costs); v != nil {
				text = fmt.Sprintf(columns[i].form, *v)
			}
			row = append(row, text)
		}
		table.AppendRow(row)
	}
	table.Render()
	if at.Costs.LatencyMean != nil && at.Costs.DelayedHits == nil {
		fmt.Fprintf(w, "Delayed hits are not counted: %v.\n", m.DelayedHits(t))
	}
	if at.Costs.WritesPerDay != nil {
		fmt.Fprintf(w, "Writes a day: times that the whole cache of %s is written.\n", humanize.IBytes(uint64(at.Capacity)))
	}
	fmt.Fprintln(w)
}

func float(n *int64) *float64 {
	if n == nil {
		return nil
	}
	f := float64(*n)
	return &f
}

func scale(f *float64, by float64) *float64 {
	if f == nil {
		return nil
	}
	v := *f * by
	return &v
}
