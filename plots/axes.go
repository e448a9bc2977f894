package plots

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/dustin/go-humanize"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
)

// scale is an axis that was fitted to numbers.
type scale struct {
	low, high float64
	log       bool
	ticks     plot.Ticker
}

func (s scale) apply(a *plot.Axis) {
	a.Min, a.Max = s.low, s.high
	a.Tick.Marker = s.ticks
	if s.log {
		a.Scale = plot.LogScale{}
	}
}

// fit returns a scale on which values of an axis can be shown. On a logarithmic
// one those that are not positive have no position.
func (a Axis) fit(values []float64, o AxisOptions) scale {
	limited := o.Low != 0 || o.High != 0
	log := a.Log
	values = slices.Sorted(slices.Values(values))
	if log {
		values = slices.DeleteFunc(values, func(v float64) bool { return v <= 0 })
	}
	values = slices.Compact(values)
	low, high := 0.0, 1.0
	if log {
		low = 0.1
	}
	if len(values) > 0 {
		low, high = values[0], values[len(values)-1]
	}
	if a.zero && !log {
		low, high = min(low, 0), max(high, 0)
	}
	s := scale{low: low, high: high, log: log}
	isSize := a.Unit == unitBytes || a.Unit == unitObjects
	switch {
	case len(a.Categories) > 0:
		s.low, s.high = -0.5, float64(len(a.Categories))-0.5
		var ticks []plot.Tick
		for i, c := range a.Categories {
			ticks = append(ticks, plot.Tick{Value: float64(i), Label: c})
		}
		s.ticks = plot.ConstantTicks(ticks)
		return s
	case isSize && log:
		beside := 1.5
		if low < high {
			beside = min(1.4, math.Pow(high/low, 0.03))
		}
		s.low, s.high = low/beside, high*beside
		s.ticks = sizeTicks{sizes: values, unit: a.Unit}
	case log:
		s.low, s.high = low*0.9, high*1.15
		s.ticks = decades{a.count}
		switch {
		case high/low < 1.5:
			s.low, s.high = low*0.95, high*1.05
			s.ticks = steps(nice((s.high - s.low) / 5))
		case high/low < 30: // fewer than two powers of ten may have labels
			s.low, s.high = low*0.93, high*1.07
			s.ticks = oneTwoFive{a.count}
		}
	case isSize:
		s.high = max(high*1.03, 1)
		s.low = max(0, low-high*0.03)
		s.ticks = sizeSteps{a.Unit}
	case a.Unit == unitPercent && low >= 0 && high <= 100 && !a.zero:
		var step float64
		s.low, s.high, step = ratioRange(low, high)
		s.ticks = steps(step)
	case a.Unit == unitPercent:
		span := max(high-low, 1)
		step := nice(span / 5)
		s.low, s.high = low, high+span*0.04
		if low < 0 {
			s.low = low - span*0.04
		}
		s.ticks = steps(step)
	default:
		span := high - low
		if span <= 0 {
			span = max(math.Abs(high), 1)
			high = low + span
		}
		s.low, s.high = low, high+span*0.03
		if low != 0 {
			s.low = low - span*0.03
		}
		if low >= 0 {
			s.low = max(0, s.low)
		}
		s.ticks = steps(nice((s.high - s.low) / 5))
		if a.count && s.high >= 1e4 {
			s.ticks = sizeSteps{unitObjects}
		}
	}
	if limited {
		s.low, s.high = o.Low, o.High
		if log && s.low <= 0 {
			s.low = s.high / 1e3
		}
		switch s.ticks.(type) {
		case steps:
			s.ticks = steps(nice((s.high - s.low) / 5))
		case sizeTicks:
			s.ticks = sizeTicks{sizes: slices.DeleteFunc(values, func(v float64) bool { return v < s.low || v > s.high }), unit: a.Unit}
		}
	}
	return s
}

// with returns a with the scale that was asked for.
func (a Axis) with(o AxisOptions) Axis {
	if len(a.Categories) == 0 && o.Scale != "" {
		a.Log = o.Scale == "log"
	}
	return a
}

