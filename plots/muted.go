package plots

import (
	"cmp"
	"fmt"
	"image/color"
	"slices"
	"strings"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"cachesim/sim/results"
)

const (
	manySeries = 12 // from more of them on nobody can tell all apart
	bestSeries = 5  // that are shown then, besides those named
	mostNamed  = 12 // of those shown can be named at the ends of their lines
)

// How series look that stand behind others.
var (
	mutedColor = color.RGBA{0xbc, 0xbc, 0xbc, 0xff}
	mutedLine  = draw.LineStyle{Color: mutedColor, Width: 0.5}
	mutedGlyph = draw.GlyphStyle{Color: mutedColor, Radius: 1.5, Shape: draw.CircleGlyph{}}
)

func mutedText(n int) string {
	if n == 1 {
		return "1 other"
	}
	return fmt.Sprintf("%d others", n)
}

// labelled returns the labels of the policies of rs that match.
func (o Options) labelled(rs []results.Result, match func(policy, label string) bool) (list []string) {
	labels := Labels(rs, o.Labels)
	for _, policy := range names(rs, policyOf) {
		if match(policy, labels[policy]) {
			list = append(list, labels[policy])
		}
	}
	return list
}

// highlightedIn returns the labels of the policies of rs that o.Highlight names.
func (o Options) highlightedIn(rs []results.Result) []string {
	return o.labelled(rs, func(policy, label string) bool {
		return slices.ContainsFunc(o.Highlight, func(h string) bool { return is(policy, h) || label == h })
	})
}

// isOf reports whether a series is that of one of the labels. Kind values adds the size
// to the name of a policy.
func isOf(series string, labels []string) bool {
	return slices.ContainsFunc(labels, func(l string) bool { return series == l || strings.HasPrefix(series, l+", ") })
}

// CheckHighlight returns an error where no result is of a policy that o.Highlight
// names.
func (o Options) CheckHighlight(rs []results.Result) error {
	for _, h := range o.Highlight {
		one := o
		one.Highlight = []string{h}
		if len(rs) > 0 && len(one.highlightedIn(rs)) == 0 {
			return fmt.Errorf("no results of policy %q, which is to be highlighted: there are those of %s", h, strings.Join(names(rs, policyOf), ", "))
		}
	}
	return nil
}

// muted returns the names of the series that are drawn in grey: where some are to
// be highlighted, or there are many, all but those, the best ones by the mean of
// their values, and the bound that others are compared with.
func (ch xyChart) muted(o Options) map[string]bool {
	list := seriesNames(ch.panels)
	best := ch.panels[0].best
	many := len(list) > manySeries && (best != 0 || ch.panels[0].front != nil)
	if len(o.highlighted) == 0 && !many {
		return nil
	}
	shown := make(map[string]bool)
	for _, name := range list {
		if isOf(name, o.highlighted) {
			shown[name] = true
		}
	}
	if many {
		type ranked struct {
			name string
			mean float64
		}
		values := make(map[string][]float64)
		for _, p := range ch.panels {
			for _, s := range p.Series {
				for _, at := range s.Points {
					values[s.Name] = append(values[s.Name], at.Y)
					if slices.Contains(p.front, at) {
						shown[s.Name] = true
					}
				}
			}
		}
		var ranks []ranked
		for _, name := range list {
			switch {
			case isOf(name, o.references):
				shown[name] = true
			case len(values[name]) > 0 && best != 0 && !isOf(name, o.bounds):
				ranks = append(ranks, ranked{name, Mean(values[name]).Value})
			}
		}
		slices.SortStableFunc(ranks, func(a, b ranked) int { return best * cmp.Compare(b.mean, a.mean) })
		for _, r := range ranks[:min(bestSeries, len(ranks))] {
			shown[r.name] = true
		}
	}
	muted := make(map[string]bool)
	for _, name := range list {
		if !shown[name] {
			muted[name] = true
		}
	}
	if len(muted) == len(list) { // this figure has none of those named
		return nil
	}
	return muted
}

// behind returns series with those that are muted first.
func behind(series []Series, muted map[string]bool) []Series {
	if len(muted) == 0 {
		return series
	}
	sorted := slices.Clone(series)
	slices.SortStableFunc(sorted, func(a, b Series) int {
		switch {
		case muted[a.Name] == muted[b.Name]:
			return 0
		case muted[a.Name]:
			return -1
		}
		return 1
	})
	return sorted
}

// A lineEnd is where a line ends, and the name to write there.
type lineEnd struct {
	name  string
	color color.Color
	at    vg.Point
}

// nameEnds writes names to the right of c, each as near to the height of its line's
// end as the others allow, with a thin line from there.
func nameEnds(c draw.Canvas, st Style, ends []lineEnd, width vg.Length) {
	if len(ends) == 0 {
		return
	}
	style := st.text(tickSize)
	style.YAlign = draw.YCenter
	apart := style.Height("X") * 1.3
	lowest := c.Min.Y + apart/2 // above the numbers of the axis
	slices.SortStableFunc(ends, func(a, b lineEnd) int { return cmp.Compare(b.at.Y, a.at.Y) })
	heights := make([]vg.Length, len(ends))
	for i, e := range ends {
		heights[i] = min(max(e.at.Y, lowest), c.Max.Y)
		if i > 0 {
			heights[i] = min(heights[i], heights[i-1]-apart)
		}
	}
	// What was pushed below the axes moves up again, with those above it.
	for i := len(ends) - 1; i >= 0; i-- {
		least := lowest
		if i < len(ends)-1 {
			least = heights[i+1] + apart
		}
		heights[i] = max(heights[i], least)
	}
	for i, e := range ends {
		x := c.Max.X + nameGap
		style.Color = e.color
		c.StrokeLines(draw.LineStyle{Color: e.color, Width: 0.3}, []vg.Point{{X: min(e.at.X, c.Max.X), Y: min(max(e.at.Y, c.Min.Y), c.Max.Y)}, {X: x, Y: heights[i]}})
		fillText(c, style, vg.Point{X: x + nameGap/2, Y: heights[i]}, shorten(e.name, style, width-nameGap))
	}
}
