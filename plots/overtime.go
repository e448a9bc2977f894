package plots

import (
	"fmt"
	"time"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"cachesim/sim/results"
)

// overTime draws the hit ratio of each interval of the replays that have a
// series: a figure for each size.
func overTime(rows Rows, o Options) ([]Figure, error) {
	labels := Labels(rows.Results, o.Labels)
	look := rows.allLooks(labels)
	var figures []Figure
	for _, g := range rows.ratioGroups() {
		var sizes []int64
		byCapacity := make(map[int64][]results.Result)
		for _, r := range g.results {
			if len(r.Series) == 0 {
				continue
			}
			if byCapacity[r.Capacity] == nil {
				sizes = append(sizes, r.Capacity)
			}
			byCapacity[r.Capacity] = append(byCapacity[r.Capacity], r)
		}
		for _, size := range sizes {
			rs := byCapacity[size]
			name := "over-time" + g.suffix
			if len(sizes) > 1 {
				name += "-" + capacityName(rs[0])
			}
			f, err := overTimeFigure(o, name, o.title(g.note), rs, labels, look)
			if err != nil {
				return nil, inGroup(g, err)
			}
			figures = append(figures, f)
		}
	}
	return figures, nil
}

func overTimeFigure(o Options, name, title string, rs []results.Result, labels map[string]string, look looks) (Figure, error) {
	clock, longest := false, time.Duration(0)
	for _, r := range rs {
		if r.Window != rs[0].Window {
			return Figure{}, fmt.Errorf("series of %s and %s have other intervals: choose those of one window", rs[0].Policy, r.Policy)
		}
		for _, v := range r.Series {
			clock = clock || v.Time > 0
			longest = max(longest, time.Duration(v.Time))
		}
	}
	// Intervals of requests can be minutes apart or milliseconds: they stand at their
	// requests.
	clock = clock && rs[0].Window.Requests == 0
	p := Panel{Mark: Lines, X: Axis{Label: "Requests", zero: true, count: true}, Y: Axis{Label: "Hit ratio", Unit: unitPercent}, best: 1}
	unit, per := timeUnit(longest)
	if clock {
		p.X = Axis{Label: "Time", Unit: unit, zero: true}
	}
	x := func(v int, at int64) float64 {
		if clock {
			return float64(at) / float64(per)
		}
		return float64(v)
	}
	warm := 0.0 // where the warm-up ends
	seen := make(map[string]bool)
	for _, r := range rs {
		label := labels[r.Policy]
		if seen[label] { // another version, or seed
			continue
		}
		seen[label] = true
		s := Series{Name: label}
		for i, v := range r.Series {
			if v.Gets > 0 {
				s.Points = append(s.Points, Point{X: x(v.Start, v.Time), Y: 100 * float64(v.Hits) / float64(v.Gets)})
			}
			if i > 0 && r.Series[i-1].Warmup && !v.Warmup {
				warm = max(warm, x(v.Start, v.Time))
			}
		}
		p.Series = append(p.Series, s)
	}
	ch := xyChart{name: name, title: title, panels: []Panel{p}, looks: look}
	ch.note = capacityText(rs[0])
	if label := SizeLabel(rs[0]); label != ch.note {
		ch.note += " (" + label + ")"
	}
	if warm > 0 {
		ch.note += ", warm-up shaded"
		ch.panels[0].shaded = warm
	}
	return ch.figure(o), nil
}

// shade fills the part of a panel to the left of a value.
type shade float64

// Plot implements plot.Plotter.
func (s shade) Plot(c draw.Canvas, p *plot.Plot) {
	x, _ := p.Transforms(&c)
	to := min(x(float64(s)), c.Max.X)
	if to <= c.Min.X {
		return
	}
	c.SetColor(paleGray)
	c.Fill(vg.Rectangle{Min: c.Min, Max: vg.Point{X: to, Y: c.Max.Y}}.Path())
}

// timeUnit returns the unit that suits times up to d.
func timeUnit(d time.Duration) (string, time.Duration) {
	switch {
	case d >= 4*24*time.Hour:
		return "days", 24 * time.Hour
	case d >= 4*time.Hour:
		return "h", time.Hour
	case d >= 4*time.Minute:
		return "min", time.Minute
	case d >= 2*time.Second:
		return "s", time.Second
	}
	return "ms", time.Millisecond
}
