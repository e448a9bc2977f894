package plots

import (
	"fmt"
	"image/color"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"cachesim/sim"
)

// bar is one timed cell: nanoseconds a request, median and range.
type bar struct {
	median, low, high float64
	style             barStyle
}

// barStyle is how a version looks: an ABI has a colour, a handle a pattern, so
// that the figure reads without colour too.
type barStyle struct {
	abi, handle string // abi is "native" for native versions, which have no handle
	fill        color.Color
	hatch       hatch
}

func (s barStyle) name() string {
	if s.handle == "" {
		return s.abi
	}
	return s.abi + ", " + s.handle
}

type hatch int

const (
	solid   hatch = iota
	striped       // diagonal stripes of the colour on white
	crossed       // white diagonals on the colour
)

// panel holds the bars of one engine, a group a policy, native first.
type panel struct {
	engine string
	groups [][]bar
}

// runTimePanels sorts timed cells into panels, all with the same policies.
// They are those of the first capacity that was timed; of several results of a
// version the first counts.
func runTimePanels(results []sim.Result) (panels []panel, policies []string, styles []barStyle) {
	var timed []sim.Result
	for _, r := range results {
		if r.Timed && r.Requests > 0 && (len(timed) == 0 || r.Capacity == timed[0].Capacity) &&
			!slices.ContainsFunc(timed, func(t sim.Result) bool { return t.Policy == r.Policy && t.Version() == r.Version() }) {
			timed = append(timed, r)
		}
	}
	policies = names(timed, func(r sim.Result) string { return r.Policy })
	slices.SortStableFunc(timed, func(a, b sim.Result) int { return nativeFirst(a) - nativeFirst(b) })
	engines := names(timed, func(r sim.Result) string { return r.Engine })
	engines = slices.DeleteFunc(engines, func(e string) bool { return e == sim.NativeEngine && len(engines) > 1 })
	guests := slices.DeleteFunc(slices.Clone(timed), func(r sim.Result) bool { return r.Engine == sim.NativeEngine })
	abis := names(guests, func(r sim.Result) string { return r.ABI })
	style := func(r sim.Result) barStyle {
		if r.Engine == sim.NativeEngine {
			return barStyle{"native", "", gray, solid}
		}
		return barStyle{r.ABI, r.Handle, palette[slices.Index(abis, r.ABI)%len(palette)], hatchOf(r.Handle)}
	}
	for _, e := range engines {
		p := panel{engine: e}
		for _, policy := range policies {
			var group []bar
			for _, r := range timed {
				if r.Policy != policy || r.Engine != e && r.Engine != sim.NativeEngine {
					continue
				}
				n := float64(r.Requests)
				b := bar{r.PerRequest(), float64(r.ReplayMin) / n, float64(r.ReplayMax) / n, style(r)}
				group = append(group, b)
				if !slices.Contains(styles, b.style) {
					styles = append(styles, b.style)
				}
			}
			p.groups = append(p.groups, group)
		}
		panels = append(panels, p)
	}
	return panels, policies, styles
}

func nativeFirst(r sim.Result) int {
	if r.Engine == sim.NativeEngine {
		return 0
	}
	return 1
}

func hatchOf(handle string) hatch {
	switch handle {
	case "uncached":
		return striped
	case "driver":
		return crossed
	}
	return solid
}

// barLegends explains styles: one by one while they are few, else ABIs by their
// colours and below them handles by their patterns.
func barLegends(styles []barStyle, width vg.Length) []legend {
	entry := func(name string, s barStyle) legendEntry {
		return legendEntry{name, func(c draw.Canvas) { fillBar(c, c.Rectangle, s) }}
	}
	var each, abis, handles []legendEntry
	for _, s := range styles {
		each = append(each, entry(s.name(), s))
		named := func(name string) func(legendEntry) bool {
			return func(e legendEntry) bool { return e.text == name }
		}
		if !slices.ContainsFunc(abis, named(s.abi)) {
			abis = append(abis, entry(s.abi, barStyle{fill: s.fill}))
		}
		if name := "handle " + s.handle; s.handle != "" && !slices.ContainsFunc(handles, named(name)) {
			handles = append(handles, entry(name, barStyle{fill: black, hatch: s.hatch}))
		}
	}
	if len(each) <= 8 {
		return []legend{newLegend(each, width)}
	}
	return []legend{newLegend(abis, width), newLegend(handles, width)}
}

