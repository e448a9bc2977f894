package plots

import (
	"encoding/csv"
	"slices"
	"strings"
	"testing"
)

// TestFromPanels: the style of options that name none is the default one, and the file
// of the data has the caller's.
func TestFromPanels(t *testing.T) {
	panel := func(heading string, y float64) Panel {
		return Panel{
			Heading: heading, Mark: Lines, X: Axis{Unit: "objects", Log: true}, Y: Axis{Label: "Time", Unit: "ns per request"},
			Series: []Series{{Name: "native", Points: []Point{{X: 1000, Y: y}, {X: 1_000_000, Y: 4 * y}}}, {Name: "llvm", Points: []Point{{X: 1000, Y: y + 1}, {X: 1_000_000, Y: 4*y + 1}}}},
		}
	}
	f := FromPanels(Options{}, "objects", panel("LRU", 20), panel("FIFO", 10))
	for _, format := range []string{"svg", "png", "pdf"} {
		drawn(t, f, format)
	}
	rows, err := csv.NewReader(strings.NewReader(string(drawn(t, f, "csv")))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != 9 {
		t.Fatalf("%d rows, want a header and 8: %v", len(rows), rows)
	}
	for _, want := range []string{"LRU", "native", "1000", "20"} {
		if !slices.Contains(rows[1], want) {
			t.Errorf("the first row is %v, want %s in it", rows[1], want)
		}
	}
}
