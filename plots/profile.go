package plots

import (
	"fmt"
	"math"
	"time"

	"cachesim/sim"
)

// A TraceProfile is what was computed of a trace. Parts that are nil are not
// drawn. The lists are to be short enough to draw: some hundred elements each.
type TraceProfile struct {
	Trace string

	// Popularity is the requests of objects by rank: 1 is that of the one
	// requested most. Ranks ascend; not all need to be there.
	Popularity []Rank
	// Zipf is the line fitted to Popularity, requests = Scale * rank^-Alpha,
	// between two ranks; nil: none was fitted.
	Zipf *ZipfFit

	ObjectSizes  []Share // share of the objects of up to so many bytes
	RequestSizes []Share // share of the requests for objects of up to so many bytes

	// Reuse is the share of the requests whose reuse distance is up to a value,
	// in ReuseUnit: the objects, or bytes, requested since the last request for
	// the same object. First requests have none, so the last share is below 1.
	Reuse     []Share
	ReuseUnit string // sim.UnitBytes or sim.UnitObjects

	Load []Load // requests over time, ascending; of a trace with a clock
}

// A Rank is how often the object of a rank is requested.
type Rank struct{ Rank, Requests int64 }

// A ZipfFit is a line fitted to popularities.
type ZipfFit struct {
	Alpha, Scale float64
	From, To     int64 // ranks
}

// A Share is the part, 0 to 1, of a whole that is up to a value.
type Share struct{ Value, Share float64 }

// Load is the requests of an interval.
type Load struct {
	Start    time.Duration // since the trace's start
	Length   time.Duration
	Requests int64
}

// check returns what is wrong with p's numbers.
func (p TraceProfile) check() error {
	for i, r := range p.Popularity {
		if r.Rank <= 0 || r.Requests < 0 || i > 0 && r.Rank <= p.Popularity[i-1].Rank {
			return fmt.Errorf("popularity %d: %d requests at rank %d", i+1, r.Requests, r.Rank)
		}
	}
	for _, list := range [][]Share{p.ObjectSizes, p.RequestSizes, p.Reuse} {
		for i, s := range list {
			if !(s.Value >= 0 && s.Share >= 0 && s.Share <= 1+1e-9) || math.IsInf(s.Value, 0) || i > 0 && (s.Value < list[i-1].Value || s.Share < list[i-1].Share-1e-9) {
				return fmt.Errorf("element %d of a distribution: share %g up to %g", i+1, s.Share, s.Value)
			}
		}
	}
	for i, l := range p.Load {
		if l.Length <= 0 || l.Requests < 0 || l.Start < 0 || i > 0 && l.Start < p.Load[i-1].Start {
			return fmt.Errorf("load %d: %d requests in %v from %v", i+1, l.Requests, l.Length, l.Start)
		}
	}
	return nil
}

// profileFigures makes a figure of each profile that shows something.
func profileFigures(rows Rows, o Options, name string, show func(TraceProfile) (xyChart, bool)) ([]Figure, error) {
	var figures []Figure
	taken := make(map[string]bool)
	for _, p := range rows.Profiles {
		ch, ok := show(p)
		if !ok {
			continue
		}
		ch.name, ch.title = name, o.title("")
		if len(rows.Profiles) > 1 {
			base := name + "-" + fileName(p.Trace)
			ch.name = base
			for n := 2; taken[ch.name]; n++ {
				ch.name = fmt.Sprintf("%s-%d", base, n)
			}
			taken[ch.name] = true
		}
		ch.note = joinNotes(p.Trace, ch.note)
		ch.looks = looksOf(seriesNames(ch.panels))
		ch.plain = ch.plain || len(ch.looks) < 2
		figures = append(figures, ch.figure(o))
	}
	return figures, nil
}

