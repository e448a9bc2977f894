package plots

import (
	"math"
	"slices"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

const (
	panelHeight  = 1.3 * vg.Inch // of one among several
	singleHeight = 1.8 * vg.Inch
	widestBar    = vg.Length(18)
	// So many bars and gaps have room beside each other in one column of a
	// paper and in two.
	oneColumnBars, twoColumnsBars = 45, 130
)

// chart is blocks below each other with one label for all vertical axes.
type chart struct {
	st     Style
	unit   string
	rows   []block
	weight int       // of its width beside other charts
	left   vg.Length // room beside the panels that slanting names need
}

// newBarChart lays panels out: each has a group of bars under each of names, of
// which no more than room bars and gaps stand beside each other. The others
// come below, in panels of their own. A group takes least bars and gaps or more.
// label, if not nil, writes above bar j of a group.
func newBarChart(st Style, panels []panel, names []string, least, room int, axis func(*plot.Plot), label func(g []bar, j int) string) chart {
	slots := groupSlots(panels, names, least)
	blocks := (sum(slots) + room - 1) / room
	each := (len(names) + blocks - 1) / blocks // names in a block
	widest := 0
	for b := range slices.Chunk(slots, each) {
		widest = max(widest, sum(b))
	}
	ch := chart{st: st, weight: widest}
	for i := 0; i < len(names); i += each {
		end := min(i+each, len(names))
		b := block{st: st, names: names[i:end], slots: slots[i:end], widest: widest, panel: panelHeight}
		if len(panels) == 1 && blocks == 1 {
			b.panel = singleHeight
		}
		for _, pan := range panels {
			b.add(pan.heading, bars{panel{pan.heading, pan.unit, pan.groups[i:end]}, label, b}, axis)
		}
		ch.rows = append(ch.rows, b)
	}
	return ch
}

// groupSlots returns the bars of each group with the gap beside it.
func groupSlots(panels []panel, names []string, least int) []int {
	slots := make([]int, len(names))
	for i := range slots {
		slots[i] = least
		for _, p := range panels {
			slots[i] = max(slots[i], len(p.groups[i])+1)
		}
	}
	return slots
}

// layout finds room for the chart in a width.
func (ch *chart) layout(width vg.Length) {
	for i := range ch.rows {
		ch.rows[i].unit = unitWidth(ch.st) * vg.Length(len(ch.unitLines()))
		ch.rows[i].layout(width)
		ch.left = max(ch.left, ch.rows[i].left)
	}
}

func (ch *chart) height() vg.Length {
	var h vg.Length
	for i := range ch.rows {
		h += ch.rows[i].height()
	}
	return h
}

// drawTo draws the chart into c, which is as tall as it.
func (ch *chart) drawTo(c draw.Canvas) {
	// One label for all panels. (The library centres that of a logarithmic
	// axis as if it were linear, and makes room for what then sticks out.)
	c.Min.X += ch.left
	units := ch.unitLines()
	drawUnit(ch.st, c, units, vg.Point{X: c.Min.X, Y: c.Center().Y + ch.rows[len(ch.rows)-1].below/2})
	c.Min.X += unitWidth(ch.st) * vg.Length(len(units))
	for _, b := range ch.rows {
		b.drawTo(draw.Crop(c, 0, 0, c.Size().Y-b.height(), 0))
		c.Max.Y -= b.height()
	}
}

// chartAxis is about what a chart's vertical axis takes beside its bars.
const chartAxis = vg.Length(42)

// beside makes a figure of charts that have a row each, or of one chart. Where
// they are several, bars of all come out about as wide.
func beside(name string, h header, width vg.Length, charts ...chart) Figure {
	widths := make([]vg.Length, len(charts))
	weights, below, angle := 0, vg.Length(0), 0.0
	for _, ch := range charts {
		weights += ch.weight
	}
	for i := range charts {
		widths[i] = width
		if len(charts) > 1 {
			free := width - chartAxis*vg.Length(len(charts))
			widths[i] = chartAxis + free*vg.Length(charts[i].weight)/vg.Length(weights)
		}
		charts[i].layout(widths[i])
		angle = max(angle, charts[i].rows[0].angle)
	}
	if len(charts) > 1 { // names look alike, and the horizontal axes are at one height
		for i := range charts {
			charts[i].rows[0].angle = angle
			charts[i].layout(widths[i])
			below = max(below, charts[i].rows[0].below)
		}
		for _, ch := range charts {
			ch.rows[0].below = below
		}
	}
	return newFigure(charts[0].st, name, width, h.height()+charts[0].height()+margin, func(c draw.Canvas) {
		c = h.drawTo(c)
		for i, ch := range charts {
			ch.drawTo(draw.Crop(c, 0, widths[i]-2*margin-c.Size().X, 0, 0))
			c.Min.X += widths[i]
		}
	})
}

// block is a row of groups of bars: panels below each other, and the names of
// the groups below them.
type block struct {
	st       Style
	plots    []*plot.Plot // one a panel
	headings []string     // above the plots; empty: none
	names    []string
	slots    []int // of each name
	widest   int   // slots of the widest block: all have bars of the same width
	panel    vg.Length

	// Set by layout.
	unit  vg.Length  // room of the label beside the panels
	left  vg.Length  // room beside the panels that slanting names need
	angle float64    // of the names; layout may raise it
	lines [][]string // of each name
	below vg.Length  // height of the names
}

// add adds a panel with what data draws.
func (b *block) add(heading string, data plot.Plotter, axis func(*plot.Plot)) {
	p := b.st.plot("", "")
	axis(p)
	p.X.Min, p.X.Max = 0, float64(b.widest)
	p.X.Tick.Marker = plot.ConstantTicks(nil)
	g := grid()
	g.Vertical.Width = 0
	p.Add(g, data)
	b.plots = append(b.plots, p)
	b.headings = append(b.headings, heading)
}

const (
	nameGap  = vg.Length(3) // between an axis and the names below it
	nameLine = tickSize * 1.15
	slant    = math.Pi / 4
	upright  = math.Pi / 2
)

// middle returns where name i stands on the axis, 0 to 1.
func (b *block) middle(i int) float64 {
	return (float64(sum(b.slots[:i])) + float64(b.slots[i])/2) / float64(b.widest)
}

// layout finds room for the names in a figure of a width. Where they are wider
// than their groups of bars they are broken between parameters, or else slanted,
// or upright where slanting ones would touch.
func (b *block) layout(width vg.Length) {
	style := b.st.text(tickSize)
	area := draw.Canvas{Rectangle: vg.Rectangle{Max: vg.Point{X: width, Y: b.panel}}}
	area = draw.Crop(area, margin+b.unit, -margin, 0, 0)
	axes := b.plots[0].DataCanvas(area)
	slot := axes.Size().X / vg.Length(b.widest)
	b.lines, b.below = nil, 0
	for i, name := range b.names {
		room := slot*vg.Length(b.slots[i]) - 4
		lines := wrap(parts(name), style, room)
		b.lines = append(b.lines, lines)
		for _, line := range lines {
			if style.Width(line) > room {
				b.angle = max(b.angle, slant)
			}
		}
		b.below = max(b.below, nameLine*vg.Length(len(lines)))
	}
	if b.angle == 0 {
		return
	}
	if slot*vg.Length(slices.Min(b.slots))*math.Sqrt2/2 < tickSize {
		b.angle = upright
	}
	b.lines, b.below = nil, 0
	sin, cos := math.Sincos(b.angle)
	for i, name := range b.names {
		name = shorten(name, style, 1.3*vg.Inch)
		b.lines = append(b.lines, []string{name})
		w, h := style.Width(name), style.Height("X")/2
		b.below = max(b.below, w*vg.Length(sin)+h)
		// A wider margin moves names on the left more than those on the right.
		over := margin - (axes.X(b.middle(i)) - w*vg.Length(cos) - h)
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
	style := b.st.text(tickSize)
	style.XAlign = draw.XCenter
	var axes draw.Canvas
	for i, p := range b.plots {
		area := draw.Crop(c, 0, 0, c.Size().Y-b.panel, -nameGap)
		if b.headings[i] != "" {
			area.Max.Y -= style.Height("X") + nameGap
		}
		axes = p.DataCanvas(area)
		p.Draw(area)
		if b.headings[i] != "" {
			heading := shorten(b.headings[i], style, axes.Size().X)
			fillText(c, style, vg.Point{X: axes.Center().X, Y: area.Max.Y + nameGap}, heading)
		}
		c.Max.Y -= b.panel
	}
	style.YAlign = draw.YTop
	if b.angle > 0 {
		style.Rotation, style.XAlign, style.YAlign = b.angle, draw.XRight, draw.YCenter
	}
	for i, lines := range b.lines {
		at := vg.Point{X: axes.X(b.middle(i)), Y: c.Max.Y - nameGap}
		switch b.angle {
		case slant:
			at.X, at.Y = at.X+1, at.Y-1
		case upright:
			at.Y++
		}
		for _, line := range lines {
			fillText(c, style, at, line)
			at.Y -= nameLine
		}
	}
}

// unitLines breaks the label of the vertical axes where it is longer than they.
func (ch *chart) unitLines() []string {
	var h vg.Length
	for _, b := range ch.rows {
		h += b.panel * vg.Length(len(b.plots))
	}
	return unitLines(ch.st, ch.unit, h-nameGap)
}

func unitLines(st Style, unit string, length vg.Length) []string {
	style := st.text(textSize)
	var words []string
	for _, w := range strings.Fields(unit) {
		words = append(words, shorten(w, style, length)+" ")
	}
	return wrap(words, style, length)
}

// drawUnit writes a label upright, its middle at a point of its left side.
func drawUnit(st Style, c draw.Canvas, lines []string, at vg.Point) {
	s := st.text(textSize)
	s.Rotation, s.XAlign, s.YAlign = math.Pi/2, draw.XCenter, draw.YTop
	for _, line := range lines {
		fillText(c, s, at, line)
		at.X += unitWidth(st)
	}
}

// unitWidth is the room of a line of the label beside the panels.
func unitWidth(st Style) vg.Length { return st.text(textSize).Height("X") + 4 }

func sum(list []int) int {
	n := 0
	for _, v := range list {
		n += v
	}
	return n
}
