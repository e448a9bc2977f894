package plots

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/plot/vg"
)

// TestLegendGeometry lays out 1 to 40 entries: none overlaps another, sticks out
// of the width or the height, or is cut without need.
func TestLegendGeometry(t *testing.T) {
	texts := map[string]func(i int) string{
		"long":    func(i int) string { return "bytemuck-static, uncached" },
		"short":   func(i int) string { return "lru" },
		"mixed":   func(i int) string { return strings.Repeat("m", 1+i*7%23) },
		"endless": func(i int) string { return strings.Repeat("endless ", 8) + fmt.Sprint(i) },
		"one":     func(i int) string { return map[bool]string{true: strings.Repeat("w", 30), false: "lru"}[i == 3] },
	}
	for name, text := range texts {
		for _, width := range []vg.Length{oneColumn - 2*margin, twoColumns - 2*margin} {
			for n := 1; n <= 40; n++ {
				var entries []legendEntry
				for i := range n {
					entries = append(entries, legendEntry{text: text(i)})
				}
				l := newLegend(acm, entries, width)
				w, h := l.size()
				if w > width {
					t.Errorf("%s, %d entries: %v wide, want at most %v", name, n, w, width)
				}
				var boxes []vg.Rectangle
				for i := range n {
					b := l.box(i)
					if b.Min.X < 0 || b.Max.X > w+1e-6 || b.Max.Y > 0 || b.Min.Y < -h-1e-6 {
						t.Errorf("%s, %d entries: entry %d is at %v, outside of %v x %v", name, n, i, b, w, h)
					}
					if b.Size().Y < sampleHeight || b.Size().Y < tickSize {
						t.Errorf("%s, %d entries: a row of %v is too low", name, n, b.Size().Y)
					}
					for j, other := range boxes {
						if overlap(b, other) {
							t.Errorf("%s, %d entries: %d and %d overlap", name, n, j, i)
						}
					}
					boxes = append(boxes, b)
					if name != "endless" && l.entries[i].text != text(i) {
						t.Errorf("%s, %d entries: %q was cut to %q", name, n, text(i), l.entries[i].text)
					}
				}
				// Entries of one length need no more rows than fit beside each other.
				if name == "long" || name == "short" {
					fit := int((width + entryGap) / (boxes[0].Size().X + entryGap))
					if rows := (n + fit - 1) / fit; l.rows() != rows {
						t.Errorf("%s, %d entries: %d rows, want %d", name, n, l.rows(), rows)
					}
				}
			}
		}
	}
	if w, h := newLegend(acm, nil, oneColumn).size(); w != 0 || h != 0 {
		t.Errorf("no entries: %v x %v, want nothing", w, h)
	}
}

func overlap(a, b vg.Rectangle) bool {
	const touch = 1e-6
	return a.Min.X < b.Max.X-touch && b.Min.X < a.Max.X-touch && a.Min.Y < b.Max.Y-touch && b.Min.Y < a.Max.Y-touch
}

func TestShorten(t *testing.T) {
	style := textStyle(tickSize)
	const name = "wtinylfu:window=1,protected=80,doorkeeper=1"
	if got := shorten(name, style, style.Width(name)); got != name {
		t.Errorf("there was room, got %q", got)
	}
	for width := vg.Length(10); width < style.Width(name); width += 7 {
		got := shorten(name, style, width)
		head, tail, ok := strings.Cut(got, "...")
		if !ok || !strings.HasPrefix(name, head) || !strings.HasSuffix(name, tail) || style.Width(got) > width {
			t.Errorf("%v wide: got %q, which is %v wide", width, got, style.Width(got))
		}
		if width > 60 && len(head)+len(tail) < 8 {
			t.Errorf("%v wide: got %q, shorter than needed", width, got)
		}
	}
	if got := shorten("größenabhängig", style, 30); strings.ContainsRune(got, '\ufffd') {
		t.Errorf("got %q, with a letter cut in two", got)
	}
}

func TestWrap(t *testing.T) {
	style := textStyle(tickSize)
	width := style.Width("aaaa bbbb")
	tests := []struct {
		pieces, want []string
	}{
		{nil, nil},
		{[]string{"aaaa "}, []string{"aaaa"}},
		{[]string{"aaaa ", "bbbb "}, []string{"aaaa bbbb"}},
		{[]string{"aaaa ", "bbbb ", "aa "}, []string{"aaaa bbbb", "aa"}},
		{[]string{"aa ", "longer than a line", "bb"}, []string{"aa", "longer than a line", "bb"}},
	}
	for _, tt := range tests {
		if got := wrap(tt.pieces, style, width); !slices.Equal(got, tt.want) {
			t.Errorf("%q: got %q, want %q", tt.pieces, got, tt.want)
		}
	}
}