// tracePopularity draws requests by rank, both on logarithmic axes.
func tracePopularity(rows Rows, o Options) ([]Figure, error) {
	return profileFigures(rows, o, "trace-popularity", func(p TraceProfile) (xyChart, bool) {
		s := Series{Name: "objects"}
		for _, r := range p.Popularity {
			s.Points = append(s.Points, Point{X: float64(r.Rank), Y: float64(r.Requests)})
		}
		panel := Panel{Mark: Lines, X: Axis{Label: "Rank of the object", Log: true, count: true}, Y: Axis{Label: "Requests", Log: true, count: true}, Series: []Series{s}}
		if z := p.Zipf; z != nil && z.From > 0 && z.To > z.From && z.Scale > 0 {
			line := Series{Name: fmt.Sprintf("Zipf, α = %.2f", z.Alpha)}
			for _, at := range []int64{z.From, z.To} {
				line.Points = append(line.Points, Point{X: float64(at), Y: z.Scale * math.Pow(float64(at), -z.Alpha)})
			}
			panel.Series = append(panel.Series, line)
		}
		return xyChart{panels: []Panel{panel}}, len(p.Popularity) > 0
	})
}

func distribution(name string, list []Share) Series {
	s := Series{Name: name}
	for _, v := range list {
		s.Points = append(s.Points, Point{X: v.Value, Y: 100 * v.Share})
	}
	return s
}

// traceSizes draws the distributions of sizes.
func traceSizes(rows Rows, o Options) ([]Figure, error) {
	return profileFigures(rows, o, "trace-sizes", func(p TraceProfile) (xyChart, bool) {
		panel := Panel{Mark: Steps, X: Axis{Label: "Size of the object", Unit: unitBytes, Log: true}, Y: Axis{Label: "Share up to that size", Unit: unitPercent}}
		if len(p.ObjectSizes) > 0 {
			panel.Series = append(panel.Series, distribution("objects", p.ObjectSizes))
		}
		if len(p.RequestSizes) > 0 {
			panel.Series = append(panel.Series, distribution("requests", p.RequestSizes))
		}
		ch := xyChart{panels: []Panel{panel}}
		if len(panel.Series) == 1 {
			ch.note = "share of the " + panel.Series[0].Name
		}
		return ch, len(panel.Series) > 0
	})
}

// traceReuse draws the distribution of reuse distances.
func traceReuse(rows Rows, o Options) ([]Figure, error) {
	return profileFigures(rows, o, "trace-reuse", func(p TraceProfile) (xyChart, bool) {
		x := Axis{Label: "Reuse distance", Unit: unitBytes, Log: true}
		if p.ReuseUnit == sim.UnitObjects {
			x.Unit = unitObjects
		}
		panel := Panel{Mark: Steps, X: x, Y: Axis{Label: "Requests up to that distance", Unit: unitPercent}, Series: []Series{distribution("requests", p.Reuse)}}
		return xyChart{panels: []Panel{panel}}, len(p.Reuse) > 0
	})
}

// traceLoad draws requests a second over time.
func traceLoad(rows Rows, o Options) ([]Figure, error) {
	return profileFigures(rows, o, "trace-load", func(p TraceProfile) (xyChart, bool) {
		if len(p.Load) == 0 {
			return xyChart{}, false
		}
		last := p.Load[len(p.Load)-1]
		unit, per := timeUnit(last.Start + last.Length)
		s := Series{Name: "requests"}
		for _, l := range p.Load {
			s.Points = append(s.Points, Point{X: float64(l.Start) / float64(per), Y: float64(l.Requests) / l.Length.Seconds()})
		}
		s.Points = append(s.Points, Point{X: float64(last.Start+last.Length) / float64(per), Y: s.Points[len(s.Points)-1].Y})
		panel := Panel{Mark: Steps, X: Axis{Label: "Time", Unit: unit, zero: true}, Y: Axis{Label: "Requests", Unit: "per second", zero: true, count: true}, Series: []Series{s}}
		return xyChart{panels: []Panel{panel}}, true
	})
}