// ratioRange returns the ends of an axis for percentages from low to high, and
// the step between its ticks. Differences of less than one percent do not fill
// it, unless all there is is less.
func ratioRange(low, high float64) (bottom, top, step float64) {
	span := max(high-low, min(1, high))
	if span <= 0 {
		span = 1
	}
	step = nice(span / 5)
	bottom = max(0, step*math.Floor(low/step+1e-9))
	top = min(100, step*math.Ceil(high/step-1e-9))
	if finer := nice(step / 2.4); high-low >= 2*step && top-bottom < 3.5*step {
		step = finer
		bottom, top = max(0, step*math.Floor(low/step+1e-9)), min(100, step*math.Ceil(high/step-1e-9))
	}
	for top-bottom < 3.5*step {
		bottom, top = max(0, bottom-step), min(100, top+step)
	}
	return bottom, top, step
}

// sizeTicks puts ticks at powers of two bytes or ten objects, with as many labels
// as have room. Where the sizes drawn span less than two of them, or are one, it
// puts them at the sizes.
type sizeTicks struct {
	sizes []float64
	unit  string
}

func (s sizeTicks) Ticks(low, high float64) []plot.Tick {
	const labels = 6
	base := 2.0
	if s.unit == unitObjects {
		base = 10
	}
	logOf := func(v float64) float64 { return math.Log(v) / math.Log(base) }
	var at []float64
	for k := math.Ceil(logOf(low) - 1e-9); k <= logOf(high)+1e-9; k++ {
		at = append(at, math.Pow(base, k))
	}
	// The distance that labels keep, of logarithms.
	room := math.Ceil(float64(len(at))/labels) - 0.5
	if len(at) < 2 || len(s.sizes) == 1 {
		at, room = s.sizes, logOf(high/low)/labels
	}
	// From the largest, which readers look for.
	var ticks []plot.Tick
	last, lastLabel := math.Inf(1), ""
	for _, v := range slices.Backward(at) {
		t := plot.Tick{Value: v}
		label := sizeLabel(v, s.unit)
		if logOf(last/v) >= room && label != lastLabel {
			t.Label = label
			last, lastLabel = v, label
		}
		ticks = append(ticks, t)
	}
	slices.Reverse(ticks)
	return ticks
}

// sizeSteps puts ticks at multiples of a round size on a linear axis.
type sizeSteps struct{ unit string }

func (s sizeSteps) Ticks(low, high float64) []plot.Tick {
	step := nice((high - low) / 5)
	if s.unit == unitBytes { // a power of two: multiples of it have short labels
		step = math.Pow(2, math.Round(math.Log2((high-low)/5)))
	}
	var ticks []plot.Tick
	for i := math.Ceil(low/step - 1e-9); i*step <= high*(1+1e-9); i++ {
		ticks = append(ticks, plot.Tick{Value: i * step, Label: sizeLabel(i*step, s.unit)})
	}
	return ticks
}

func sizeLabel(v float64, unit string) string {
	if unit == unitObjects {
		return countLabel(v)
	}
	return bytesLabel(v)
}

func bytesLabel(v float64) string {
	return strings.Replace(humanize.IBytes(uint64(v)), ".0 ", " ", 1)
}

// countLabel writes a number of objects or requests.
func countLabel(v float64) string {
	for _, p := range []struct {
		from, by float64
		name     string
	}{{1e9, 1e9, " G"}, {1e6, 1e6, " M"}, {1e4, 1e3, " k"}} {
		if v >= p.from {
			return strconv.FormatFloat(v/p.by, 'g', 4, 64) + p.name
		}
	}
	if v == math.Trunc(v) {
		return humanize.Comma(int64(v))
	}
	return strconv.FormatFloat(v, 'g', 3, 64)
}

// nice rounds x, which is positive, up to 1, 2 or 5 times a power of ten.
func nice(x float64) float64 {
	p := math.Pow(10, math.Floor(math.Log10(x)))
	for _, m := range []float64{1, 2, 5} {
		if x <= m*p*(1+1e-9) {
			return m * p
		}
	}
	return 10 * p
}

// steps puts a labelled tick at each multiple of a step.
type steps float64

