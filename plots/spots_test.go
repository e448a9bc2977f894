package plots

import (
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/recorder"
)

// TestSpots: every point of a line has a spot where its marker is drawn, with its
// number, in every style.
func TestSpots(t *testing.T) {
	rs := swept([]string{"fifo", "lru"}, sizesOf(mib, 4), rising)
	for _, st := range Styles {
		figs, err := Make(Rows{Results: rs}, Options{Style: st, Title: "A title"}, "hit-ratio")
		if err != nil {
			t.Fatal(err)
		}
		f := figs[0]
		var want []string
		for _, s := range f.Panels[0].Series {
			for _, p := range s.Points {
				want = append(want, s.Name+": "+f.Panels[0].Y.Text(p.Y)+" % at "+bytesLabel(p.X))
			}
		}
		var got []string
		for _, s := range f.Spots() {
			got = append(got, s.Text)
			if x, y := f.toLayout(s); !drawnAt(f, x, y) {
				t.Errorf("style %s: no marker at %v, %v for %s", st.Name, x, y, s.Text)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("style %s:\ngot  %q\nwant %q", st.Name, got, want)
		}
	}
}

// toLayout returns where a spot is drawn.
func (f Figure) toLayout(s Spot) (x, y vg.Length) {
	scale := vg.Length(f.scale)
	return s.X / scale, (f.Height - s.Y) / scale
}

// drawnAt reports whether something is filled or stroked at a point: a marker.
func drawnAt(f Figure, x, y vg.Length) bool {
	w, h := f.layout()
	var r recorder.Canvas
	f.draw(draw.NewCanvas(&r, w, h))
	for _, a := range r.Actions {
		var p vg.Path
		switch a := a.(type) {
		case *recorder.Fill:
			p = a.Path
		case *recorder.Stroke:
			p = a.Path
		default:
			continue
		}
		near, far := false, false
		for _, part := range p {
			if part.Type == vg.CloseComp {
				continue
			}
			d := part.Pos.Sub(vg.Point{X: x, Y: y})
			near = near || max(d.X, -d.X, d.Y, -d.Y) < 3
			far = far || max(d.X, -d.X, d.Y, -d.Y) > 4
		}
		if near && !far {
			return true
		}
	}
	return false
}

// TestSpotTexts: what bars, stacks, boxes, cells and points say.
func TestSpotTexts(t *testing.T) {
	for _, tt := range []struct {
		kind, want string
	}{
		{"byte-hit-ratio", "LRU: "},
		{"heat-map", " at 2 MiB"},
		{"improvement", "LRU: "},
		{"runtime", " ns per request"},
		{"time-hit-ratio", " ns per request"},
		{"over-time", " at "},
	} {
		figs, err := Make(Rows{Results: extremes[0].rs}, Options{}, tt.kind)
		if err != nil {
			t.Fatal(err)
		}
		spots := figs[0].Spots()
		if !slices.ContainsFunc(spots, func(s Spot) bool { return strings.Contains(s.Text, tt.want) }) {
			t.Errorf("%s: no spot with %q among %d", tt.kind, tt.want, len(spots))
		}
	}
	for _, e := range extremes {
		if !slices.Contains([]string{"one point", "long names", "0 and 1", "six decades"}, e.name) {
			continue
		}
		for _, k := range Kinds {
			figs, err := k.Make(Rows{Results: e.rs}, Options{Style: Styles[0]})
			if err != nil && err != errSizes {
				t.Fatal(err)
			}
			for _, f := range figs {
				for _, s := range f.Spots() {
					if s.X < 0 || s.Y < 0 || s.X+s.Width > f.Width || s.Y+s.Height > f.Height || s.Width < 0 || s.Height < 0 || s.Text == "" || strings.Contains(s.Text, "NaN") {
						t.Fatalf("%s, %s: spot %+v in %v x %v", e.name, f.Name, s, f.Width, f.Height)
					}
				}
			}
		}
	}
}