const (
	panelHeight  = 1.3 * vg.Inch // of one among several
	singleHeight = 1.8 * vg.Inch
	widestBar    = vg.Length(18)
	// So many bars and gaps have room beside each other in one column of a
	// paper and in two.
	oneColumnBars, twoColumnsBars = 45, 130
)

// runTime draws running times as bars: a panel an engine, a group a policy, a
// bar a version, with the range over the repeats. Policies that have no room
// beside each other get panels of their own.
func runTime(results []sim.Result, title string) (Figure, bool) {
	panels, policies, styles := runTimePanels(results)
	if len(policies) == 0 {
		return Figure{}, false
	}
	slots := make([]int, len(policies)) // bars of each group, and the gap beside it
	total := 0
	low, high := math.Inf(1), 0.0
	for i := range policies {
		slots[i] = 3
		for _, p := range panels {
			slots[i] = max(slots[i], len(p.groups[i])+1)
			for _, b := range p.groups[i] {
				low, high = min(low, b.low, b.median), max(high, b.high, b.median)
			}
		}
		total += slots[i]
	}
	width := vg.Length(oneColumn)
	if total > oneColumnBars {
		width = twoColumns
	}
	blocks := (total + twoColumnsBars - 1) / twoColumnsBars
	each := (len(policies) + blocks - 1) / blocks // policies in a block
	widest := 0
	for b := range slices.Chunk(slots, each) {
		widest = max(widest, sum(b))
	}
	axis := timeAxis(low, high)
	var rows []block
	for i := 0; i < len(policies); i += each {
		end := min(i+each, len(policies))
		b := block{names: policies[i:end], slots: slots[i:end], widest: widest, panel: panelHeight}
		if len(panels) == 1 && blocks == 1 {
			b.panel = singleHeight
		}
		for _, pan := range panels {
			p := newPlot("", "")
			axis(p)
			p.X.Min, p.X.Max = 0, float64(widest)
			p.X.Tick.Marker = plot.ConstantTicks(nil)
			g := grid()
			g.Vertical.Width = 0
			p.Add(g, bars{pan.groups[i:end], b})
			b.plots = append(b.plots, p)
			b.engines = append(b.engines, pan.engine)
		}
		rows = append(rows, b)
	}
	h := newHeader(title, width, barLegends(styles, width-2*margin)...)
	f := Figure{Name: "runtime", Width: width, Height: h.height() + margin}
	var left vg.Length
	for i := range rows {
		rows[i].layout(width)
		left = max(left, rows[i].left)
		f.Height += rows[i].height()
	}
	f.draw = func(c draw.Canvas) {
		c = h.drawTo(c)
		// One label for all panels. (The library centres that of a logarithmic
		// axis as if it were linear, and makes room for what then sticks out.)
		label := textStyle(textSize)
		label.Rotation, label.XAlign, label.YAlign = math.Pi/2, draw.XCenter, draw.YTop
		c.Min.X += left
		c.FillText(label, vg.Point{X: c.Min.X, Y: c.Center().Y + rows[len(rows)-1].below/2}, "ns per request")
		c.Min.X += unitWidth()
		for _, b := range rows {
			b.drawTo(draw.Crop(c, 0, 0, c.Size().Y-b.height(), 0))
			c.Max.Y -= b.height()
		}
	}
	return f, true
}

func sum(list []int) int {
	n := 0
	for _, v := range list {
		n += v
	}
	return n
}

// unitWidth is the room of the label beside the panels.
func unitWidth() vg.Length { return textStyle(textSize).Height("X") + 4 }

