package native

import (
	"slices"
	"testing"
)

// TestLHDRescale moves counts to a coarser and a finer unit of age.
func TestLHDRescale(t *testing.T) {
	for _, tt := range []struct {
		delta        int
		counts, want []float32
	}{
		{0, []float32{1, 2, 3, 4}, []float32{1, 2, 3, 4}},
		{1, []float32{1, 2, 3, 4, 5, 6, 7, 8}, []float32{3, 7, 11, 15, 0, 0, 0, 8}},
		{2, []float32{1, 2, 3, 4, 5, 6, 7, 8}, []float32{10, 26, 0, 0, 0, 0, 0, 8}},
		{-1, []float32{2, 4, 6, 8, 1, 1, 1, 9}, []float32{1, 1, 2, 2, 3, 3, 4, 12}},
		{-2, []float32{4, 8, 1, 1, 1, 1, 1, 9}, []float32{1, 1, 1, 1, 2, 2, 2, 14}},
	} {
		got := slices.Clone(tt.counts)
		rescale(got, tt.delta)
		if !slices.Equal(got, tt.want) {
			t.Errorf("by %d: got %v, want %v", tt.delta, got, tt.want)
		}
	}
}