func (s steps) Ticks(low, high float64) []plot.Tick {
	step := float64(s)
	var ticks []plot.Tick
	first := math.Ceil(low/step - 1e-9)
	for i := range 1 + int(math.Floor(high/step-first+1e-9)) {
		v := (first + float64(i)) * step
		label := strconv.FormatFloat(v, 'g', 6, 64)
		if step >= 1e-4 && high < 1e6 {
			label = strconv.FormatFloat(v, 'f', max(0, int(math.Ceil(-math.Log10(step)-1e-9))), 64)
		}
		ticks = append(ticks, plot.Tick{Value: v, Label: label})
	}
	return ticks
}

// decades labels powers of ten, at most six of them, and marks 2 to 9 times
// them where all are labelled. Where some would be long they
// are 1e4, 1e6.
type decades struct{ count bool }

func (d decades) Ticks(low, high float64) []plot.Tick {
	first, last := math.Floor(math.Log10(low)), math.Floor(math.Log10(high))
	every := math.Ceil((last - first + 1) / 6)
	powers := !d.count && (last >= 6 || first < -3)
	var ticks []plot.Tick
	for k := first; k <= last; k++ {
		for m := 1.0; m < 10; m++ {
			t := plot.Tick{Value: m * math.Pow(10, k)}
			if m == 1 && math.Mod(k-first, every) == 0 {
				t.Label = plainLabel(t.Value, d.count)
				if powers && math.Abs(k) > 3 {
					t.Label = fmt.Sprintf("1e%g", k)
				}
			}
			if t.Value >= low*(1-1e-9) && t.Value <= high && (m == 1 || every == 1) {
				ticks = append(ticks, t)
			}
		}
	}
	return ticks
}

// plainLabel writes a number, of things that are counted with k and M.
func plainLabel(v float64, count bool) string {
	if count {
		return countLabel(v)
	}
	return fmt.Sprintf("%g", v)
}

// oneTwoFive labels 1, 2 and 5 times powers of ten and marks the others, or labels
// all where those are too few.
type oneTwoFive struct{ count bool }

func (o oneTwoFive) Ticks(low, high float64) []plot.Tick {
	var ticks []plot.Tick
	for k := math.Floor(math.Log10(low)); k <= math.Floor(math.Log10(high)); k++ {
		for m := 1.0; m < 10; m++ {
			t := plot.Tick{Value: m * math.Pow(10, k)}
			if t.Value < low*(1-1e-9) || t.Value > high*(1+1e-9) {
				continue
			}
			if m == 1 || m == 2 || m == 5 {
				t.Label = plainLabel(t.Value, o.count)
			}
			ticks = append(ticks, t)
		}
	}
	if unlabelled := slices.DeleteFunc(slices.Clone(ticks), func(t plot.Tick) bool { return t.Label != "" }); len(ticks)-len(unlabelled) < 3 {
		for i := range ticks {
			ticks[i].Label = plainLabel(ticks[i].Value, o.count)
		}
	}
	return ticks
}

// thinned keeps every label of a horizontal axis, or every second, third, and so
// on, so that they do not touch.
type thinned struct {
	plot.Ticker
	st   Style
	axis vg.Length // its length
	log  bool
}

func (t thinned) Ticks(low, high float64) []plot.Tick {
	const gap = 6
	style := t.st.text(tickSize)
	ticks := t.Ticker.Ticks(low, high)
	at := func(v float64) vg.Length {
		if t.log {
			return t.axis * vg.Length(math.Log(v/low)/math.Log(high/low))
		}
		return t.axis * vg.Length((v-low)/(high-low))
	}
	var labelled []int
	for i, k := range ticks {
		if k.Label != "" && k.Value >= low && k.Value <= high {
			labelled = append(labelled, i)
		}
	}
	touch := func(every int) bool {
		for j := len(labelled) - 1; j >= every; j -= every {
			a, b := ticks[labelled[j-every]], ticks[labelled[j]]
			if at(b.Value)-at(a.Value) < (style.Width(a.Label)+style.Width(b.Label))/2+gap {
				return true
			}
		}
		return false
	}
	every := 1
	for every < len(labelled) && touch(every) {
		every++
	}
	ticks = slices.Clone(ticks)
	for j, i := range labelled {
		if (len(labelled)-1-j)%every != 0 {
			ticks[i].Label = ""
		}
	}
	return ticks
}