// timeAxis returns what makes the vertical axis for times from low to high: a
// logarithmic one where they are far apart.
func timeAxis(low, high float64) func(p *plot.Plot) {
	if high <= 0 { // the clock saw nothing
		high = 1
	}
	return func(p *plot.Plot) {
		if low > 0 && high/low > 15 {
			p.Y.Scale = plot.LogScale{}
			p.Y.Min, p.Y.Max = math.Pow(10, math.Floor(math.Log10(low*0.9))), high*1.3
			p.Y.Tick.Marker = decades{}
			return
		}
		p.Y.Min, p.Y.Max = 0, high*1.05
		p.Y.Tick.Marker = steps(nice(high / 5))
	}
}

// block is a row of policies: the panels of all engines, and the policies'
// names below them.
type block struct {
	plots   []*plot.Plot // one an engine
	engines []string
	names   []string
	slots   []int // of each policy
	widest  int   // slots of the widest block: all have bars of the same width
	panel   vg.Length

	// Set by layout.
	left     vg.Length // room beside the panels that slanting names need
	slanting bool
	lines    [][]string // of each name
	below    vg.Length  // height of the names
}

const (
	nameGap  = vg.Length(3) // between an axis and the names below it
	nameLine = tickSize * 1.15
	slant    = math.Pi / 4
)

// middle returns where policy i stands on the axis, 0 to 1.
func (b *block) middle(i int) float64 {
	return (float64(sum(b.slots[:i])) + float64(b.slots[i])/2) / float64(b.widest)
}

// layout finds room for the names in a figure of a width. Where they are wider
// than their groups of bars they are broken between parameters, or else slanted.
func (b *block) layout(width vg.Length) {
	style := textStyle(tickSize)
	area := draw.Canvas{Rectangle: vg.Rectangle{Max: vg.Point{X: width, Y: b.panel}}}
	area = draw.Crop(area, margin+unitWidth(), -margin, 0, 0)
	axes := b.plots[0].DataCanvas(area)
	for i, name := range b.names {
		room := axes.Size().X*vg.Length(b.slots[i])/vg.Length(b.widest) - 4
		lines := wrap(parts(name), style, room)
		b.lines = append(b.lines, lines)
		for _, line := range lines {
			b.slanting = b.slanting || style.Width(line) > room
		}
		b.below = max(b.below, nameLine*vg.Length(len(lines)))
	}
	if !b.slanting {
		return
	}
	b.lines, b.below = nil, 0
	for i, name := range b.names {
		name = shorten(name, style, 1.3*vg.Inch)
		b.lines = append(b.lines, []string{name})
		reach := style.Width(name)*math.Sqrt2/2 + style.Height("X")/2
		b.below = max(b.below, reach)
		// A wider margin moves names on the left more than those on the right.
		over := margin - (axes.X(b.middle(i)) - reach)
		b.left = max(b.left, over/vg.Length(1-b.middle(i)))
	}
}

// parts cuts a policy's name where it can be broken: after each : and comma.
func parts(name string) []string {
	var list []string
	for _, p := range strings.SplitAfter(name, ",") {
		list = append(list, strings.SplitAfter(p, ":")...)
	}
	return list
}

func (b *block) height() vg.Length {
	return b.panel*vg.Length(len(b.plots)) + nameGap + b.below + nameGap
}

// drawTo draws the block into c, which is as tall as it and leaves the room that
// it needs on the left.
func (b *block) drawTo(c draw.Canvas) {
	style := textStyle(tickSize)
	style.XAlign = draw.XCenter
	var axes draw.Canvas
	for i, p := range b.plots {
		area := draw.Crop(c, 0, 0, c.Size().Y-b.panel, -nameGap)
		if b.engines[i] != sim.NativeEngine {
			area.Max.Y -= style.Height("X") + nameGap
		}
		axes = p.DataCanvas(area)
		p.Draw(area)
		if b.engines[i] != sim.NativeEngine {
			c.FillText(style, vg.Point{X: axes.Center().X, Y: area.Max.Y + nameGap}, b.engines[i])
		}
		c.Max.Y -= b.panel
	}
	style.YAlign = draw.YTop
	if b.slanting {
		style.Rotation, style.XAlign, style.YAlign = slant, draw.XRight, draw.YCenter
	}
	for i, lines := range b.lines {
		at := vg.Point{X: axes.X(b.middle(i)), Y: c.Max.Y - nameGap}
		if b.slanting {
			at.X, at.Y = at.X+1, at.Y-1
		}
		for _, line := range lines {
			c.FillText(style, at, line)
			at.Y -= nameLine
		}
	}
}

// bars draws the groups of one panel of a block.
type bars struct {
	groups [][]bar
	block
}

// Plot implements plot.Plotter.
func (b bars) Plot(c draw.Canvas, p *plot.Plot) {
	_, y := p.Transforms(&c)
	width := min(widestBar, c.Size().X/vg.Length(b.widest))
	for i, g := range b.groups {
		left := c.X(b.middle(i)) - width*vg.Length(len(g))/2
		for j, v := range g {
			r := vg.Rectangle{
				Min: vg.Point{X: left + width*(vg.Length(j)+0.06), Y: y(p.Y.Min)},
				Max: vg.Point{X: left + width*(vg.Length(j)+0.94), Y: y(v.median)},
			}
			fillBar(c, r, v.style)
			if v.high > v.low {
				mid, cap := (r.Min.X+r.Max.X)/2, min(width*0.25, 1.5)
				s := draw.LineStyle{Color: black, Width: 0.4}
				c.StrokeLine2(s, mid, y(v.low), mid, y(v.high))
				c.StrokeLine2(s, mid-cap, y(v.low), mid+cap, y(v.low))
				c.StrokeLine2(s, mid-cap, y(v.high), mid+cap, y(v.high))
			}
		}
	}
}

// fillBar fills a rectangle in a style.
func fillBar(c draw.Canvas, r vg.Rectangle, s barStyle) {
	fill, lines := s.fill, color.Color(color.White)
	if s.hatch == striped {
		fill, lines = color.White, s.fill
	}
	c.SetColor(fill)
	c.Fill(r.Path())
	if s.hatch != solid {
		diagonals(c, r, draw.LineStyle{Color: lines, Width: 0.6}, s.hatch == crossed)
	}
	c.SetLineStyle(draw.LineStyle{Color: s.fill, Width: 0.4})
	path := r.Path()
	c.Stroke(path)
}

// diagonals strokes lines at 45 degrees, clipped to r; they fall where down is
// set.
func diagonals(c draw.Canvas, r vg.Rectangle, s draw.LineStyle, down bool) {
	const gap = 2.5
	w, h := r.Max.X-r.Min.X, r.Max.Y-r.Min.Y
	for d := vg.Length(gap) - h; d < w; d += gap {
		// The line y = x - d in the rectangle's own coordinates.
		x0, x1 := max(0, d), min(w, h+d)
		if x1 <= x0 {
			continue
		}
		y0, y1 := x0-d, x1-d
		if down {
			y0, y1 = h-y0, h-y1
		}
		c.StrokeLine2(s, r.Min.X+x0, r.Min.Y+y0, r.Min.X+x1, r.Min.Y+y1)
	}
}

// decades labels powers of ten, at most six of them, and marks 2 to 9 times
// them where all are labelled.
type decades struct{}

func (decades) Ticks(low, high float64) []plot.Tick {
	first, last := math.Floor(math.Log10(low)), math.Floor(math.Log10(high))
	every := math.Ceil((last - first + 1) / 6)
	var ticks []plot.Tick
	for k := first; k <= last; k++ {
		for m := 1.0; m < 10; m++ {
			t := plot.Tick{Value: m * math.Pow(10, k)}
			if m == 1 && math.Mod(k-first, every) == 0 {
				t.Label = fmt.Sprintf("%g", t.Value)
			}
			if t.Value >= low*(1-1e-9) && t.Value <= high && (m == 1 || every == 1) {
				ticks = append(ticks, t)
			}
		}
	}
	return ticks
}
